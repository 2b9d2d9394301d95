"""What of a run is measured? Counters and histograms of OpenTelemetry, told by events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..events import Event, EventKind
from ._names import ERROR_TYPE, OUTCOME, REASON, error_type, pipeline_attributes, stage_attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter

__all__ = ["Metrics"]

# Seconds; those of OpenTelemetry's conventions for durations, with some more on both sides.
_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """A probe that measures; it remembers of a run only what is under way."""

    def __init__(self, meter: Meter) -> None:
        self._instruments = _Instruments(meter)
        self._runs: dict[int, _Run] = {}

    def __call__(self, event: Event) -> None:
        number = id(event.run)
        if event.kind == "run_started":
            self._runs[number] = _Run(event, self._instruments)
        run = self._runs.get(number)
        step = _STEPS.get(event.kind)
        if run is not None and step is not None:
            step(run, event)
        if event.kind == "run_ended":
            self._runs.pop(number, None)


class _Instruments:
    def __init__(self, meter: Meter) -> None:
        def counter(name: str, unit: str, description: str) -> Counter:
            return meter.create_counter(f"conveyor_rx.{name}", unit, description)

        def seconds(name: str, description: str) -> Histogram:
            return meter.create_histogram(
                f"conveyor_rx.{name}",
                "s",
                description,
                explicit_bucket_boundaries_advisory=_BOUNDS,
            )

        self.items_in = counter("items.in", "{item}", "Items that came to a stage")
        self.items_out = counter("items.out", "{item}", "Results that left a stage")
        self.failed = counter("items.failed", "{item}", "Items whose call failed the run")
        self.skipped = counter("items.skipped", "{item}", "Items given up after a failure")
        self.dead_lettered = counter("items.dead_lettered", "{item}", "Dead letters accepted")
        self.dropped = counter("items.dropped", "{item}", "Items without a result, by None or rest")
        self.calls = counter("calls", "{call}", "Calls of a stage's function, by outcome")
        self.retries = counter("retries", "{retry}", "Further attempts of calls")
        self.call = seconds("call.duration", "Time of a call with all its attempts")
        self.queue = seconds("call.queue_time", "Time that an attempt waited in its executor")
        self.wait = seconds("items.wait_time", "Time that an item waited for a slot or its batch")
        self.hold = seconds("items.hold_time", "Time that a result was held, for order or room")
        self.run = seconds("run.duration", "Time of a run")


class _Run:
    """What is under way in a run."""

    def __init__(self, event: Event, instruments: _Instruments) -> None:
        self._info = event.run  # kept alive, for the run is known by its id
        self._began = event.time
        self._to = instruments
        self._stages = stage_attributes(event.run)
        self._waiting: dict[tuple[int, int], float] = {}  # since when, by stage and item
        self._calls: dict[tuple[int, int | None], float] = {}  # since when, by stage and call
        self._errors: dict[tuple[int, int | None], str] = {}  # the last one of each open call
        self._held: dict[int, float] = {}  # results, since when

    def pulled(self, event: Event) -> None:
        self._arrived(event)

    def waiting(self, event: Event) -> None:
        for item in event.items:
            self._waiting.setdefault((event.stage, item), event.time)

    def call_started(self, event: Event) -> None:
        stage = self._stages[event.stage]
        self._calls[event.stage, event.call] = event.time
        for item in event.items:
            since = self._waiting.pop((event.stage, item), event.time)
            self._to.wait.record(event.time - since, stage)

    def attempt_failed(self, event: Event) -> None:
        if event.error is not None:
            self._errors[event.stage, event.call] = error_type(event.error)
        self._made(event)

    def retried(self, event: Event) -> None:
        if event.attempt > 1:  # else it is a part of a batch that is tried for the first time
            self._to.retries.add(1, self._stages[event.stage])

    def call_ended(self, event: Event) -> None:
        call = event.stage, event.call
        attributes = {**self._stages[event.stage], OUTCOME: event.reason}
        error = self._errors.pop(call, None)
        if error is not None and event.reason in ("failed", "skipped"):
            attributes[ERROR_TYPE] = error
        self._to.calls.add(1, attributes)
        self._to.call.record(event.time - self._calls.pop(call, event.time), attributes)
        self._made(event)
        if event.reason == "failed":
            self._to.failed.add(len(event.items), self._stages[event.stage])

    def ready(self, event: Event) -> None:
        if event.run.stages[event.stage].kind.endswith("_task"):
            self._held.update(dict.fromkeys(event.items, event.time))

    def emitted(self, event: Event) -> None:
        stage = self._stages[event.stage]
        self._to.items_out.add(len(event.items), stage)
        for item in event.items:
            since = self._held.pop(item, None)
            if since is not None:
                self._to.hold.record(event.time - since, stage)
        self._arrived(event)

    def dead_lettered(self, event: Event) -> None:
        self._to.dead_lettered.add(len(event.items), self._stages[event.stage])

    def skipped(self, event: Event) -> None:
        self._to.skipped.add(len(event.items), self._stages[event.stage])

    def dropped(self, event: Event) -> None:
        attributes = {**self._stages[event.stage], REASON: event.reason}
        self._to.dropped.add(len(event.items), attributes)
        for item in event.items:
            self._waiting.pop((event.stage, item), None)

    def run_ended(self, event: Event) -> None:
        attributes = {**pipeline_attributes(event.run), OUTCOME: event.reason}
        if event.error is not None:
            attributes[ERROR_TYPE] = error_type(event.error)
        self._to.run.record(event.time - self._began, attributes)

    def _made(self, event: Event) -> None:
        if event.worker:
            self._to.queue.record(event.queued, self._stages[event.stage])

    def _arrived(self, event: Event) -> None:
        stages = event.run.stages
        for stage in stages[event.stage].feeds:
            if stages[stage].kind != "output":
                self._to.items_in.add(len(event.items), self._stages[stage])


_STEPS: dict[EventKind, Callable[[_Run, Event], None]] = {
    "pulled": _Run.pulled,
    "waiting": _Run.waiting,
    "call_started": _Run.call_started,
    "attempt_failed": _Run.attempt_failed,
    "retried": _Run.retried,
    "call_ended": _Run.call_ended,
    "ready": _Run.ready,
    "emitted": _Run.emitted,
    "dead_lettered": _Run.dead_lettered,
    "skipped": _Run.skipped,
    "dropped": _Run.dropped,
    "run_ended": _Run.run_ended,
}
