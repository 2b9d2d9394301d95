"""What has the latest run of a stream done so far, and what does it do now?"""

from __future__ import annotations

from .._engine.run import Run
from .._stats import Counters, StageStats, Stats
from .running import Lookout, RunningCall

__all__ = ["Latest"]


class Latest:
    """The counters of the latest run, and what looks at its calls."""

    def __init__(self) -> None:
        self._counters: list[Counters] = []
        self._lookout: Lookout | None = None

    def begin(self, run: Run, counters: list[Counters]) -> None:
        """Look at `run` from now on."""
        self._counters = counters
        self._lookout = Lookout(run)

    def stats(self, names: tuple[str, ...]) -> Stats:
        """Return what each stage has done; `names` are those of the stages, before any run."""
        if not self._counters:
            return Stats(StageStats(name) for name in names)
        return Stats(counters.snapshot() for counters in self._counters)

    def running(self) -> tuple[RunningCall, ...]:
        """List the calls that run now."""
        return self._lookout.look() if self._lookout is not None else ()
