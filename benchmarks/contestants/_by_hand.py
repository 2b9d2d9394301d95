"""How would one write just this job by hand, with asyncio alone? No errors, no back-pressure.

One task for each item, which goes through the steps; a semaphore for each step. A batch is gathered
by a task of its own. The results are put where they belong, so order costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import islice
from typing import Any

from ..steps import Batch, CannotDo, Map, Step

__all__ = ["IN_FLIGHT", "Start", "collect_by_hand", "start_all"]

IN_FLIGHT = 1024  # tasks that may exist at once, in a chain of several steps
Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


async def collect_by_hand(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, start: Start
) -> list[int]:
    """Run the steps with tasks that `start` makes."""
    if all(isinstance(step, Map) and not step.is_async for step in steps):
        return _inline(source, [step.func for step in steps])
    if any(isinstance(step, Batch) for step in steps):
        first, batch, last = steps
        assert isinstance(first, Map)
        assert isinstance(batch, Batch)
        assert isinstance(last, Map)
        return await _around_a_batch(source, first, batch, last, ordered, start)
    (*before, last) = steps
    if any(not isinstance(step, Map) or step.many for step in before):
        raise CannotDo("not written by hand")
    return await _maps(source, [step for step in steps if isinstance(step, Map)], ordered, start)


def _inline(source: Iterable[int], funcs: list[Callable[[Any], Any]]) -> list[int]:
    results: list[int] = []
    for item in source:
        for func in funcs:
            item = func(item)
        results.append(item)
    return results


async def _maps(source: Iterable[int], steps: list[Map], ordered: bool, start: Start) -> list[int]:
    if len(steps) == 1:
        return await _one_map(source, steps[0], ordered, start)
    slots = [(step.func, asyncio.Semaphore(step.limit)) for step in steps]
    room = asyncio.Semaphore(max(IN_FLIGHT, sum(step.limit for step in steps)))
    results: dict[int, Any] = {}

    async def go(number: int, value: Any) -> None:
        for func, slot in slots:
            async with slot:
                value = await func(value)
        results[number] = value
        room.release()

    await start_all(source, go, room, start)
    return _flat(results, many=steps[-1].many, ordered=ordered)


async def _one_map(source: Iterable[int], step: Map, ordered: bool, start: Start) -> list[int]:
    func, room = step.func, asyncio.Semaphore(step.limit)
    results: dict[int, Any] = {}

    async def go(number: int, item: int) -> None:
        results[number] = await func(item)
        room.release()

    await start_all(source, go, room, start)
    return _flat(results, many=step.many, ordered=ordered)


async def _around_a_batch(
    source: Iterable[int], first: Map, batch: Batch, last: Map, ordered: bool, start: Start
) -> list[int]:
    one_at_a_time = asyncio.Lock()
    room = asyncio.Semaphore(first.limit // batch.size)
    results: dict[int, Any] = {}

    async def each(func: Callable[[int], Any], items: list[int]) -> list[int]:
        done: list[int] = [0] * len(items)

        async def go(number: int, item: int) -> None:
            done[number] = await func(item)

        for task in [start(go(number, item)) for number, item in enumerate(items)]:
            await task
        return done

    async def go(number: int, items: list[int]) -> None:
        items = await each(first.func, items)
        async with one_at_a_time:
            items = await batch.func(items)
        results[number] = await each(last.func, items)
        room.release()

    items = iter(source)
    chunks = iter(lambda: list(islice(items, batch.size)), [])
    await start_all(chunks, go, room, start)
    return _flat(results, many=True, ordered=ordered)


async def start_all(
    source: Iterable[Any],
    go: Callable[[int, Any], Coroutine[Any, Any, None]],
    room: asyncio.Semaphore,
    start: Start,
) -> None:
    running: set[asyncio.Task[None]] = set()
    for number, item in enumerate(source):
        await room.acquire()
        task = start(go(number, item))
        if not task.done():
            running.add(task)
            task.add_done_callback(running.discard)
    for task in list(running):
        await task


def _flat(results: dict[int, Any], *, many: bool, ordered: bool) -> list[int]:
    found = [results[number] for number in sorted(results)] if ordered else list(results.values())
    return [item for items in found for item in items] if many else found
