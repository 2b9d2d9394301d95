"""What is one row of a table?"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from .contestants import CONTESTANTS, OLDER, UVLOOP
from .steps import Step

__all__ = ["ALL", "AND_OURS_ELSEWHERE", "MODES", "Job"]

ALL = tuple(name for name, one in CONTESTANTS.items() if one.everywhere)
AND_OURS_ELSEWHERE = (*ALL, UVLOOP, OLDER)

MODES = {"ordered": True, "as completed": False}
UNITS = {  # what is measured: how it is shown
    "time": "µs/item",
    "makespan": "x ideal",
    "first": "virtual s",
    "first_real": "ms",
    "memory": "KB",
    "flight": "bytes/item",
    "flat": "KB",
    "import": "ms",
    "median": "virtual ms",
    "p95": "virtual ms",
    "settled": "virtual ms",
    "recovery": "virtual ms",
    "batch": "items",
    "starts": "starts",
    "work": "µs/item",
    "run": "µs/run",
    "run_p50": "ms",
    "run_p99": "ms",
    "read": "µs/item",
    "crew": "µs/item",
    "crew_first": "ms",
}


@dataclass(frozen=True)
class Job:
    """One row of a table: what each contestant does, and what is measured."""

    group: str
    title: str
    kind: str
    items: int = 0
    steps: Callable[[], Sequence[Step]] = list
    ordered: bool = True
    window: int | None = None
    distribution: str = ""
    ideal: Callable[[], float] | None = None  # seconds; None: that of the distribution
    every: float = 0.0  # seconds from one input to the next; 0: all are there at once
    counts: Callable[[int], bool] | None = None  # whose latencies count; None: all
    rounds: int | None = None  # at most; None: as many as are asked for; 1 where nothing varies
    contestants: tuple[str, ...] = ALL
    needs: str = ""  # a module without which nobody can do it
    runs: int = 1  # of so many items each
    at_once: int = 1  # of the runs
    around: Callable[[], AbstractContextManager[object]] = nullcontext  # a run; of ours alone
    ask: Callable[[Any], object] | None = None  # of our stream, at each 100th result

    @property
    def name(self) -> str:
        """The key in the results."""
        return f"{self.group}: {self.title}"

    @property
    def missing(self) -> str | None:
        """Why it can't be measured here; None if it can."""
        if self.needs and importlib.util.find_spec(self.needs) is None:
            return f"{self.needs} is not installed"
        return None

    @property
    def unit(self) -> str:
        """What the figures count."""
        return UNITS[self.kind]
