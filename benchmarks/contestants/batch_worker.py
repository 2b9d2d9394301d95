"""How does one write batches in time by hand? A loop that takes what it finds in a queue.

It waits for a first item, then for more of them, until the batch is full or its time is over; then
it calls. So the clock of a batch starts when the loop is free, not when its first item comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from ..steps import Batch, Map, Source, Step
from ._feed import END, feed

__all__ = ["collect", "iterate"]


async def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    fetch, batch = steps
    assert isinstance(fetch, Map)
    assert isinstance(batch, Batch)
    async with feed(source, fetch) as queue:
        at_end = False
        while not at_end:
            items, at_end = await _gather(queue, batch)
            if items:
                for result in await batch.func(items):
                    yield result


async def collect(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]


async def _gather(queue: asyncio.Queue[Any], batch: Batch) -> tuple[list[int], bool]:
    """Return the next batch, and whether it is the last."""
    items: list[int] = []
    until: float | None = None
    while len(items) < batch.size:
        try:
            item = queue.get_nowait()
        except asyncio.QueueEmpty:
            if items and batch.wait == 0:
                break
            try:
                async with asyncio.timeout_at(until):
                    item = await queue.get()
            except TimeoutError:
                break
        if item is END:
            return items, True
        items.append(item)
        if until is None and batch.wait is not None:
            until = asyncio.get_running_loop().time() + batch.wait
    return items, False
