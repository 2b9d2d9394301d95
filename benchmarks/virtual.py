"""How long does a job take in virtual time? Work costs nothing there, only waiting counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import ModuleType
from typing import Any, TypeVar

from conveyor_rx.testing import VirtualLoop

from .contestants import Contestant
from .jobs import Job
from .latencies import ideal, latencies
from .reading import close, iterate
from .steps import CannotDo, Map
from .trial import WrongError, check_results

__all__ = ["first_result", "makespan"]

T = TypeVar("T")


def makespan(job: Job, contestant: Contestant) -> float:
    """Return the time to the last result over the ideal."""
    adapter, steps = _on_the_virtual_clock(contestant), job.steps()

    async def run() -> tuple[float, list[int]]:
        results = await adapter.collect(
            range(job.items), steps, ordered=job.ordered, window=job.window
        )
        return asyncio.get_running_loop().time(), results

    seconds, results = _virtually(run())
    check_results(job, steps, results)
    (step, *_) = steps
    assert isinstance(step, Map)
    times = latencies(job.distribution, items=job.items, stages=len(steps))
    return seconds / ideal(times, step.limit)


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
    if contestant.own_loop:
        raise CannotDo("runs an event loop of its own, in real time only")
    return contestant.load()


def _virtually(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(max_steps=None)) as runner:
        return runner.run(main)
