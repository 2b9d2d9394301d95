"""How long does a job take in virtual time? Work costs nothing there, only waiting counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from types import ModuleType
from typing import Any, TypeVar

from conveyor_rx.testing import VirtualLoop

from .contestants import Contestant
from .job import Job
from .latencies import ideal, latencies
from .reading import close, inputs, iterate
from .steps import CannotDo, Map, Step
from .trial import check_results
from .watch import Watch, WrongError

__all__ = ["collected", "first_result", "makespan", "watched"]

T = TypeVar("T")


def makespan(job: Job, contestant: Contestant) -> float:
    """Return the time to the last result over the ideal."""
    seconds, _ = collected(job, contestant)
    if job.ideal is not None:
        return seconds / job.ideal()
    (step, *rest) = job.steps()
    assert isinstance(step, Map)
    times = latencies(job.distribution, items=job.items, stages=1 + len(rest))
    return seconds / ideal(times, step.limit)


def collected(job: Job, contestant: Contestant) -> tuple[float, list[Watch]]:
    """Return the time to the last result, and what the calls were."""

    async def run(adapter: ModuleType, steps: Sequence[Step]) -> tuple[list[int], float]:
        results = await adapter.collect(inputs(job), steps, ordered=job.ordered, window=job.window)
        return results, asyncio.get_running_loop().time()

    return watched(job, contestant, run)


def watched(
    job: Job,
    contestant: Contestant,
    run: Callable[[ModuleType, Sequence[Step]], Coroutine[Any, Any, tuple[list[int], T]]],
) -> tuple[T, list[Watch]]:
    """Return what `run` gives beside the results, and what the calls were.

    Raises:
        WrongError: the results or the calls were not as the job says.
    """
    adapter, steps = _on_the_virtual_clock(contestant), job.steps()
    watches = [Watch(step) for step in steps]
    results, found = _virtually(run(adapter, [watch.watched() for watch in watches]))
    check_results(job, steps, results)
    for watch in watches:
        watch.check(job.items)
    return found, watches


def first_result(job: Job, contestant: Contestant) -> float:
    """Return the time to the first result over the first item's own."""
    adapter, steps = _on_the_virtual_clock(contestant), job.steps()

    async def run() -> float:
        results = iterate(adapter, job, steps)
        if await anext(results) != 0:
            raise WrongError("another result came first")
        seconds = asyncio.get_running_loop().time()
        await close(results)
        return seconds

    own = sum(latencies(job.distribution, items=job.items, stages=len(steps))[0])
    return _virtually(run()) / own


def _on_the_virtual_clock(contestant: Contestant) -> ModuleType:
    """Load the adapter; a library that has a clock of its own is given that of the loop."""
    if contestant.own_loop:
        raise CannotDo("runs an event loop of its own, in real time only")
    adapter = contestant.load()
    if hasattr(adapter, "use_the_clock_of_the_loop"):
        adapter.use_the_clock_of_the_loop()
    return adapter


def _virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run it on a loop whose clock jumps from timer to timer."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(max_steps=None)) as runner:
        return runner.run(main)
