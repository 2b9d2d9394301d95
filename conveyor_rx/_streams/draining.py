"""Which runs of a stream are drained? Those that go on, and those that begin later."""

from __future__ import annotations

import weakref

from .._engine.early_end import EarlyEnd
from .._engine.run import Run

__all__ = ["Draining"]


class Draining:
    """The runs of one stream, as far as they go on, and whether they are being drained.

    Of a stream in front of Rx operators only the runs *within* a run of the stream behind these may
    be meant: those that it has subscribed to there, and will.
    """

    __slots__ = ("_all", "_ends", "_limit", "_timeout", "_within")

    def __init__(self) -> None:
        # (Each stream has one of these: a WeakSet takes as long to make as all the rest.)
        self._ends: set[weakref.ref[EarlyEnd]] = set()  # a run that is over lets go of its own
        self._all = False
        self._within: weakref.WeakSet[Run] | None = None
        self._timeout: float | None = None  # of those that are drained
        self._limit: float | None = None  # of the others

    @property
    def runs(self) -> list[Run]:
        """Those that go on."""
        return [end.run for end in self._going_on() if not end.run.closed]

    def drain(self, timeout: float | None, within: list[Run] | None = None) -> None:
        """Drain all runs, now and later; or those `within` other runs, if there are any."""
        self._timeout = _earlier(timeout, self._timeout)
        if within:
            self._within = weakref.WeakSet([*within, *(self._within or ())])
        else:
            self._all = True
        for end in self._going_on():
            if self.covers(end.run.parent):
                end.begin(timeout)

    def limit(self, timeout: float | None) -> None:
        """Close runs after `timeout` seconds: what they read is drained, which ends them before."""
        self._limit = _earlier(timeout, self._limit)
        for end in self._going_on():
            end.limit(timeout)

    def covers(self, parent: Run | None) -> bool:
        """Tell whether a run within `parent`, or within none, is to be drained."""
        within = self._within
        return self._all or (within is not None and parent is not None and parent in within)

    def begin(self, run: Run) -> None:
        """Take note that a run begins."""
        end = run.early_end
        if not isinstance(end, EarlyEnd):
            return  # it is over
        self._ends.add(weakref.ref(end, self._ends.discard))
        if self.covers(run.parent):
            end.begin(self._timeout)
        else:
            end.limit(self._limit)

    def follow(self, other: Draining) -> None:
        """Drain all runs if `other` does."""
        if other._all:
            self.drain(other._timeout)

    def _going_on(self) -> list[EarlyEnd]:
        return [end for each in list(self._ends) if (end := each()) is not None]


def _earlier(one: float | None, other: float | None) -> float | None:
    limits = [limit for limit in (one, other) if limit is not None]
    return min(limits, default=None)
