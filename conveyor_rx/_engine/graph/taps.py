"""What passes between two operators? Taps that tell of it and pass it on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..observing.reporter import Reporter
from ..observing.segment import Segment
from ..observing.tracer import Tracer
from ..place import Place
from ..run import Run
from ..subscriber import Subscriber

__all__ = ["Delivered", "Emissions", "Left", "Pulled", "Results"]


class Pulled(Subscriber):
    """Behind the source: gives its items their numbers, and tells of them and of its end."""

    def __init__(self, run: Run, tracer: Tracer, stage: int) -> None:
        self.stage = stage
        self._run = run
        self._tracer = tracer
        self._pulled = 0
        self.reporter: Reporter | None = None  # of the first stage, for which is read ahead

    def on_next(self, value: Any) -> None:
        trace = self._run.inputs = self._tracer.new_input(self._pulled)
        self._pulled += 1
        self._tracer.send("pulled", self.stage, trace.items, trace.inputs, value=value)
        self.out.on_next(value)

    def enqueue(self, values: Iterable[Any], number: int) -> None:
        """Pass on what is read ahead: the reporter tells of it."""
        out: Any = self.out
        out.enqueue(values, number)

    def on_completed(self) -> None:
        if self.reporter is not None:
            self.reporter.source_ends()
        self._tracer.send("stage_ended", self.stage)
        self.out.on_completed()


class Results(Subscriber):
    """Behind the calls of a stage: tells of their results."""

    def __init__(self, reporter: Reporter, segment: Segment) -> None:
        self._reporter = reporter
        self._segment = segment
        self.is_last = True  # of the segment: what leaves that is told behind its line

    def on_next(self, value: Place) -> None:
        self._reporter.result(value, leaves=not self.is_last)
        if value.dead:  # a probe has closed the run
            return
        self.out.on_next(value)
        if not self.is_last:
            self._segment.look()


class Left(Subscriber):
    """Behind a line: tells of the results that leave the segment."""

    def __init__(self, run: Run, tracer: Tracer, segment: Segment) -> None:
        self._run = run
        self._tracer = tracer
        self._segment = segment

    def on_next(self, value: Any) -> None:
        trace: Any = self._run.inputs
        segment = self._segment
        self._tracer.send("emitted", segment.last, trace.items, trace.inputs, trace.call)
        segment.look()
        self.out.on_next(value)


class Emissions(Subscriber):
    """Behind a stage that makes no calls: tells of its results, and of its end."""

    def __init__(self, run: Run, tracer: Tracer, stage: int) -> None:
        self._run = run
        self._tracer = tracer
        self._stage = stage

    def on_next(self, value: Any) -> None:
        send, stage = self._tracer.send, self._stage
        trace = self._run.inputs = self._tracer.new_value(self._run.inputs, None)
        send("ready", stage, trace.items, trace.inputs, value=value)
        send("emitted", stage, trace.items, trace.inputs)
        self.out.on_next(value)

    def on_completed(self) -> None:
        self._tracer.send("stage_ended", self._stage)
        self.out.on_completed()


class Delivered(Subscriber):
    """Before the outlet: notes which results come there, and what the run ends with."""

    def __init__(self, run: Run, tracer: Tracer, came: Callable[[Any], None]) -> None:
        self._run = run
        self._tracer = tracer
        self._came = came

    def on_next(self, value: Any) -> None:
        self._came(self._run.inputs)
        self.out.on_next(value)

    def on_error(self, error: Exception) -> None:
        self._tracer.note_end(error)
        self.out.on_error(error)

    def on_completed(self) -> None:
        self._tracer.note_end(None)
        self.out.on_completed()
