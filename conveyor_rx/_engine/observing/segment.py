"""When has a stage given its last result? The stages of one segment, seen from its line."""

from __future__ import annotations

from ..counters import Counters
from ..place import Place
from .tracer import Tracer

__all__ = ["Segment", "StageState"]


class StageState:
    """What of a stage tells whether there is more to come."""

    __slots__ = ("counters", "id", "open")

    def __init__(self, stage: int, counters: Counters) -> None:
        self.id = stage
        self.counters = counters
        self.open = 0  # calls that have begun and not ended

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs or waits here."""
        return not self.open and self.counters.in_ == self.counters.settled


class Segment:
    """Tells the ends of stages: all is in, and all is settled; of the last one all has left, too.

    `ring` is where the line of the segment begins and ends.
    """

    __slots__ = ("_going_on", "_input_has_ended", "_ring", "_tracer", "last")

    def __init__(self, tracer: Tracer, ring: Place) -> None:
        self.last = 0  # the id of its last stage
        self._tracer = tracer
        self._ring = ring
        self._going_on: list[StageState] = []
        self._input_has_ended = False

    def add(self, stage: int, counters: Counters) -> StageState:
        """Add a stage, the last one so far."""
        self.last = stage
        state = StageState(stage, counters)
        self._going_on.append(state)
        return state

    def input_ended(self) -> None:
        """Take note that nothing more will come in."""
        self._input_has_ended = True
        self.look()

    def failed(self) -> None:
        """Tell of no more ends: that of a stage that fails is the end of the run."""
        self._going_on.clear()

    def look(self) -> None:
        """Tell of the stages that have given their last result."""
        if not self._input_has_ended:
            return
        stages = self._going_on
        while stages and stages[0].is_idle:
            if len(stages) == 1 and self._ring.next is not self._ring:
                return
            self._tracer.send("stage_ended", stages.pop(0).id)

    def killed(self, place: Place) -> None:
        """Tell the end of the call that works for a place which is being taken out of the line."""
        reporter = getattr(place, "reporter", None)
        if reporter is not None:
            reporter.is_over(place)
