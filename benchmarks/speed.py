"""How long does a job take on a real event loop?"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from .contestants import Contestant
from .job import Job
from .reading import close, drain, iterate
from .steps import expected
from .trial import check_results, trial
from .watch import WrongError

__all__ = ["best", "first_in_real_time", "time_per_item", "work_per_item"]

T = TypeVar("T")
RUNS = 5  # of a short job in one process: the fastest is least disturbed by what else goes on
ENOUGH = 0.3  # seconds after which there are no more of them
WARM_UP = 5_000  # items that are read to the end before the first result is timed


def time_per_item(job: Job, contestant: Contestant) -> float:
    """Return the microseconds for each item of the input, to the last result; of the best run."""
    return _per_item(job, contestant, time.perf_counter)


def work_per_item(job: Job, contestant: Contestant) -> float:
    """Return the same of the processor's time, where the job has to wait."""
    return _per_item(job, contestant, time.process_time)


def _per_item(job: Job, contestant: Contestant, clock: Callable[[], float]) -> float:
    adapter = contestant.load()
    contestant.run(trial(job, adapter))
    source, steps = range(job.items), job.steps()

    async def run() -> tuple[float, list[int]]:
        gc.collect()
        with job.around():
            start = clock()
            results = await adapter.collect(source, steps, ordered=job.ordered, window=job.window)
            return clock() - start, results

    return best(contestant, run, partial(check_results, job, steps)) / job.items * 1e6


def best(
    contestant: Contestant,
    run: Callable[[], Coroutine[Any, Any, tuple[float, T]]],
    check: Callable[[T], None],
) -> float:
    """Return the least seconds of several times; what else `run` gives is checked."""
    taken: list[float] = []
    while len(taken) < RUNS and sum(taken) < ENOUGH:
        seconds, found = contestant.run(run())
        check(found)
        taken.append(seconds)
    return min(taken)


def first_in_real_time(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds to the first result, of a second run."""
    adapter, steps = contestant.load(), job.steps()
    small = dataclasses.replace(job, items=min(job.items, WARM_UP))

    async def run() -> float:
        await drain(iterate(adapter, small, steps), small, steps)
        gc.collect()
        start = time.perf_counter()
        results = iterate(adapter, job, steps)
        first = await anext(results)
        seconds = time.perf_counter() - start
        if job.ordered and first != expected([0], steps)[0]:
            raise WrongError("another result came first")
        await close(results)
        return seconds

    return asyncio.run(run()) * 1e3
