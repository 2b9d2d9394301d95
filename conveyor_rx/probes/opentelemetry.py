"""How does a run get into OpenTelemetry? A probe with metrics, and spans by choice."""

from __future__ import annotations

from ..events import Event, Probe

try:
    from opentelemetry import metrics, trace
except ImportError as error:
    raise ImportError(
        "OpenTelemetryProbe needs OpenTelemetry: pip install 'opentelemetry-api>=1.30,<2'"
    ) from error

from ._metrics import Metrics
from ._spans import Spans

__all__ = ["OpenTelemetryProbe"]

_SCOPE = "conveyor_rx"


class OpenTelemetryProbe:
    """Send what happens in runs to OpenTelemetry: `with observe(OpenTelemetryProbe()): ...`.

    Counters, by `conveyor_rx.pipeline.name`, `conveyor_rx.stage.name` and `.id`:

        conveyor_rx.items.in, .out        {item}    came to a stage, left it
        conveyor_rx.items.failed          {item}    failed the run
        conveyor_rx.items.skipped         {item}    given up after a failure
        conveyor_rx.items.dead_lettered   {item}    of these, whose dead letter was accepted
        conveyor_rx.items.dropped         {item}    gave None, or were a rest: `conveyor_rx.reason`
        conveyor_rx.calls                 {call}    by `conveyor_rx.outcome` and `error.type`
        conveyor_rx.retries               {retry}   further attempts of calls

    Histograms, in seconds of the event loop's clock, by the same and the last one by pipeline:

        conveyor_rx.call.duration         of a call with all its attempts, by `conveyor_rx.outcome`
        conveyor_rx.call.queue_time       of an attempt in an executor, until its worker began
        conveyor_rx.items.wait_time       from an item's coming to its call, for slot or batch
        conveyor_rx.items.hold_time       from a result to its leaving: for order, or for room
        conveyor_rx.run.duration          of a run, by `conveyor_rx.outcome`

    With `spans` there is a span for each call, of the stage's name. Its parent is the span of the
    run, and that one's the caller's: the span that is current where the stream is first read. With
    `run_spans=False` the caller's span is the parent of the calls' themselves. In the function, and
    in what it runs by `asyncio.to_thread` or as tasks, the span of the call is the current one.
    (Where a plain function returns a coroutine or a generator, that runs under the caller's span.)
    The span of a call that was made in an executor says who made it, `conveyor_rx.call.worker`, and
    how many seconds it had waited for that, `conveyor_rx.call.queue_time`.

    Contents of items are never sent, and of errors only the type, for a message may hold contents.
    `record_exceptions=True` adds each failed attempt's message and traceback to its span.

    The providers are the global ones unless they are given.
    """

    def __init__(
        self,
        *,
        spans: bool = False,
        run_spans: bool = True,
        record_exceptions: bool = False,
        meter_provider: metrics.MeterProvider | None = None,
        tracer_provider: trace.TracerProvider | None = None,
    ) -> None:
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._probes: list[Probe] = [Metrics(meter)]
        if spans:
            tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
            self._probes.append(
                Spans(tracer, with_runs=run_spans, with_exceptions=record_exceptions)
            )

    def __call__(self, event: Event) -> None:
        for probe in self._probes:
            probe(event)
