"""What is left when a consumer is cancelled? L2, L5 and L7 of the contract."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import RetryConfig, SingleTask
from conveyor_rx.testing import source
from tests.kit import in_both_modes, now, others
from tests.lifetime.watched import WAYS, Watch, consume, slow

in_all_ways = pytest.mark.parametrize("way", WAYS)


async def tenfold(item: int) -> int:
    return item * 10


@in_all_ways
@in_both_modes
async def test_a_consumer_that_is_cancelled_leaves_nothing(way: str, mode: Any) -> None:
    """L2, L7: the CancelledError comes out when every call has been cancelled and has ended."""
    watch = Watch()
    pipeline = slow(watch, 1) | slow(watch, 50, cleanup=3) | slow(watch)
    stream = pipeline.with_execution_mode(mode)(range(4))
    ends: list[Any] = []

    async def reading() -> None:
        try:
            await consume(stream, way, [])
        except asyncio.CancelledError:
            ends.append((now(), watch.open, len(others())))
            raise

    task = asyncio.create_task(reading())
    await asyncio.sleep(10)
    assert watch.open == 4
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert ends == [(13, 0, 1)]  # the one that is left is this test
    assert watch.cancelled == watch.cleaned == 4
    started = watch.started
    await asyncio.sleep(100)
    assert watch.started == started
    assert await anext(stream, None) is None


@in_all_ways
async def test_a_consumer_that_is_cancelled_twice(way: str) -> None:
    """L2, L7: an impatient second cancel (and third) neither cuts the cleanup short nor leaks."""
    watch = Watch()
    stream = slow(watch, 50, cleanup=5)(range(3))
    task = asyncio.create_task(consume(stream, way, []))
    await asyncio.sleep(10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(1)
    assert not task.done()
    assert watch.open == 3
    await asyncio.wait({task})
    assert now() == 15
    assert task.cancelled()
    assert watch.cleaned == watch.cancelled == 3
    assert not others()


@in_all_ways
async def test_a_timeout_around_a_consumer(way: str) -> None:
    """L7, L2: asyncio.timeout gives TimeoutError after the cleanup; the task is unharmed."""
    watch = Watch()
    stream = (slow(watch) | slow(watch, 50, cleanup=2))(range(3))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await consume(stream, way, [])
    assert now() == 12
    assert not others()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_wait_for_around_anext_closes_the_run() -> None:
    """L2: a cancelled `__anext__` is a cancelled consumer."""
    watch = Watch()
    stream = slow(watch, 5, cleanup=1)(range(3))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 2)
    assert now() == 3
    assert watch.open == 0
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_task_group_cancels_its_consumers() -> None:
    """L2, L7: when one member fails, the group's end finds every run ended."""
    watch = Watch()

    async def fail() -> None:
        await asyncio.sleep(2)
        raise ValueError("boom")

    async def read_together() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(slow(watch, 50)([1]).collect())
            group.create_task(consume(slow(watch, 50)([1, 2]), "async for", []))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as info:
        await read_together()
    assert [type(error) for error in info.value.exceptions] == [ValueError]
    assert watch.open == 0
    assert watch.cleaned == 3
    assert now() == 2.25


async def test_cancelled_between_two_items() -> None:
    """L2, L4: in the loop's body the stream can't wait for its calls; dropped, it closes."""
    watch = Watch()

    async def reading() -> None:
        async for _ in slow(watch, 1)(range(50)):
            await asyncio.sleep(100)

    task = asyncio.create_task(reading())
    await asyncio.sleep(0.5)
    assert watch.open == 50
    await asyncio.sleep(10)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert not others()

    async def reading_with() -> None:
        async with slow(watch, 1, cleanup=4)(range(5)) as stream:
            async for _ in stream:
                await stream_of_others.collect()

    stream_of_others = slow(watch, 99, cleanup=1)(range(2))
    task = asyncio.create_task(reading_with())
    await asyncio.sleep(10)
    task.cancel()
    await asyncio.wait({task})
    assert watch.open == 0
    assert not others()


async def test_cancelled_before_the_first_step() -> None:
    """L2, F1: a consumer that never began has opened nothing."""
    watch = Watch()
    stream = slow(watch)(range(3))
    task = asyncio.create_task(stream.collect())
    task.cancel()
    await asyncio.wait({task})
    assert watch.started == 0
    assert await stream.collect() == [0, 1, 2]


@in_both_modes
async def test_the_task_that_pulls_is_cancelled_before_its_first_step(mode: Any) -> None:
    """L1, L7: by who ends all tasks of the loop, say; the consumer does not wait for ever."""
    stream = SingleTask(tenfold).with_execution_mode(mode)(source("012|"))
    consumer = asyncio.create_task(stream.collect())
    while not (pulling := others() - {consumer}):
        assert not consumer.done()
        await asyncio.sleep(0)
    (task,) = pulling
    assert inspect.getcoroutinestate(task.get_coro()) == "CORO_CREATED"  # type: ignore[arg-type]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert not others()


@in_both_modes
async def test_a_call_that_is_cancelled_before_its_first_step(mode: Any) -> None:
    """L1, E8: by who ends all tasks of the loop, say; that call has failed, and with it the run."""

    async def generate(item: int) -> AsyncIterator[int]:
        yield item

    stream = SingleTask(
        generate, retry_config=RetryConfig(1, total_timeout=60)
    ).with_execution_mode(mode)([0, 1])
    consumer = asyncio.create_task(stream.collect())
    while not (calls := others() - {consumer}):
        assert not consumer.done()
        await asyncio.sleep(0)
    for call in calls:
        assert inspect.getcoroutinestate(call.get_coro()) == "CORO_CREATED"  # type: ignore[arg-type]
        call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert (stream.stats[0].failed, stream.stats[0].cancelled) == (1, 1)
    assert not others()


@in_both_modes
async def test_the_task_that_pulls_is_cancelled(mode: Any) -> None:
    """L7: from outside: the run fails with that, and the task ends as a cancelled one."""
    pulling: list[asyncio.Task[Any]] = []

    async def pull() -> AsyncIterator[int]:
        pulling.append(asyncio.current_task())  # type: ignore[arg-type]
        yield 1
        await asyncio.sleep(50)

    stream = SingleTask(tenfold).with_execution_mode(mode)(pull())
    assert await anext(stream) == 10
    await asyncio.sleep(1)
    pulling[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await anext(stream)
    assert pulling[0].cancelled()
    assert not others()


async def test_cancelled_while_it_waits_for_the_calls_behind_a_failure() -> None:
    """L7, E1: cancellation wins over the failure that would have been raised, and awaits."""
    watch = Watch()

    async def fail(item: int) -> int:
        if item == 0:
            await asyncio.sleep(1)
            raise ValueError("boom")
        with watch.work():
            await watch.sleep(50, cleanup=10)
        return item

    task = asyncio.create_task(SingleTask(fail)(range(3)).collect())
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert now() == 11
    assert watch.cleaned == 2
