"""How does one keep the order of each key by hand? A worker for each slot, chosen by the key.

There is no lock and no memory of keys, but keys that share a worker wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from ..steps import CannotDo, Map, Source, Step
from ._by_hand import IN_FLIGHT
from ._feed import each

__all__ = ["collect", "iterate"]


async def collect(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    (step,) = steps
    assert isinstance(step, Map)
    func, key, room = step.func, step.key or int, asyncio.Semaphore(IN_FLIGHT)
    results: dict[int, int] = {}

    async def work(queue: asyncio.Queue[tuple[int, int] | None]) -> None:
        while (numbered := await queue.get()) is not None:
            number, item = numbered
            results[number] = await func(item)
            room.release()

    queues = [asyncio.Queue[tuple[int, int] | None]() for _ in range(step.limit)]
    workers = [asyncio.create_task(work(queue)) for queue in queues]
    number = 0
    async for item in each(source):
        await room.acquire()
        queues[hash(key(item)) % step.limit].put_nowait((number, item))
        number += 1
    for queue in queues:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return [results[number] for number in sorted(results)] if ordered else list(results.values())


def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    raise CannotDo("written to collect, not to stream")
