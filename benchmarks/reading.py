"""How are results read one by one, and compared while they come?"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from types import ModuleType

from .job import Job
from .loads import arrivals
from .steps import Source, Step
from .watch import WrongError

__all__ = ["close", "drain", "inputs", "iterate"]


def inputs(job: Job) -> Source:
    """Return what goes in: all at once, or each when it is due."""
    return arrivals(job.items, job.every) if job.every else range(job.items)


def iterate(adapter: ModuleType, job: Job, steps: Sequence[Step]) -> AsyncIterator[int]:
    """Start the job."""
    results: AsyncIterator[int] = adapter.iterate(
        inputs(job), steps, ordered=job.ordered, window=job.window
    )
    return results


async def drain(results: AsyncIterator[int], job: Job, steps: Sequence[Step]) -> None:
    """Read to the end and keep nothing; each of the steps adds one."""
    count = total = 0
    async for item in results:
        if job.ordered and item != count + len(steps):
            raise WrongError(f"{item} came as result {count}")
        count += 1
        total += item
    if count != job.items or total != sum(range(job.items)) + len(steps) * job.items:
        raise WrongError(f"{count} results that sum up to {total}")


async def close(results: AsyncIterator[int]) -> None:
    """Stop a run early; how well a peer does that isn't measured (python-pyper raises)."""
    close = getattr(results, "aclose", None)
    if close is not None:
        with contextlib.suppress(BaseExceptionGroup):
            await close()
