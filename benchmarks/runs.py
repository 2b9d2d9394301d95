"""How long does a whole run of few items take, alone or among others on the same event loop?"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from .contestants import Contestant
from .job import Job
from .speed import best
from .trial import check_results, trial

__all__ = ["median_first", "p99_first", "work_per_run", "work_to_read"]


class Ways(NamedTuple):
    """How a run over a source is started."""

    collect: Callable[[range], Awaitable[list[int]]]
    iterate: Callable[[range], AsyncIterator[int]]


def work_per_run(job: Job, contestant: Contestant) -> float:
    """Return the microseconds of the processor's time for each run; of the best time."""
    collect = _ways(job, contestant).collect
    contestant.run(trial(job, contestant.load()))

    async def run() -> tuple[float, list[list[int]]]:
        gc.collect()
        start = time.process_time()
        found = await _all(job, collect)
        return time.process_time() - start, found

    return best(contestant, run, partial(_check, job)) / job.runs * 1e6


def median_first(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds from the start of a run to its first result."""
    return statistics.median(_first_results(job, contestant)) * 1e3


def p99_first(job: Job, contestant: Contestant) -> float:
    """Return the milliseconds that 99 % of the first results do not exceed."""
    return statistics.quantiles(_first_results(job, contestant), n=100)[-1] * 1e3


def work_to_read(job: Job, contestant: Contestant) -> float:
    """Return the microseconds of the processor's time for each item, where results are read."""
    adapter: Any = contestant.load()
    steps = job.steps()
    contestant.run(trial(job, adapter))
    start = adapter.pipeline(steps, ordered=job.ordered, window=job.window)

    async def run() -> tuple[float, list[int]]:
        found: list[int] = []
        gc.collect()
        begin = time.process_time()
        stream = start(range(job.items))
        async for result in stream:
            found.append(result)
            if job.ask is not None and len(found) % 100 == 0:
                job.ask(stream)
        return time.process_time() - begin, found

    return best(contestant, run, partial(check_results, job, steps)) / job.items * 1e6


def _ways(job: Job, contestant: Contestant) -> Ways:
    """Return how each run is started; who has pipelines makes one for all runs."""
    adapter: Any = contestant.load()
    steps, options = job.steps(), {"ordered": job.ordered, "window": job.window}
    if not hasattr(adapter, "pipeline"):
        collect, iterate = (
            partial(way, steps=steps, **options) for way in (adapter.collect, adapter.iterate)
        )
        return Ways(collect, iterate)
    start = adapter.pipeline(steps, **options)

    def collect_stream(source: range) -> Awaitable[list[int]]:
        return start(source).collect()

    def iterate_stream(source: range) -> AsyncIterator[int]:
        return aiter(start(source))

    return Ways(collect_stream, iterate_stream)


async def _all(job: Job, run: Callable[[range], Awaitable[list[int]]]) -> list[list[int]]:
    """Make all runs, so many of them at once; who is done with one begins the next."""
    found: list[list[int]] = []
    waiting = iter(range(job.runs))

    async def worker() -> None:
        found.extend([await run(range(job.items)) for _ in waiting])

    if job.at_once == 1:
        await worker()
    else:
        async with asyncio.TaskGroup() as group:
            for _ in range(job.at_once):
                group.create_task(worker())
    return found


def _first_results(job: Job, contestant: Contestant) -> list[float]:
    """Return the seconds from the start of each run to its first result."""
    iterate = _ways(job, contestant).iterate
    contestant.run(trial(job, contestant.load()))
    waits: list[float] = []

    async def read(source: range) -> list[int]:
        begin = time.perf_counter()
        results = iterate(source)
        found = [await anext(results)]
        waits.append(time.perf_counter() - begin)
        found += [result async for result in results]
        return found

    gc.collect()
    _check(job, contestant.run(_all(job, read)))
    return waits


def _check(job: Job, found: list[list[int]]) -> None:
    steps = job.steps()
    for results in found:
        check_results(job, steps, results)
