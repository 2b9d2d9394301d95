"""What if a call waits for the task that waits for it? L2 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from conveyor_rx import AsyncStream, SingleTask
from conveyor_rx._engine.closing.ending import GRACE
from tests.kit import in_both_modes, now, others
from tests.lifetime.closing_ways import pipelines

Consumer = asyncio.Task[Any]
Way = Callable[[Consumer], Awaitable[Any]]


# -- how a call waits for a task


async def straight(task: Consumer) -> None:
    with suppress(asyncio.CancelledError):
        await task


async def for_a_time(task: Consumer) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 1000)


async def within_a_timeout(task: Consumer) -> None:
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(1000):
            await task


async def gathered(task: Consumer) -> None:
    await asyncio.gather(task, asyncio.sleep(0.5), return_exceptions=True)


async def shielded(task: Consumer) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.shield(task)


async def waited_for(task: Consumer) -> None:
    await asyncio.wait([task])


async def in_a_group(task: Consumer) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(straight(task))
        group.create_task(asyncio.sleep(0.5))


async def in_a_group_of_anyio(task: Consumer) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(straight, task)
        group.start_soon(anyio.sleep, 0.5)


async def in_a_scope_of_anyio(task: Consumer) -> None:
    with anyio.move_on_after(1000):
        await straight(task)


async def in_another_task(task: Consumer) -> None:
    await asyncio.create_task(straight(task))


async def in_another_run(task: Consumer) -> None:
    async def call(item: int) -> None:
        await straight(task)

    await SingleTask(call)([0]).collect()


async def in_a_generator(task: Consumer) -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 0
        await straight(task)

    async for _ in numbers():
        pass


WAYS: list[Way] = [
    straight,
    for_a_time,
    within_a_timeout,
    gathered,
    shielded,
    waited_for,
    in_a_group,
    in_a_group_of_anyio,
    in_a_scope_of_anyio,
    in_another_task,
    in_another_run,
    in_a_generator,
]


async def nothing(item: Any) -> None: ...


async def collect(stream: AsyncStream[Any]) -> None:
    await stream.collect()


async def iterate(stream: AsyncStream[Any]) -> None:
    async for _ in stream:
        pass


async def enter(stream: AsyncStream[Any]) -> None:
    async with stream:
        await anext(stream)


LETS_NO_TIME_PASS = "its scope cancels again and again, while virtual time stands still"
READERS = [collect, iterate, enter]


@pytest.mark.parametrize("read", READERS[:2])
@pytest.mark.parametrize("place", pipelines(nothing))
@pytest.mark.parametrize("way", WAYS)
async def test_a_call_cancels_its_consumer_and_waits_for_it(
    way: Way, place: str, read: Callable[[AsyncStream[Any]], Awaitable[None]]
) -> None:
    """L2: the consumer does not wait for that call, from wherever in the run it is made."""
    if way is in_a_group_of_anyio:
        pytest.skip(LETS_NO_TIME_PASS)
    waited: list[Any] = []

    async def act(item: Any) -> None:
        if item in (2, [2]) and not waited:
            waited.append(item)
            consumer.cancel()
            await way(consumer)

    consumer = asyncio.ensure_future(read(pipelines(act)[place]()))
    await asyncio.wait({consumer})
    assert consumer.cancelled()
    assert waited
    assert now() < GRACE
    await asyncio.sleep(10)
    assert not others()


CLEANING = [way for way in WAYS if way is not in_another_run]  # whose results are not the end


@pytest.mark.parametrize("delay", [0, 0.01, 1, 5])
@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("way", CLEANING)
@in_both_modes
async def test_a_clean_up_waits_for_the_consumer(
    mode: Any, way: Way, read: Callable[[AsyncStream[Any]], Awaitable[None]], delay: float
) -> None:
    """L2: also when a call that was cancelled comes to wait for it some time later."""
    if way is in_a_group_of_anyio and delay >= 1:
        pytest.skip(LETS_NO_TIME_PASS)
    ended: list[float] = []

    async def call(item: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(delay)
            await way(consumer)
            ended.append(now())

    stream = SingleTask(call).with_execution_mode(mode)(range(3))
    consumer = asyncio.ensure_future(read(stream))
    await asyncio.sleep(1)
    consumer.cancel()
    await asyncio.wait({consumer})
    assert consumer.cancelled()
    assert now() <= 1 + 2 * max(delay, 0.05) + 0.1
    await asyncio.sleep(1000)
    assert len(ended) == 3
    assert not others()


async def test_a_call_ends_by_itself_after_the_consumer_it_waits_for() -> None:
    """L2: the others are awaited; who closes from outside waits for that call as well."""
    ends: dict[Any, float] = {}

    async def call(item: int) -> None:
        if item == 0:
            await asyncio.sleep(1)
            consumer.cancel()
            await straight(consumer)
            await asyncio.sleep(5)
        else:
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(2)
        ends[item] = now()

    async def close() -> None:
        await asyncio.sleep(2)
        await stream.aclose()
        ends["aclose"] = now()

    stream = SingleTask(call)(range(3))
    consumer = asyncio.ensure_future(stream.collect())
    closing = asyncio.ensure_future(close())
    await asyncio.wait({consumer})
    ends["consumer"] = now()
    await closing
    assert ends == {"consumer": 3, 0: 8, "aclose": 8}
    assert not others()


@pytest.mark.parametrize("nested", [False, True])
async def test_a_call_that_closes_its_run_waits_for_one_that_waits_for_the_consumer(
    nested: bool,
) -> None:
    """L2: also in a run that is a part of the one that the consumer reads."""

    async def call(item: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            if item:
                await straight(consumer)
            else:
                await stream.aclose()

    stage = SingleTask(call)
    stream = stage(range(2))
    if nested:
        stream = SingleTask[int, int](lambda n: n)(range(2)).flat_map(lambda n: stage([n]))
    consumer = asyncio.ensure_future(collect(stream))
    await asyncio.sleep(1)
    consumer.cancel()
    await asyncio.wait({consumer})
    assert now() < GRACE
    await asyncio.sleep(1)
    assert not others()


async def test_a_wait_that_nobody_can_see_is_reported() -> None:
    """L2: by way of an event, for example: after 30 s both tasks are named."""
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))

    async def call(item: int) -> None:
        over = asyncio.Event()
        consumer.add_done_callback(lambda _: over.set())
        try:
            await asyncio.sleep(1000)
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 100)

    consumer = asyncio.create_task(SingleTask(call)([0]).collect(), name="the consumer")
    await asyncio.sleep(1)
    consumer.cancel()
    await asyncio.wait({consumer})
    asyncio.get_running_loop().set_exception_handler(None)
    assert now() == 101
    (report,) = reports
    assert "task 'call'" in report["message"]
    assert "'the consumer'" in report["message"]
