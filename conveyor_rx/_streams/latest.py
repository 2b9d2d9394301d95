"""What has the latest run of a stream done so far, and what does it do now?"""

from __future__ import annotations

from .._engine.run import Run
from .._engine.watermark import Watermark
from .._stats import Counters, StageStats, Stats
from .running import Lookout, RunningCall

__all__ = ["Latest"]


class Latest:
    """The counters of the latest run, its watermark, and what looks at its calls."""

    def __init__(self) -> None:
        self._counters: list[Counters] = []
        self._lookout: Lookout | None = None
        self.watermark: Watermark | None = None
        self.runs = 0  # that have begun
        self._of_all = 0  # the watermark behind Rx operators, so far

    def begin(self, run: Run, counters: list[Counters]) -> None:
        """Look at `run` from now on."""
        self._counters = counters
        self._lookout = Lookout(run)
        self.watermark = run.watermark
        self.runs += 1

    def stats(self, names: tuple[str, ...]) -> Stats:
        """Return what each stage has done; `names` are those of the stages, before any run."""
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
        return self._lookout.look() if self._lookout is not None else ()
