"""Does a contestant do what the job says? Nobody is to be fast by being wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import ModuleType

from .job import Job
from .steps import Step, expected
from .watch import Watch, WrongError

__all__ = ["check_results", "trial"]

ITEMS = 300


async def trial(job: Job, adapter: ModuleType) -> None:
    """Run the job on a few items, with functions that count their calls; it warms up, too."""
    items = min(ITEMS, job.items)
    steps = job.steps()
    watches = [Watch(step) for step in steps]
    watched = [watch.watched() for watch in watches]
    results = await adapter.collect(range(items), watched, ordered=job.ordered, window=job.window)
    check_results(dataclasses.replace(job, items=items), steps, results)
    for watch in watches:
        watch.check(items)


def check_results(job: Job, steps: Sequence[Step], results: list[int]) -> None:
    """Compare with what must come out: in order, or where the job has none, as a multiset.

    Raises:
        WrongError: something else came out.
    """
    wanted = expected(range(job.items), steps)
    found, wanted = (results, wanted) if job.ordered else (sorted(results), sorted(wanted))
    if found == wanted:
        return
    if sorted(found) == sorted(wanted):
        raise WrongError("the results are out of order")
    raise WrongError(f"{len(found)} results, not the {len(wanted)} that must come out")
