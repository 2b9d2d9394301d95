"""For what do items wait? `stream.stats` says it, at any time."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, RateLimit, batch_task, single_task
from tests.errors.counted import balances, is_at_rest, reasons
from tests.kit import in_both_modes


async def work(item: int) -> int:
    await asyncio.sleep(1)
    return item


async def eager(item: int) -> int:
    await asyncio.sleep(0)
    return item


async def looked_at(stream: AsyncStream[Any], instant: float, stage: int = 0) -> dict[str, int]:
    """Run `stream`, and give what waited at an instant, by what it waited for."""
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(instant)
    seen = stream.stats[stage]
    assert balances(seen)
    await reader
    assert all(is_at_rest(each) for each in stream.stats)
    return reasons(seen)


@in_both_modes
async def test_for_a_slot(mode: str) -> None:
    """Counting: an item for which the stage has no slot."""
    stage = single_task(concurrency_limit=2)(work).with_execution_mode(mode)
    assert await looked_at(stage(range(5)), 0.5) == {"slot": 3}


@in_both_modes
async def test_for_a_batch(mode: str) -> None:
    """Counting: the items of an open batch; those of one that was cut wait for a slot."""
    source = single_task(concurrency_limit=5)(lambda n: n)

    @batch_task(max_size=3, concurrency_limit=1)
    async def together(batch: list[int]) -> list[int]:
        await asyncio.sleep(1)
        return batch

    async def slowly() -> AsyncIterator[int]:
        for number in range(8):
            yield number
        await asyncio.sleep(2)

    stream = (source | together).with_execution_mode(mode)(slowly())
    assert await looked_at(stream, 0.5, stage=1) == {"batch": 2, "slot": 3}


async def test_for_a_batch_of_each_group() -> None:
    """Counting, B6: the items of all open batches."""

    @batch_task(max_size=3, group_by=lambda n: n % 3)
    async def together(batch: list[int]) -> list[int]:
        return batch

    async def slowly() -> AsyncIterator[int]:
        for number in range(4):
            yield number
        await asyncio.sleep(2)

    assert await looked_at(together(slowly()), 0.5) == {"batch": 4}


@in_both_modes
async def test_for_a_key(mode: str) -> None:
    """Counting, K3: items behind a call with an equal key, while there are slots."""
    stage = single_task(key=lambda n: n % 2, concurrency_limit=4)(work).with_execution_mode(mode)
    assert await looked_at(stage([0, 2, 4, 1]), 0.5) == {"key": 2}


@in_both_modes
async def test_for_a_rate(mode: str) -> None:
    """Counting, R4: items that may not start yet; without a slot they wait for that."""
    limit = RateLimit(2, per=10)
    stage = single_task(rate_limit=limit, concurrency_limit=4)(work).with_execution_mode(mode)
    assert await looked_at(stage(range(5)), 0.5) == {"rate": 3}
    narrow = single_task(rate_limit=RateLimit(2, per=10), concurrency_limit=1)(work)
    assert await looked_at(narrow.with_execution_mode(mode)(range(5)), 0.5) == {"slot": 4}


async def test_for_the_rate_of_a_batch() -> None:
    """Counting: the numbers are items, also where batches wait."""

    @batch_task(max_size=2, rate_limit=RateLimit(1, per=10))
    async def together(batch: list[int]) -> list[int]:
        return batch

    assert await looked_at(together(range(6)), 0.5) == {"rate": 4}


@in_both_modes
async def test_for_a_retry(mode: str) -> None:
    """Counting, T6: a call between two attempts; when its time has come, it waits for a slot."""
    fails = {0, 1}

    @single_task(concurrency_limit=2, retry_attempts=2, retry_delay=3)
    async def flaky(item: int) -> int:
        await asyncio.sleep(1 if item < 2 else 5)
        if item in fails:
            fails.discard(item)
            raise ValueError
        return item

    stage = flaky.with_execution_mode(mode)
    assert await looked_at(stage([0, 1]), 1.5) == {"retry": 2}
    fails.update({0, 1})
    assert await looked_at(stage([0, 1, 2, 3]), 4.5) == {"slot": 2}


async def test_for_the_rate_of_a_retry() -> None:
    """Counting, R1: a later attempt that must wait for the rate."""
    fails = {0}

    @single_task(rate_limit=RateLimit(1, per=10), retry_attempts=2, retry_delay=1)
    async def flaky(item: int) -> int:
        if item in fails:
            fails.discard(item)
            raise ValueError
        return item

    assert await looked_at(flaky([0]), 0.5) == {"retry": 1}
    fails.add(0)
    assert await looked_at(flaky([0]), 5) == {"rate": 1}


def generate(item: int) -> Iterator[int]:
    yield from range(10)


async def generate_async(item: int) -> AsyncIterator[int]:
    for number in range(10):
        yield number


@pytest.mark.parametrize(
    "function", [generate, generate_async, lambda n: [*range(1000)], lambda n: generate(n)]
)
async def test_for_room(function: Callable[[int], Any]) -> None:
    """Counting, F5: a call in the middle of its outputs, when the window is full."""
    pipeline = single_task(function) | single_task(concurrency_limit=1)(work)
    stream = pipeline.with_context(max_in_flight=3)([0])
    seen = await looked_at(stream, 0.5)
    assert seen == {"room": 1}


@pytest.mark.real_time("another thread looks while the run goes on")
async def test_another_thread_may_look() -> None:
    """Counting: `stats` raises nothing there, whatever the run changes meanwhile."""
    keyed = single_task(key=lambda n: n % 50, rate_limit=RateLimit(10**6))(eager)
    stream = (keyed | batch_task(max_size=3)(lambda batch: batch))(range(3000))
    looks = 0
    wrong: list[Exception] = []
    is_over = threading.Event()

    def look() -> None:
        nonlocal looks
        while not is_over.is_set():
            try:
                looks += len(stream.stats)
            except Exception as error:
                wrong.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=look)
    thread.start()
    try:
        await stream.collect()
    finally:
        is_over.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert looks
    assert not wrong, wrong[0]
