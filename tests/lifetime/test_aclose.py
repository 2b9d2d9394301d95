"""What has ended when `aclose` is back? L2 and L3 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

from conveyor_rx import SingleTask
from tests.kit import in_both_modes, now, others
from tests.lifetime.pipelines import Numbers, Work, identity, is_over, of_each_stage, stages


@of_each_stage
@in_both_modes
async def test_close_awaits_every_call(kind: str, mode: Any) -> None:
    """L2: when aclose gives control back, the cleanup of all calls and of the source is done."""
    first, second = Work(1, cleanup=2), Work(5, cleanup=3)
    data = Numbers(0.5, cleanup=4)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(second)
    stream = pipeline.with_execution_mode(mode)(data)
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(30)
    running = len(first.started) - len(first.ended), len(second.started) - len(second.ended)
    assert min(running) > 0
    await stream.aclose()
    assert now() == 34  # the longest cleanup
    assert sorted(first.started) == sorted(first.ended)
    assert sorted(second.started) == sorted(second.ended)
    assert data.closed == 1
    assert others() <= {reading}
    await reading
    started = len(first.started)
    await asyncio.sleep(100)
    assert len(first.started) == started


async def test_close_is_idempotent() -> None:
    """L3: again, after the end, before the start."""
    work = Work()
    stream = SingleTask(work)(range(3))
    assert await anext(stream) == 0
    for _ in range(3):
        await stream.aclose()
    ended = SingleTask(work)(range(3))
    assert await ended.collect() == [0, 1, 2]
    await ended.aclose()
    await ended.aclose()
    assert await is_over(ended)


async def test_close_before_the_start() -> None:
    """L3, F1: nothing was begun, nothing is begun any more, not even the source's iterator."""
    work, data = Work(), Numbers()
    stream = SingleTask(work)(data)
    await stream.aclose()
    assert await is_over(stream)
    assert (data.opened, work.started) == (0, [])


async def test_close_before_the_start_closes_no_source_that_was_not_opened() -> None:
    """L3, L6: a generator that a closed stream never touched can still be read by another."""
    numbers = iter(n for n in range(3))
    first = SingleTask(identity)(numbers)
    await first.aclose()
    assert await SingleTask(identity)(numbers).collect() == [0, 1, 2]


@in_both_modes
async def test_close_from_another_task_while_a_consumer_waits(mode: Any) -> None:
    """L3: the consumer's `__anext__` ends the iteration when all calls have ended."""
    work = Work(50, cleanup=2)
    stream = SingleTask(work).with_execution_mode(mode)(range(3))
    ends: list[float] = []

    async def consume() -> list[int]:
        got = [item async for item in stream]
        ends.append(now())
        return got

    reading = asyncio.create_task(consume())
    await asyncio.sleep(1)
    await stream.aclose()
    assert sorted(work.ended) == [0, 1, 2]
    assert await reading == []
    assert ends == [3]
    assert not reading.cancelled()


async def test_two_closes_at_once() -> None:
    """L3: close during close waits as the first does."""
    work = Work(50, cleanup=2)
    stream = SingleTask(work)(range(3))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    ends: list[float] = []

    async def close(delay: float) -> None:
        await asyncio.sleep(delay)
        await stream.aclose()
        ends.append(now())

    await asyncio.gather(close(0), close(0), close(1), close(1.5))
    assert ends == [3, 3, 3, 3]
    assert await reading == []


async def test_a_close_that_is_cancelled_still_closes() -> None:
    """L3, L7: the cancelled closer gets its CancelledError when all calls have ended."""
    work = Work(50, cleanup=4)
    stream = SingleTask(work)(range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    closing = asyncio.create_task(stream.aclose())
    await asyncio.sleep(1)
    closing.cancel()
    await asyncio.wait({closing})
    assert closing.cancelled()
    assert now() == 5
    assert sorted(work.ended) == [0, 1]
    assert await reading == []
