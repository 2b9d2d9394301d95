"""How does a user of python-pyper write it?"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pyper import task

from ..steps import Batch, CannotDo, Map, Step

__all__ = ["collect", "crew", "iterate"]


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    if ordered and any(
        isinstance(step, Map) and step.is_async and step.limit > 1 for step in steps
    ):
        raise CannotDo("gives results as they complete only")

    async def items() -> AsyncIterator[int]:
        for item in source:
            yield item

    chain: Any = task(items, branch=True)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain | task(_batches(step), branch=True, join=True)
        else:
            limit = step.limit if step.is_async else 1  # more would be threads
            chain = chain | task(step.func, workers=limit, branch=step.many)
    return aiter(chain())


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], Iterator[int]]]:
    assert step.crew is not None
    if ordered:
        raise CannotDo("gives results as they complete only")
    if step.crew.chunk > 1:
        raise CannotDo("sends items one by one")
    in_processes = step.crew.kind == "processes"
    stage: Any = task(step.func, workers=step.crew.number, multiprocess=in_processes)
    yield lambda source: iter((task(lambda: source, branch=True) | stage)())


def _batches(step: Batch) -> Any:
    """Return a stage that gathers batches by hand; there is none ready-made."""

    async def gather(items: AsyncIterable[int]) -> AsyncIterator[int]:
        batch: list[int] = []
        async for item in items:
            batch.append(item)
            if len(batch) == step.size:
                for result in await step.func(batch):
                    yield result
                batch = []
        if batch:
            for result in await step.func(batch):
                yield result

    return gather
