"""How would one write rates, order per key and retries by hand, with a task for each item?

A rate is a list of the latest starts. A key has a lock, which is taken before a slot, so that who
waits for a key holds none; the locks are kept. A call has a slot for each attempt, none between.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import defaultdict, deque
from collections.abc import AsyncIterable, Callable, Coroutine
from typing import Any

from ..steps import Map, Rate, Source
from ._by_hand import IN_FLIGHT, Start, start_all

__all__ = ["collect_one_map", "with_rate"]

Call = Callable[[int], Coroutine[Any, Any, int]]


def with_rate(step: Map) -> Map:
    """Return the step with a function that waits for its turn."""
    if step.rate is None:
        return step
    return dataclasses.replace(step, func=_rated(step.func, step.rate), rate=None)


async def collect_one_map(source: Source, step: Map, *, ordered: bool, start: Start) -> list[int]:
    """Run a step that has a key or retries."""
    slots, room = asyncio.Semaphore(step.limit), asyncio.Semaphore(IN_FLIGHT)
    results: dict[int, int] = {}
    call = _in_attempts(step, slots)
    if step.key is not None:
        call = _in_turn(call, step.key)

    async def go(number: int, item: int) -> None:
        results[number] = await call(item)
        room.release()

    if isinstance(source, AsyncIterable):
        await _start_each(source, go, room, start)
    else:
        await start_all(source, go, room, start)
    return [results[number] for number in sorted(results)] if ordered else list(results.values())


def _rated(func: Call, rate: Rate) -> Call:
    starts: deque[float] = deque()
    turn = asyncio.Lock()
    clock = asyncio.get_running_loop().time

    async def call(item: int) -> int:
        async with turn:
            if len(starts) == rate.starts:
                wait = starts.popleft() + rate.per - clock()
                if wait > 0:
                    await asyncio.sleep(wait)
            starts.append(clock())
        return await func(item)

    return call


def _in_attempts(step: Map, slots: asyncio.Semaphore) -> Call:
    func, retry = step.func, step.retry

    async def once(item: int) -> int:
        async with slots:
            return await func(item)

    if retry is None:
        return once

    async def call(item: int) -> int:
        delay = retry.delay
        for _ in range(retry.attempts - 1):
            try:
                async with slots:
                    return await func(item)
            except Exception:
                await asyncio.sleep(delay)
                delay *= 2
        return await once(item)

    return call


def _in_turn(call: Call, key: Callable[[int], int]) -> Call:
    locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def in_turn(item: int) -> int:
        async with locks[key(item)]:
            return await call(item)

    return in_turn


async def _start_each(
    source: AsyncIterable[int],
    go: Callable[[int, int], Coroutine[Any, Any, None]],
    room: asyncio.Semaphore,
    start: Start,
) -> None:
    running: set[asyncio.Task[None]] = set()
    number = 0
    async for item in source:
        await room.acquire()
        task = start(go(number, item))
        running.add(task)
        task.add_done_callback(running.discard)
        number += 1
    await asyncio.gather(*running)
