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

    def __init__(self) -> None:
        self._ends = weakref.WeakSet[EarlyEnd]()  # a run that is over lets go of its own
        self._all = False
        self._within = weakref.WeakSet[Run]()
        self._timeout: float | None = None  # of those that are drained
        self._limit: float | None = None  # of the others

    @property
    def runs(self) -> list[Run]:
        """Those that go on."""
        return [end.run for end in self._ends if not end.run.closed]

    def drain(self, timeout: float | None, within: list[Run] | None = None) -> None:
        """Drain all runs, now and later; or those `within` other runs, if there are any."""
        self._timeout = _earlier(timeout, self._timeout)
        if within:
            self._within.update(within)
        else:
            self._all = True
        for end in list(self._ends):
            if self.covers(end.run.parent):
                end.begin(timeout)

    def limit(self, timeout: float | None) -> None:
        """Close runs after `timeout` seconds: what they read is drained, which ends them before."""
        self._limit = _earlier(timeout, self._limit)
        for end in list(self._ends):
            end.limit(timeout)

    def covers(self, parent: Run | None) -> bool:
        """Tell whether a run within `parent`, or within none, is to be drained."""
        return self._all or (parent is not None and parent in self._within)

    def begin(self, run: Run) -> None:
        """Take note that a run begins."""
        end = run.early_end
        if not isinstance(end, EarlyEnd):
            return  # it is over
        self._ends.add(end)
        if self.covers(run.parent):
            end.begin(self._timeout)
        else:
            end.limit(self._limit)

    def follow(self, other: Draining) -> None:
        """Drain all runs if `other` does."""
        if other._all:
            self.drain(other._timeout)


def _earlier(one: float | None, other: float | None) -> float | None:
    limits = [limit for limit in (one, other) if limit is not None]
    return min(limits, default=None)
