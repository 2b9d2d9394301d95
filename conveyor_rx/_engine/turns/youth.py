"""How long are the first turns of a run? Short, so that its first results come soon.

A run whose source has all its items at hand could begin calls for a whole slice before the event
loop has its turn, and again in each of the turns that its first results need to come through. So
it begins a few, and after each turn of the loop some more: for a while as many, then twice as many
each time. (As TCP's slow start; it counts turns of the loop, not results, so that calls which take
long begin no later.) What tasks do that the loop wakes is not cut short.
"""

from __future__ import annotations

from .pace import SLICE

__all__ = ["Youth"]

SHORT = 0.00002  # seconds of turns, at first
ALIKE = 8  # turns of the loop in which they last as long


class Youth:
    """The first turns of one run."""

    __slots__ = ("_alike", "length", "waits")

    def __init__(self) -> None:
        self.length = SHORT  # of the turns that are taken between two turns of the loop
        self.waits = False  # they are over: the loop is to have its turn
        self._alike = ALIKE

    def grown(self) -> Youth | None:
        """Begin the next turns, after one of the loop; None if the run is young no more."""
        self.waits = False
        if self._alike:
            self._alike -= 1
            return self
        self.length *= 2
        return self if self.length < SLICE else None
