"""How much memory does a job take?"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

from .contestants import Contestant
from .job import Job
from .memory import peak, resident
from .reading import drain, iterate
from .steps import CannotDo, Map
from .trial import check_results, trial
from .watch import WrongError

__all__ = ["in_flight", "late_growth", "peak_growth"]

PATIENCE = 20.0  # seconds until all calls must have started


def peak_growth(job: Job, contestant: Contestant) -> float:
    """Return the KB by which the process grows at most, while results are read and dropped."""
    adapter, steps = contestant.load(), job.steps()
    asyncio.run(trial(job, adapter))
    gc.collect()
    before = peak()

    async def run() -> None:
        await drain(iterate(adapter, job, steps), job, steps)

    asyncio.run(run())
    return peak() - before


def late_growth(job: Job, contestant: Contestant) -> float:
    """Return the KB by which the process grows between 10 % of the items and the last."""
    adapter, steps = contestant.load(), job.steps()

    async def run() -> float:
        count, mark = 0, 0.0
        async for item in iterate(adapter, job, steps):
            count += 1
            if item != count:
                raise WrongError(f"{item} came as result {count}")
            if count == job.items // 10:
                mark = resident()
        if count != job.items:
            raise WrongError(f"{count} of {job.items} results")
        return resident() - mark

    return asyncio.run(run())


def in_flight(job: Job, contestant: Contestant) -> float:
    """Return the bytes that Python gave out for each item, while all calls wait at once."""
    adapter = contestant.load()
    started, held, go_on = 0, 0, asyncio.Event()

    async def wait(item: int) -> int:
        nonlocal started, held
        started += 1
        if started == job.items:
            held = tracemalloc.get_traced_memory()[0]
            go_on.set()
        await go_on.wait()
        return item

    steps = [Map(wait, job.items, lambda item: [item])]

    async def run() -> int:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        async with asyncio.timeout(PATIENCE):
            results = await adapter.collect(
                range(job.items), steps, ordered=job.ordered, window=job.window
            )
        check_results(job, steps, results)
        return held - before

    try:
        return asyncio.run(run()) / job.items
    except TimeoutError:
        raise CannotDo(f"started {started} of {job.items} calls at once") from None
    finally:
        tracemalloc.stop()
