"""How long does a job take whose calls are made by threads or processes that are there already?"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterable
from typing import Any, NamedTuple

from .contestants import Contestant
from .job import Job
from .speed import ENOUGH, RUNS
from .steps import Map
from .trial import check_results

__all__ = ["first_of_crew", "time_of_crew"]

WARM_UP = 50  # items that are sent before anything is measured: processes import what they call
ENOUGH_ON_A_CLUSTER = 5.0  # seconds after which there are no more runs: its start takes as long


class Times(NamedTuple):
    """Seconds from the start of a run."""

    first: float
    last: float


def time_of_crew(job: Job, contestant: Contestant) -> float:
    """Return the microseconds for each item of the input, to the last result; of the best run."""
    return min(times.last for times in _runs(job, contestant)) / job.items * 1e6


def first_of_crew(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds to the first result; of the best run."""
    return min(times.first for times in _runs(job, contestant)) * 1e3


def _runs(job: Job, contestant: Contestant) -> list[Times]:
    adapter: Any = contestant.load()
    (step,) = job.steps()
    assert isinstance(step, Map)
    enough = ENOUGH_ON_A_CLUSTER if job.needs else ENOUGH
    runs: list[Times] = []
    with adapter.crew(step, ordered=job.ordered) as start:
        asyncio.run(_read(start, range(min(WARM_UP, job.items))))
        while len(runs) < RUNS and sum(times.last for times in runs) < enough:
            times, results = asyncio.run(_read(start, range(job.items)))
            check_results(job, [step], results)
            runs.append(times)
    return runs


async def _read(start: Any, source: range) -> tuple[Times, list[int]]:
    gc.collect()
    found: list[int] = []
    begin, first = time.perf_counter(), 0.0
    results = start(source)
    if isinstance(results, AsyncIterable):
        async for result in results:
            first = first or time.perf_counter()
            found.append(result)
    else:
        for result in results:
            first = first or time.perf_counter()
            found.append(result)
    return Times(first - begin, time.perf_counter() - begin), found
