"""How do items get through a stage of calls into a queue, by hand?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

from ..steps import Map, Source

__all__ = ["END", "each", "feed"]

END = object()  # the last thing in the queue


async def each(source: Source) -> AsyncIterator[int]:
    """Iterate over either kind of source."""
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


@contextlib.asynccontextmanager
async def feed(source: Source, step: Map) -> AsyncGenerator[asyncio.Queue[object]]:
    """Give a queue that is fed with what the calls return, as they complete, and END.

    The queue is not bounded, for only so many calls run at once, and the batches behind it keep up.
    """
    results: asyncio.Queue[object] = asyncio.Queue()

    async def go(item: int) -> None:
        results.put_nowait(await step.func(item))
        slots.release()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            async for item in each(source):
                await slots.acquire()
                group.create_task(go(item))
        results.put_nowait(END)

    slots = asyncio.Semaphore(step.limit)
    task = asyncio.create_task(run())
    try:
        yield results
        await task
    finally:
        task.cancel()
