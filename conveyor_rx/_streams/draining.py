"""Which runs of a stream are drained? Those that go on, and those that begin later."""

from __future__ import annotations

import weakref

from .._checks import check_seconds
from .._engine.early_end import EarlyEnd
from .._engine.run import Run
from .._errors.tracebacks import hides
from .origin import Origin

__all__ = ["Drainable", "Draining"]

__tracebackhide__ = hides  # for pytest


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


class Drainable:
    """A stream that can be drained."""

    _origin: Origin
    _draining: Draining

    def drain(self, timeout: float | None = None) -> None:
        """Pull nothing more, finish what was pulled, and then end as at the end of the data.

        It returns at once, and is fit for a signal handler of the event loop. A pull that is under
        way is cancelled, and the source closed; an Observable is unsubscribed, and what it had
        emitted is finished. Items that were read ahead, from a list for example, count as pulled.
        Open batches are cut as at the end of the input, results are delivered, then `async for`
        ends, `collect` returns what came, and subscribers are told `on_completed`. A source that
        is a stream is drained itself, and so is the stream in front of Rx operators. A stream that
        nobody reads on ends when somebody does.

        After `timeout` seconds what is left is closed, as by `aclose`. A second call may set an
        earlier end, no later one. It concerns every run of this stream, also those that begin
        later: these are empty, and open no source. Legal at any time, in any task, in calls of the
        run, and in any thread. A handler that `signal.signal` has set may interrupt anything: there
        call `loop.call_soon_threadsafe(stream.drain)`.

        Raises:
            ValueError: `timeout` is negative or not finite.
            TypeError: `timeout` is no number.

        >>> import asyncio
        >>> from itertools import count
        >>> async def main():
        ...     numbers = AsyncStream(count())
        ...     async for number in numbers:
        ...         if number == 1000:
        ...             numbers.drain()
        ...     return number >= 1000
        >>> asyncio.run(main())
        True
        """
        if timeout is not None:
            check_seconds("timeout", timeout)
        if self._origin.behind is None:
            self._draining.drain(timeout)
        else:
            self._draining.limit(timeout)
        first = self._first
        if first is not self:
            first._draining.drain(timeout, self._draining.runs)

    # -- private

    @property
    def _first(self) -> Drainable:
        """The stream that a subscription goes to: one in front of Rx operators, or wrapped."""
        stream: Drainable = self
        while stream._origin.is_plain:
            behind = stream._origin.behind
            inner = behind[0] if behind is not None else stream._origin.source
            if not isinstance(inner, Drainable):
                break
            stream = inner
        return stream


def _earlier(one: float | None, other: float | None) -> float | None:
    limits = [limit for limit in (one, other) if limit is not None]
    return min(limits, default=None)
