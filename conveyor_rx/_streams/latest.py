"""What has the latest run of a stream done so far, and what does it do now?"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from .._engine.run import Run
from .._engine.watermark import Watermark
from .origin import Origin

if TYPE_CHECKING:
    from .._engine.counters import Counters
    from .._stats import Stats
    from .running import Lookout, RunningCall

__all__ = ["Inspectable", "Latest"]


class Latest:
    """The counters of the latest run, its watermark, and what looks at its calls."""

    def __init__(self) -> None:
        self._counters: list[Counters] = []
        self._run: weakref.ref[Run] | None = None
        self._lookout: Lookout | None = None  # who looks at its calls, if somebody has asked
        self.watermark: Watermark | None = None
        self.runs = 0  # that have begun
        self._of_all = 0  # the watermark behind Rx operators, so far

    def begin(self, run: Run, counters: list[Counters]) -> None:
        """Look at `run` from now on."""
        self._counters = counters
        self._run, self._lookout = weakref.ref(run), None
        self.watermark = run.watermark
        self.runs += 1

    def stats(self, names: tuple[str, ...]) -> Stats:
        """Return what each stage has done; `names` are those of the stages, before any run."""
        from .._stats import StageStats, Stats

        if not self._counters:
            return Stats(StageStats(name) for name in names)
        return Stats(counters.snapshot() for counters in self._counters)

    def of_all_operators(self, front: Latest) -> int:
        """Give the watermark behind Rx operators; `front` is of the stream in front of them.

        What they hold is unknown until all that they gave was delivered; and then, if `front` was
        read by others, whose run that was.
        """
        is_complete = self.watermark is not None and self.watermark.is_complete
        if is_complete and front.watermark is not None and front.runs == 1:
            self._of_all = front.watermark.look_before_operators()
        return self._of_all

    def running(self) -> tuple[RunningCall, ...]:
        """List the calls that run now."""
        if self._run is None:
            return ()
        if self._lookout is None:
            from .running import Lookout

            self._lookout = Lookout(self._run)
        return self._lookout.look()


class Inspectable:
    """A stream that tells of its latest run."""

    _origin: Origin
    _latest: Latest

    @property
    def stats(self) -> Stats:
        """What each task has done so far in the latest run of this stream; by index or name."""
        if self._origin.behind is not None:
            return self._origin.behind[0].stats
        return self._latest.stats(self._origin.names)

    @property
    def watermark(self) -> int:
        """How many of the source's first items are settled in the latest run of this stream.

        The items 0 to `watermark - 1` are: each of their outputs was delivered, and the next one
        asked for, or the stream has ended normally; or they were dropped or skipped. It never
        falls, and stays after a failure or a close: a run over the source from there on misses
        nothing (at least once). 0 before the run begins.

        `collect` delivers when it returns, a subscription when `on_next` has returned. Items that
        have entered a stage of one's own or an Rx operator can't be followed: from the first of
        them on, none is settled before a normal end. Put the work in tasks to have a watermark.
        Behind Rx operators it is 0 until a normal end of the iteration, and so it is for a stream
        that is read through them. A rest below `min_size` that is dropped after a `drain` is not
        settled. In an ordered run to ask takes a few microseconds; as completed, time in
        proportion to the items in flight.
        """
        origin, latest = self._origin, self._latest
        if origin.behind is None:
            return latest.watermark.look() if latest.watermark is not None else 0
        stream = origin.behind[0]
        while stream._origin.behind is not None:
            stream = stream._origin.behind[0]
        return latest.of_all_operators(stream._latest)

    def running(self) -> tuple[RunningCall, ...]:
        """List the calls that run now in the latest run of this stream; most downstream first.

        Those of async and generator functions, and of workers, from when these are handed the call,
        also while it waits there: a plain function on the loop ends before anybody can ask.
        `seconds` counts from when this method first saw the call, since a clock for each call
        would cost every run: ask again and again to watch one, for example once a second.
        """
        if self._origin.behind is not None:
            return self._origin.behind[0].running()
        return self._latest.running()
