"""Does a contestant do what the job says? Nobody is to be fast by being wrong."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from .jobs import Job
from .steps import Batch, Map, Step, expected

__all__ = ["WrongError", "check_results", "trial"]

ITEMS = 300


class WrongError(Exception):
    """The contestant did something else than the job says."""


async def trial(job: Job, adapter: ModuleType) -> None:
    """Run the job on a few items, with functions that count their calls; it warms up, too."""
    items = min(ITEMS, job.items)
    steps = job.steps()
    watches = [_Watch(step) for step in steps]
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


class _Watch:
    """What the calls of one step were."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.items = 0
        self.running = 0
        self.most = 0
        self.largest = 0

    def watched(self) -> Step:
        """Return the step with a function that tells."""
        func = self.step.func
        if isinstance(self.step, Map) and not self.step.is_async:
            return dataclasses.replace(self.step, func=self._plain(func))

        @functools.wraps(func)
        async def call(argument: Any) -> Any:
            self._enter(argument)
            try:
                return await func(argument)
            finally:
                self.running -= 1

        return dataclasses.replace(self.step, func=call)

    def check(self, items: int) -> None:
        """Compare with what the step says; `items` went in.

        Raises:
            WrongError: something else was called.
        """
        limit = self.step.limit if isinstance(self.step, Map) else 1
        if self.most > limit:
            raise WrongError(f"{self.most} calls ran at once, {limit} were allowed")
        if self.items != items:
            raise WrongError(f"calls for {self.items} items, not {items}")
        if isinstance(self.step, Batch) and self.largest != min(self.step.size, items):
            raise WrongError(f"the largest batch had {self.largest} items")

    def _plain(self, func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(func)
        def call(argument: Any) -> Any:
            self._enter(argument)
            self.running -= 1
            return func(argument)

        return call

    def _enter(self, argument: Any) -> None:
        size = len(argument) if isinstance(self.step, Batch) else 1
        self.items += size
        self.largest = max(self.largest, size)
        self.running += 1
        self.most = max(self.most, self.running)
