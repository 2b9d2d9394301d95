"""Which clean-up is done, how often, and to its end? L2 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, SingleTask, batch_task
from conveyor_rx.testing import timed_task
from tests.kit import in_both_modes, now, others
from tests.lifetime.pipelines import Numbers, Work, identity, is_over

# -- L2, L3: aclose


async def test_async_with_closes() -> None:
    """L2: at the end of the block, by whatever way it is left."""
    for leave in ("end", "raise", "return"):
        work, data = Work(1, cleanup=1), Numbers(0.5)

        async def block(leave: str = leave, work: Work = work, data: Numbers = data) -> None:
            async with SingleTask(work)(data) as stream:
                assert isinstance(stream, AsyncStream)
                async for item in stream:
                    if item == 3:
                        if leave == "raise":
                            raise KeyError(item)
                        if leave == "return":
                            return
                        break

        if leave == "raise":
            with pytest.raises(KeyError):
                await block()
        else:
            await block()
        assert data.closed == 1
        assert sorted(work.ended) == sorted(work.started)
        assert not others()


@in_both_modes
async def test_an_iterator_of_the_stream_can_be_closed(mode: Any) -> None:
    """L2: that closes the stream, if it was read by this iterator."""
    work = Work(1, cleanup=1)
    stream = SingleTask(work).with_execution_mode(mode)(range(9))
    unread: Any = aiter(stream)
    await unread.aclose()
    reading: Any = aiter(stream)
    assert await anext(reading) == 0
    await reading.aclose()
    assert sorted(work.ended) == sorted(work.started) == [*range(9)]
    assert await is_over(stream)


async def test_async_with_around_a_stream_that_is_never_read() -> None:
    """L2, F1: nothing to close, nothing begun."""
    data = Numbers()
    async with SingleTask(identity)(data):
        pass
    assert data.opened == 0


@in_both_modes
async def test_cleanup_runs_once_and_to_its_end(mode: Any) -> None:
    """L2: finally blocks with awaits, of calls, generators and source, in full and just once."""
    log: list[str] = []

    async def cleaning(name: str) -> None:
        log.append(f"{name} begins")
        await asyncio.sleep(1)
        log.append(f"{name} ends")

    async def pull() -> AsyncIterator[int]:
        try:
            for n in range(100):
                yield n
                await asyncio.sleep(0.5)
        finally:
            await cleaning("source")

    async def generate(item: int) -> AsyncIterator[int]:
        try:
            while True:
                yield item
                await asyncio.sleep(0.5)
        finally:
            await cleaning("generator")

    async def call(item: int) -> int:
        try:
            await asyncio.sleep(100)
        finally:
            await cleaning("call")
        return item

    pipeline = SingleTask(generate, concurrency_limit=1) | SingleTask(call, concurrency_limit=1)
    stream = pipeline.with_execution_mode(mode)(pull())
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(3)
    await stream.aclose()
    assert await reading == []
    assert sorted(log) == sorted(
        f"{name} {verb}" for name in ("source", "generator", "call") for verb in ("begins", "ends")
    )
    assert now() == 4


async def test_a_sync_generator_as_source_is_closed_once() -> None:
    """L2: its finally runs when the run ends, not when it is collected; so do generator calls'."""
    log: list[str] = []

    def pull() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            log.append("source")

    def generate(item: int) -> Iterator[int]:
        try:
            while True:
                yield item
        finally:
            log.append("generator")

    numbers = pull()
    task = SingleTask(generate, concurrency_limit=1).with_context(max_in_flight=4)
    stream = task(numbers)
    assert await anext(stream) == 0
    await stream.aclose()
    assert log.count("source") == 1
    assert log.count("generator") == 1
    assert next(numbers, None) is None


# -- without a loop


async def test_timed_calls_of_a_closed_run_are_all_accounted_for() -> None:
    """L2, E9: after aclose nothing runs or waits, in any stage's counters."""
    first, second = timed_task([1.0] * 50), timed_task([3.0] * 50)
    pipeline = SingleTask(first, concurrency_limit=4) | batch_task(max_size=3)(list)
    stream = (pipeline | SingleTask(second, concurrency_limit=2))(range(50))
    assert await anext(stream) == 0
    await stream.aclose()
    for stats in stream.stats:
        ended = stats.completed + stats.failed + stats.skipped + stats.dropped + stats.cancelled
        assert (stats.running, stats.waiting) == (0, 0)
        assert stats.in_ == ended
    assert {call.outcome for call in [*first.calls, *second.calls]} <= {"done", "cancelled"}


@in_both_modes
async def test_coroutines_of_plain_functions_that_a_close_overtakes(mode: str) -> None:
    """L5: what a plain function gave, and nobody comes to await, is no "never awaited" warning."""

    async def call(item: int) -> int:
        return item

    task = SingleTask[int, int](lambda item: call(item), concurrency_limit=3)
    async with task.with_execution_mode(mode)(range(100)) as stream:
        assert await anext(stream) == 0
