"""What passes between two operators? Taps that tell of it and pass it on."""

from __future__ import annotations

from collections import deque
from typing import Any

from ...events import SOURCE
from .._place import Place
from .._subscriber import Subscriber
from .._tracer import Trace, Tracer, merged
from ._line import TracedLine

__all__ = [
    "Batches",
    "Emissions",
    "End",
    "Entered",
    "Outputs",
    "Pulled",
    "Waiting",
    "tell_emission",
]


class End(Subscriber):
    """Behind a stage: tells that it is complete."""

    def __init__(self, tracer: Tracer, stage: int) -> None:
        self._tracer = tracer
        self._stage = stage

    def on_completed(self) -> None:
        self._tracer.send("stage_ended", self._stage)
        self.out.on_completed()


class Pulled(End):
    """Behind the source: gives its items their numbers."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(tracer, SOURCE)

    def on_next(self, value: Any) -> None:
        trace = self._tracer.new_input()
        self._tracer.send("pulled", SOURCE, trace, value=value)
        self._tracer.hand_on(trace, self.out.on_next, value)


class Entered(Subscriber):
    """Behind the entry of a segment: notes at the place what stands there."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def on_next(self, value: Place) -> None:
        current = self._tracer.current
        value.trace = Trace(current.items, current.inputs, parts=current.parts)
        self.out.on_next(value)


class Outputs(Subscriber):
    """Between two stages of a segment: tells of the results of the first."""

    def __init__(self, line: TracedLine, stage: int) -> None:
        self._line = line
        self._stage = stage

    def on_next(self, value: Place) -> None:
        trace = self._line.made(value, self._stage)
        self._line.tracer.send("emitted", self._stage, trace)
        self.out.on_next(value)


class Waiting(Subscriber):
    """Before a buffer: tells of the items that come to wait for their batch."""

    def __init__(self, tracer: Tracer, stage: int, waiting: deque[Trace]) -> None:
        self._tracer = tracer
        self._stage = stage
        self._waiting = waiting

    def on_next(self, value: Any) -> None:
        trace = self._tracer.current
        self._waiting.append(trace)
        self._tracer.send("waiting", self._stage, trace)
        self.out.on_next(value)

    def cut(self) -> None:
        self._waiting.clear()


class Batches(Subscriber):
    """Behind a buffer: tells of its batches, and of the rest that it drops."""

    def __init__(self, tracer: Tracer, stage: int, waiting: deque[Trace], max_size: int) -> None:
        self._tracer = tracer
        self._stage = stage
        self._waiting = waiting
        self._max_size = max_size

    def on_next(self, value: list[Any]) -> None:
        trace = merged([self._waiting.popleft() for _ in value])
        reason = "full" if len(value) == self._max_size else "flush"
        self._tracer.send("batch_formed", self._stage, trace, reason=reason)
        self._tracer.hand_on(trace, self.out.on_next, value)

    def on_completed(self) -> None:
        if self._waiting:
            rest = merged(self._waiting)
            self._waiting.clear()
            self._tracer.send("dropped", self._stage, rest, reason="rest")
        self.out.on_completed()


class Emissions(End):
    """Behind a foreign operator: tells of its results.

    They come from the input during which they are emitted, if there is one.
    """

    def on_next(self, value: Any) -> None:
        trace = tell_emission(self._tracer, self._stage, self._tracer.current, value)
        self._tracer.hand_on(trace, self.out.on_next, value)


def tell_emission(tracer: Tracer, stage: int, origin: Trace, value: Any) -> Trace:
    """Tell of a result of `stage` that was made of `origin`."""
    trace = tracer.new_value(Trace(origin.items, origin.inputs))
    tracer.send("ready", stage, trace, value=value)
    tracer.send("emitted", stage, trace)
    return trace
