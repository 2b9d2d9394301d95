"""How does one write batches by the clock by hand? Cut each so many seconds, or when full.

Whether the stage is busy is not asked: what was cut waits in a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from ..steps import Batch, CannotDo, Map, Source, Step
from ._feed import END, feed

__all__ = ["collect", "iterate"]


async def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    fetch, batch = steps
    assert isinstance(fetch, Map)
    assert isinstance(batch, Batch)
    if batch.wait == 0:
        raise CannotDo("cuts by the clock, which needs an interval")
    batches: asyncio.Queue[list[int]] = asyncio.Queue()  # of which the model falls behind
    async with feed(source, fetch) as queue:
        cutter = asyncio.create_task(_cut(queue, batch, batches))
        while items := await batches.get():
            for result in await batch.func(items):
                yield result
        await cutter


async def collect(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]


async def _cut(queue: asyncio.Queue[Any], batch: Batch, batches: asyncio.Queue[list[int]]) -> None:
    """Put the batches into a queue, and an empty list at the end."""
    clock = asyncio.get_running_loop().time
    tick = None if batch.wait is None else clock() + batch.wait
    items: list[int] = []
    while True:
        try:
            async with asyncio.timeout_at(tick):
                item = await queue.get()
        except TimeoutError:
            assert tick is not None
            tick += batch.wait or 0.0
            item = None
        if item is not None and item is not END:
            items.append(item)
        if items and (item is None or item is END or len(items) == batch.size):
            batches.put_nowait(items)
            items = []
        if item is END:
            batches.put_nowait([])
            return
