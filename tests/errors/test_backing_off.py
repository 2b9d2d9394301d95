"""What does a call hold while it waits for its next attempt? T6 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from conveyor_rx import AsyncStream, batch_task, single_task
from tests.kit import Boom, Endless, in_both_modes, now, others

RETRIES: Any = {"retry_attempts": 2, "retry_delay": 10}


class Flaky:
    """A function of a second whose first attempt fails, for some items; it notes each attempt."""

    def __init__(self, *bad: int) -> None:
        self.bad = {*bad}
        self.begun: list[tuple[float, int]] = []
        self.now = self.most = 0

    async def call(self, item: int) -> int:
        self.begun.append((now(), item))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(1)
        finally:
            self.now -= 1
        if item in self.bad:
            self.bad.discard(item)
            raise Boom
        return item

    async def call_batch(self, batch: list[int]) -> list[int]:
        return [await self.call(item) for item in batch]

    async def generate(self, item: int) -> AsyncIterator[int]:
        yield await self.call(item)

    async def with_side(self, item: int, side: AsyncIterator[int]) -> int:
        await anext(side)
        return await self.call(item)

    def lazily(self, item: int) -> Any:
        return self.call(item)  # it is awaited


@in_both_modes
@pytest.mark.parametrize("kind", ["call", "lazily"])
async def test_failing_calls_do_not_stop_a_stage(kind: str, mode: Any) -> None:
    """T6: two items that wait for their next attempt leave both slots to the others."""
    work = Flaky(0, 1)
    function: Callable[[int], Any] = getattr(work, kind)
    options: dict[str, Any] = {"concurrency_limit": 2} if kind == "call" else {}
    stream = single_task(**RETRIES, **options)(function).with_execution_mode(mode)(range(6))
    got = await stream.collect()
    assert got == ([*range(6)] if mode == "ordered" else [2, 3, 4, 5, 0, 1])
    if kind == "call":
        firsts = [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5)]
        assert work.begun == [*firsts, (11, 0), (11, 1)]
        assert work.most == 2


async def test_the_next_attempt_waits_for_a_slot_and_goes_first() -> None:
    """T6, F3: when the pause is over there is no slot; what has been tried goes before the rest."""
    begun: list[tuple[float, int]] = []

    @single_task(retry_attempts=2, retry_delay=1, concurrency_limit=2)
    async def call(item: int) -> int:
        begun.append((now(), item))
        if begun.count((0, item)) and len(begun) <= 2:
            raise Boom
        await asyncio.sleep(5)
        return item

    assert await call(range(6)).collect() == [*range(6)]
    assert begun == [(0, 0), (0, 1), (0, 2), (0, 3), (5, 0), (5, 1), (10, 4), (10, 5)]


KEEPERS: dict[str, Callable[[Flaky], Any]] = {
    "limit 1": lambda work: single_task(concurrency_limit=1, **RETRIES)(work.call),
    "batch": lambda work: batch_task(max_size=1, **RETRIES)(work.call_batch),
    "generator": lambda work: single_task(concurrency_limit=1, **RETRIES)(work.generate),
    "stream as side input": lambda work: single_task(concurrency_limit=1, **RETRIES)(
        work.with_side
    ).with_inputs(endless()),
}


async def endless() -> AsyncIterator[int]:
    while True:
        yield 0


@in_both_modes
@pytest.mark.parametrize("kind", KEEPERS)
async def test_sequential_calls_keep_their_slot(kind: str, mode: Any) -> None:
    """T6, O4: where calls follow each other, the next one waits until the last has settled."""
    work = Flaky(0)
    stream = KEEPERS[kind](work).with_execution_mode(mode)([0, 1])
    assert await stream.collect() == [0, 1]
    assert work.begun == [(0, 0), (11, 0), (12, 1)]


async def test_generators_that_wait_for_room_leave_one_that_is_tried_again_its_slot() -> None:
    """T6, F3: the head of the line has its slot when its pause is over: no deadlock."""
    work = Flaky(0)

    @single_task(concurrency_limit=2, **RETRIES)
    async def generate(item: int) -> AsyncIterator[int]:
        for _ in range(5):
            yield await work.call(item)

    stream = generate.with_context(max_in_flight=2)([0, 1, 2])
    assert await stream.collect() == [0] * 5 + [1] * 5 + [2] * 5


@in_both_modes
async def test_batches_at_once_give_their_slots_back(mode: Any) -> None:
    """T6: a batch task with several slots is not sequential."""
    work = Flaky(0, 1)
    task = batch_task(max_size=1, concurrency_limit=2, **RETRIES)(work.call_batch)
    await task.with_execution_mode(mode)(range(4)).collect()
    assert work.begun == [(0, 0), (0, 1), (1, 2), (1, 3), (11, 0), (11, 1)]


async def test_max_parallelism_is_free_for_other_stages() -> None:
    """T6, F4: who waits does not count, and counts again when it goes on."""
    work = Flaky(0, 1)
    pipeline = single_task(**RETRIES)(work.call) | single_task(work.call)
    stream = pipeline.with_context(max_parallelism=2)(range(6))
    assert await stream.collect() == [*range(6)]
    assert work.most == 2
    assert [time for time, item in work.begun if item in (0, 1)] == [0, 0, 11, 11, 12, 12]
    assert max(time for time, item in work.begun if item > 1) < 10


async def test_the_window_stays_full() -> None:
    """T6, F2: the items keep their room; nothing more is pulled for them."""
    source = Endless()
    work = Flaky(*range(4))
    stream = single_task(**RETRIES)(work.call).with_context(max_in_flight=4)(source)
    async with stream:
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(5)
        assert source.pulled == 4
        assert (stream.stats[0].running, stream.stats[0].waiting) == (0, 4)
        assert await reading == 0
    assert not others()


@in_both_modes
async def test_a_pause_ends_when_the_run_does(mode: Any) -> None:
    """T6, L2: a close cancels and awaits who waits; each item is counted once."""
    work = Flaky(*range(3))
    stream = single_task(concurrency_limit=2, **RETRIES)(work.call).with_execution_mode(mode)(
        [0, 1, 2]
    )
    async with stream:
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(5)
    assert await asyncio.gather(reading, return_exceptions=True)
    (stats,) = stream.stats
    assert (stats.cancelled, stats.running, stats.waiting, stats.in_) == (3, 0, 0, 3)
    assert now() == 5


async def test_no_attempt_begins_while_the_consumer_is_away() -> None:
    """T6, L4: an attempt whose pause is over waits until the stream is read again."""
    work = Flaky(1)
    stream = single_task(concurrency_limit=2, **RETRIES)(work.call)([0, 1, 2])
    async for item in stream:
        assert item == 0
        break
    await asyncio.sleep(50)
    assert [item for _, item in work.begun] == [0, 1, 2]
    assert [item async for item in stream] == [1, 2]
    assert work.begun[3:] == [(51, 1)]


async def test_a_side_stream_of_its_own_is_no_reason() -> None:
    """T6: a side input that is a value leaves the calls independent of each other."""
    work = Flaky(0, 1)

    @single_task(concurrency_limit=2, **RETRIES)
    async def call(item: int, side: int) -> int:
        return await work.call(item)

    await call.with_inputs(AsyncStream([1]))(range(4)).collect()
    assert work.begun == [(0, 0), (0, 1), (1, 2), (1, 3), (11, 0), (11, 1)]
