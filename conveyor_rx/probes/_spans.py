"""What of a run is traced? A span for the run and one for each of its calls, told by events."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from opentelemetry import context as contexts
from opentelemetry import trace

from .._text.labels import label
from ..events import Event, EventKind
from ._names import (
    ATTEMPT,
    BATCH_SIZE,
    CALL,
    ERROR_TYPE,
    INPUTS,
    OUTCOME,
    QUEUE_TIME,
    RETRIES,
    RUN_ID,
    STAGE_NAME,
    WORKER,
    error_type,
    pipeline_attributes,
    stage_attributes,
)

__all__ = ["Spans"]

_MOST_INPUTS = 20  # numbers in an attribute


class Spans:
    """A probe that makes spans; it remembers of a run only what is under way."""

    def __init__(
        self, tracer: trace.Tracer, *, with_runs: bool = True, with_exceptions: bool = False
    ) -> None:
        self._tracer = tracer
        self._with_runs = with_runs
        self._with_exceptions = with_exceptions
        self._runs: dict[int, _Run] = {}

    def __call__(self, event: Event) -> None:
        number = id(event.run)
        if event.kind == "run_started":
            self._runs[number] = _Run(event, self._tracer, self._with_runs, self._with_exceptions)
        run = self._runs.get(number)
        step = _STEPS.get(event.kind)
        if run is not None and step is not None:
            step(run, event)
        if event.kind == "run_ended":
            self._runs.pop(number, None)


class _Run:
    """The spans of a run that are open. It begins in the context of the stream's reader."""

    def __init__(
        self, event: Event, tracer: trace.Tracer, with_span: bool, with_exceptions: bool
    ) -> None:
        run = event.run
        self._info = run  # kept alive, for the run is known by its id
        self._tracer = tracer
        self._with_exceptions = with_exceptions
        self._stages = stage_attributes(run)
        self._calls: dict[tuple[int, int | None], _Call] = {}
        self._context = contexts.get_current()  # of the caller, with the caller's span
        self._span: trace.Span | None = None
        if with_span:
            attributes = {**pipeline_attributes(run), RUN_ID: label(run.id, 120)}
            name = label(run.name, 120) or "run"
            self._span = tracer.start_span(name, self._context, attributes=attributes)
            self._context = trace.set_span_in_context(self._span, self._context)

    def call_started(self, event: Event) -> None:
        stage = self._stages[event.stage]
        attributes: dict[str, Any] = {**stage, CALL: event.call, BATCH_SIZE: len(event.items)}
        attributes[INPUTS] = event.inputs[:_MOST_INPUTS]
        if event.run.stages[event.stage].kind != "batch_task":
            del attributes[BATCH_SIZE]
        name = str(stage[STAGE_NAME]) or "call"
        span = self._tracer.start_span(name, self._context, attributes=attributes)
        call = self._calls[event.stage, event.call] = _Call(span)
        call.enter(self._context)

    def attempt_failed(self, event: Event) -> None:
        call = self._calls.get((event.stage, event.call))
        if call is not None and event.error is not None:
            call.error = error_type(event.error)
            where = _elsewhere(event)
            attributes = {ERROR_TYPE: call.error, ATTEMPT: event.attempt, **where}
            call.span.add_event("attempt failed", attributes)
            call.span.set_attributes(where)
            if self._with_exceptions:
                call.span.record_exception(event.error)

    def dead_lettered(self, event: Event) -> None:
        call = self._calls.get((event.stage, event.call))
        if call is not None:
            attributes = {INPUTS: event.inputs[:_MOST_INPUTS]}
            call.span.add_event("dead letter accepted", attributes)

    def retried(self, event: Event) -> None:
        call = self._calls.get((event.stage, event.call))
        if call is not None:
            call.retries += event.attempt > 1
            call.enter(self._context)

    def call_ended(self, event: Event) -> None:
        call = self._calls.pop((event.stage, event.call), None)
        if call is not None:
            call.leave()
            call.span.set_attributes(_elsewhere(event))
            if call.retries:
                call.span.set_attribute(RETRIES, call.retries)
            is_failure = event.reason in ("failed", "skipped")
            _end(call.span, event.reason, call.error if is_failure else None)

    def run_ended(self, event: Event) -> None:
        if self._span is not None:
            error = None if event.error is None else error_type(event.error)
            _end(self._span, event.reason, error)


class _Call:
    """The span of a call, and where it is the current one: in the context of an attempt.

    `call_started` and `retried` are told in the context in which the function is then called.
    """

    def __init__(self, span: trace.Span) -> None:
        self.span = span
        self.error: str | None = None
        self.retries = 0
        self._tokens: tuple[Token[_Call | None], Token[contexts.Context]] | None = None

    def enter(self, context: contexts.Context) -> None:
        """Make the span current, here and in the tasks and threads that take this context along."""
        self.leave()
        token = contexts.attach(trace.set_span_in_context(self.span, context))
        self._tokens = _here.set(self), token

    def leave(self) -> None:
        """Undo that, if this is still the same context; else it ends with the attempt's task."""
        if self._tokens is not None and _here.get() is self:
            mark, token = self._tokens
            _here.reset(mark)
            contexts.detach(token)
        self._tokens = None


_here: ContextVar[_Call | None] = ContextVar("conveyor_rx_call_span", default=None)


def _elsewhere(event: Event) -> dict[str, Any]:
    """Say who has made an attempt, and how long it waited for that, if it was in an executor."""
    if not event.worker:
        return {}
    return {WORKER: label(event.worker, 120), QUEUE_TIME: event.queued}


def _end(span: trace.Span, outcome: str, error: str | None) -> None:
    span.set_attribute(OUTCOME, outcome)
    if error is not None:
        span.set_attribute(ERROR_TYPE, error)
        span.set_status(trace.StatusCode.ERROR)
    span.end()


_STEPS: dict[EventKind, Callable[[_Run, Event], None]] = {
    "call_started": _Run.call_started,
    "attempt_failed": _Run.attempt_failed,
    "retried": _Run.retried,
    "dead_lettered": _Run.dead_lettered,
    "call_ended": _Run.call_ended,
    "run_ended": _Run.run_ended,
}
