"""What has the latest run of a stream done so far, and what does it do now?"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from .._engine.run import Run
from .._engine.watermark import Watermark

if TYPE_CHECKING:
    from .._engine.counters import Counters
    from .._stats import Stats
    from .running import Lookout, RunningCall

__all__ = ["Latest"]


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
