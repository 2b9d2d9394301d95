"""Does a cancellation of somebody else's come back to who sent it? Scopes, timeouts and groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import pytest

from conveyor_rx import AsyncStream, BaseTask, BatchTask, SingleTask, Stage
from conveyor_rx.testing import VirtualLoop, run
from tests.kit import Boom

Reading = Callable[[AsyncStream[int]], Awaitable[object]]


async def work(item: int) -> int:
    try:
        await asyncio.sleep(1 + item % 3)
        return item
    finally:
        for _ in range(5):  # turns, not time: anyio cancels at each turn, and virtual time stands
            await asyncio.sleep(0)


async def work_through(batch: list[int]) -> list[int]:
    return [await work(item) for item in batch]


async def generate(item: int) -> AsyncIterator[int]:
    yield item
    yield await work(item)


class Own(BaseTask[int, int]):
    async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in items:
            yield await work(item)


async def numbers() -> AsyncIterator[int]:
    for n in range(4):
        yield await work(n)


STAGES: dict[str, Stage[int, int]] = {
    "single": SingleTask(work),
    "batch": BatchTask(work_through, 2, 2),
    "generator": SingleTask(generate),
    "own": Own(),
    "two": SingleTask(work) | SingleTask(work, concurrency_limit=1),
}


async def collect(stream: AsyncStream[int]) -> object:
    return await stream.collect()


async def read(stream: AsyncStream[int]) -> object:
    async with stream:
        return [item async for item in stream]


async def leave_early(stream: AsyncStream[int]) -> object:
    async with stream:
        async for _ in stream:
            break
    return None


async def close(stream: AsyncStream[int]) -> object:
    await anext(stream)
    await stream.aclose()
    return None


async def read_through_rx(stream: AsyncStream[int]) -> object:
    return await stream.filter(lambda n: n >= 0).collect()


READINGS: dict[str, Reading] = {
    "collect": collect,
    "async with": read,
    "break": leave_early,
    "aclose": close,
    "rx": read_through_rx,
}
of_each_kind = pytest.mark.parametrize("kind", STAGES)
in_each_way = pytest.mark.parametrize("way", READINGS)


async def within_a_scope(reading: Awaitable[object], cancel: asyncio.Event) -> bool:
    """Read in a scope of anyio that is cancelled from elsewhere."""
    with anyio.CancelScope() as scope:
        await _with(reading, cancel, scope.cancel)
    return scope.cancelled_caught


async def within_a_timeout(reading: Awaitable[object], cancel: asyncio.Event) -> bool:
    """Read in `asyncio.timeout`, which expires then."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:
            await _with(reading, cancel, lambda: limit.reschedule(loop.time()))
    except TimeoutError:
        return True
    return False


async def _with(
    reading: Awaitable[object], cancel: asyncio.Event, then: Callable[[], None]
) -> None:
    is_over = False

    async def act() -> None:
        await cancel.wait()
        if not is_over:
            then()

    acting = asyncio.create_task(act())
    try:
        await reading
    finally:
        is_over = True
        acting.cancel()


async def within_a_group(reading: Awaitable[object], cancel: asyncio.Event) -> bool:
    """Read in a TaskGroup in which another task fails."""

    async def fail() -> None:
        await cancel.wait()
        raise Boom

    try:
        async with asyncio.TaskGroup() as tasks:
            failing = tasks.create_task(fail())
            await reading
            failing.cancel()
    except ExceptionGroup as group:
        (error,) = group.exceptions
        assert isinstance(error, Boom)
        return True
    return False


async def within_a_group_of_anyio(reading: Awaitable[object], cancel: asyncio.Event) -> bool:
    """Read in a task group of anyio in which another task fails."""

    async def fail() -> None:
        await cancel.wait()
        raise Boom

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fail)
            await reading
            tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        (error,) = group.exceptions
        assert isinstance(error, Boom)
        return True
    return False


LIMITS = [within_a_scope, within_a_timeout, within_a_group, within_a_group_of_anyio]


@of_each_kind
@in_each_way
@pytest.mark.parametrize("limit", LIMITS)
def test_a_cancellation_at_each_step_comes_back_to_its_sender(
    limit: Callable[[Awaitable[object], asyncio.Event], Awaitable[bool]], way: str, kind: str
) -> None:
    """L7, L2: whatever is awaited at that moment, of the closing too; all has ended then."""
    caught = over_at = 0
    for step in range(1, 400, 5):
        cancel = asyncio.Event()
        steps = 0

        def count(loop: VirtualLoop, cancel: asyncio.Event = cancel, step: int = step) -> None:
            nonlocal steps
            steps += 1
            if steps == step:
                cancel.set()

        async def main(cancel: asyncio.Event = cancel) -> bool:
            return await limit(READINGS[way](STAGES[kind](numbers())), cancel)

        was_caught = run(main, on_step=count)
        caught += was_caught
        if steps < step:
            over_at = step
            break
    assert over_at, "the run is longer than the steps that were tried"
    assert caught > over_at / 5 / 2


async def test_a_scope_that_is_left_while_the_stream_closes() -> None:
    """L7: the first that the scope's cancellation meets is the wait for the calls."""
    with anyio.CancelScope() as scope:
        async with SingleTask(work)(range(9)) as stream:
            async for _ in stream:
                scope.cancel()
                break
    assert scope.cancelled_caught


async def test_the_exception_of_a_cancelled_close_is_the_one_that_was_thrown_in() -> None:
    """L7: with its message, by which anyio and others know their own."""
    stream = SingleTask(work)(range(9))
    await anext(stream)
    closing = asyncio.ensure_future(stream.aclose())
    await asyncio.sleep(0)
    closing.cancel("mine")
    await asyncio.sleep(0)
    closing.cancel("another's")
    with pytest.raises(asyncio.CancelledError, match="mine"):
        await closing


async def test_a_subscription_ends_with_the_cancellation_that_its_task_got() -> None:
    """L7, E2: the observer gets that exception, with its message."""
    errors: list[BaseException] = []
    before = asyncio.all_tasks()
    SingleTask(work)(range(9)).subscribe(on_error=errors.append)
    (keeper,) = asyncio.all_tasks() - before
    await asyncio.sleep(0.5)
    keeper.cancel("shutting down")
    await asyncio.wait({keeper})
    assert [error.args for error in errors] == [("shutting down",)]


@pytest.mark.parametrize("at", [0, 1])
async def test_a_task_that_is_cancelled_before_it_begins_fails_with_that(at: int) -> None:
    """L7: no task of a run loses the message, even one that never came to run."""
    before = asyncio.all_tasks()
    reading = asyncio.ensure_future(SingleTask(generate)(numbers() if at else range(3)).collect())
    found: set[asyncio.Task[object]] = set()
    while not found:
        await asyncio.sleep(0)
        found = asyncio.all_tasks() - before - {reading}
    for task in found:
        task.cancel("from outside")
    with pytest.raises(asyncio.CancelledError, match="from outside"):
        await reading
