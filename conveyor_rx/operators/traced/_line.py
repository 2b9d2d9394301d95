"""Which value stands at a place? The lines of a run that is observed."""

from __future__ import annotations

from typing import Any, Protocol

from ..._inputs import Inputs
from .._as_completed import AsCompletedLine
from .._line import Line
from .._place import FILLED, Place
from .._run import Run
from .._tracer import Trace, Tracer

__all__ = ["TracedAsCompletedLine", "TracedCalls", "TracedLine"]


class TracedCalls(Protocol):
    """The calls of one stage of the segment, as its line sees them."""

    number: int

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs or waits here."""
        ...

    def call_ended(self, place: Place, reason: str) -> None:
        """Tell the end of the call at `place`, if there is one."""


class TracedLine(Line):
    """A line that knows of each of its places which value stands there."""

    def __init__(self, run: Run, tracer: Tracer) -> None:
        super().__init__(run)
        self.tracer = tracer
        self.last_stage = 0  # the number of the segment's last stage
        self.calls: list[TracedCalls] = []  # its stages that have not ended

    def insert(self, value: Any, owner: Place, inputs: Inputs) -> Place:
        place = super().insert(value, owner, inputs)
        place.trace = owner.trace
        return place

    def made(self, place: Place, stage: int) -> Trace:
        """Take note that `place` now holds a result of `stage`."""
        trace = place.trace = self.tracer.new_value(place.trace)
        self.tracer.send("ready", stage, trace, value=place.value)
        return trace

    def on_next(self, value: Place) -> None:
        self.made(value, self.last_stage)
        super().on_next(value)

    def end(self, error: BaseException | None) -> None:
        super().end(error)
        self.look_for_ends()

    def look_for_ends(self) -> None:
        """Tell of the stages that have given their last result: all is in, and all is settled."""
        if not self._ended or self._ending is not None:
            return
        while self.calls and self.calls[0].is_idle:
            last = len(self.calls) == 1
            if last and self.ring.next is not self.ring:
                return
            self.tracer.send("stage_ended", self.calls.pop(0).number)

    def _emit(self, place: Place) -> None:
        trace = place.trace
        self.tracer.send("emitted", self.last_stage, trace)
        value, place.value = place.value, None
        self.run.inputs = place.inputs
        self._unlink(place)
        if self._ended or self.ring.next.state == FILLED:
            self.run.ready |= self.bit
        self.tracer.hand_on(trace, self.out.on_next, value)

    def _unlink(self, place: Place) -> None:
        super()._unlink(place)
        self.look_for_ends()

    def _kill_from(self, place: Place) -> None:
        killed = place
        while killed is not self.ring:
            for stage in self.calls:
                stage.call_ended(killed, "cancelled")
            killed = killed.next
        super()._kill_from(place)


class TracedAsCompletedLine(TracedLine, AsCompletedLine):
    """The same, as completed."""
