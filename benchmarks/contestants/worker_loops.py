"""How fast does the event loop let one be? For each step as many loops as calls at once, no more.

They share an iterator, so there is no task for an item. A step is done with all items before the
next one begins: nothing streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from ..steps import Batch, CannotDo, Map, Step

__all__ = ["collect", "iterate"]


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    items: Iterable[Any] = source
    for step in steps:
        items = await _phase(list(items), step)
    return list(items)


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    raise CannotDo("written to collect, not to stream")


async def _phase(items: list[Any], step: Step) -> list[Any]:
    if isinstance(step, Map) and not step.is_async:
        return [step.func(item) for item in items]
    if isinstance(step, Batch):
        batches = [items[start : start + step.size] for start in range(0, len(items), step.size)]
        return _flat(await _calls(batches, step, limit=1))
    results = await _calls(items, step, step.limit)
    return _flat(results) if step.many else results


async def _calls(arguments: list[Any], step: Step, limit: int) -> list[Any]:
    func, waiting = step.func, iter(enumerate(arguments))
    results: list[Any] = [None] * len(arguments)

    async def loop() -> None:
        for number, argument in waiting:
            results[number] = await func(argument)

    await asyncio.gather(*(loop() for _ in range(min(limit, len(arguments)))))
    return results


def _flat(lists: list[list[Any]]) -> list[Any]:
    return [value for values in lists for value in values]
