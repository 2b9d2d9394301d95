"""What if a cancelled call does not go quietly? L2 and L5 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import BatchTask, ErrorHandler, RetryConfig, SingleTask, single_task
from tests.kit import in_both_modes, now, others
from tests.lifetime.watched import Watch, slow


@in_both_modes
async def test_a_call_that_suppresses_cancellation_for_a_while(mode: Any) -> None:
    """L2: it is waited for; what it returns is delivered to nobody."""
    log: list[Any] = []

    async def stubborn(item: int) -> int:
        for _ in range(3):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                log.append(("cancelled", now()))
        log.append(("done", now()))
        return item

    seen: list[int] = []

    @single_task
    async def after(item: int) -> int:
        seen.append(item)
        return item

    stream = (SingleTask(stubborn) | after).with_execution_mode(mode)([0])
    task = asyncio.create_task(stream.collect())
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert log == [("cancelled", 5), ("done", 25)]  # cancelled once, at 5 s
    assert now() == 25
    assert seen == []
    assert (stream.stats[0].cancelled, stream.stats[1].in_) == (1, 0)


@in_both_modes
async def test_a_call_behind_a_failure_that_suppresses_its_cancellation(mode: Any) -> None:
    """E1, E9: no call is made with what it returns, and its item counts as cancelled."""

    async def work(item: int) -> int:
        try:
            await asyncio.sleep(item // 2)
        except asyncio.CancelledError:
            return item
        if item == 2:
            raise ValueError("boom")
        return item

    seen: list[int] = []
    stages = SingleTask(work) | SingleTask[int, None](seen.append)
    stream = stages.with_execution_mode(mode)([0, 1, 2, 9])
    with pytest.raises(ValueError, match="boom"):
        await stream.collect()
    assert seen == [0, 1]
    first, second = stream.stats
    assert (first.completed, first.failed, first.cancelled, first.out) == (2, 1, 1, 2)
    assert second.in_ == 2


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, StopAsyncIteration])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch", "handler"])
async def test_a_call_that_fails_in_its_cleanup(error: type[BaseException], kind: str) -> None:
    """L2, E9: the close is a close, and when all has ended, raises what failed meanwhile."""

    async def work(item: Any) -> Any:
        try:
            await asyncio.sleep(50)
        finally:
            await asyncio.sleep(1)
            raise error("cleanup")

    async def generate(item: Any) -> AsyncIterator[Any]:
        yield await work(item)

    async def fail(item: Any) -> Any:
        raise ValueError("boom")

    class Handler(ErrorHandler):
        async def handle_error(self, *args: Any) -> Any:
            return await work(0)

    tasks: dict[str, Any] = {
        "async": SingleTask(work),
        "async generator": SingleTask(generate),
        "batch": BatchTask(work, 2, 2),
        "handler": SingleTask(fail, error_handler=Handler()),
    }
    stream = tasks[kind](range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(2)
    if error is asyncio.CancelledError:
        await stream.aclose()
    else:
        with pytest.raises((error, ExceptionGroup, RuntimeError)) as info:
            await stream.aclose()
        failures = getattr(info.value, "exceptions", (info.value,))
        assert len(failures) == (1 if kind == "batch" else 2)
    assert now() == 3
    assert not others() - {reading}
    assert await reading == []


async def test_a_retrying_call_that_is_cancelled_is_not_retried() -> None:
    """L7: a cancellation from the engine is no failure: no retry, no handler, no skip."""
    calls: list[int] = []
    asked: list[Any] = []

    class Handler(ErrorHandler):
        async def handle_error(self, *args: Any) -> Any:
            asked.append(args)
            return True, None

    async def work(item: int) -> int:
        calls.append(item)
        await asyncio.sleep(50)
        return item

    task = SingleTask(
        work, retry_config=RetryConfig(5, 0.5), error_handler=Handler(), on_error="skip_item"
    )
    reading = asyncio.create_task(task(range(2)).collect())
    await asyncio.sleep(1)
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.sleep(100)
    assert (calls, asked) == ([0, 1], [])


async def test_a_cancelled_call_that_raises_something_else_is_no_failure() -> None:
    """L7, E1: `except CancelledError: raise ValueError` after a failure keeps to the failure."""
    boom = ValueError("boom")

    async def work(item: int) -> int:
        try:
            await asyncio.sleep(1 if item == 1 else 50)
        except asyncio.CancelledError:
            raise KeyError("translated") from None
        if item == 1:
            raise boom
        return item

    with pytest.raises(ValueError, match="boom") as info:
        await SingleTask(work).as_completed(range(4)).collect()
    assert info.value is boom
    assert not others()


@pytest.mark.parametrize("kind", ["async generator", "source"])
async def test_a_generator_that_yields_in_its_finally(kind: str) -> None:
    """L2, L5: it can't be closed as it should; the close still ends and leaves nothing."""

    async def generate(item: Any = 0) -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(1)
        finally:
            yield 2

    source = slow(Watch())(generate())
    stream = source if kind == "source" else SingleTask(generate)([0])
    assert await anext(stream) == 1
    await asyncio.sleep(5)
    try:
        await stream.aclose()
    except RuntimeError as error:
        assert "GeneratorExit" in str(error)  # noqa: PT017  # either is fine
    assert not others()


async def test_a_call_in_a_thread_is_waited_for_no_longer_than_asyncio_does() -> None:
    """L2: `to_thread` can't be cancelled, its awaiting call can: nothing of ours is left."""
    done: list[int] = []

    async def work(item: int) -> int:
        return await asyncio.to_thread(done.append, item) or item

    stream = SingleTask(work)(range(3))
    assert await anext(stream) == 0
    await stream.aclose()
    assert not others()


async def test_a_call_that_cancels_itself() -> None:
    """L7, E8: `current_task().cancel()` in a call ends that call; the run does not hang."""

    async def work(item: int) -> int:
        if item == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(1)
        return item

    with pytest.raises(asyncio.CancelledError):
        await SingleTask(work)(range(3)).collect()
    assert not others()


async def test_a_subtask_of_a_call_is_the_calls_own() -> None:
    """L2: a TaskGroup inside of a call is cancelled through it, and has ended with the close."""
    watch = Watch()

    async def work(item: int) -> int:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(part())
        return item

    async def part() -> None:
        with watch.work():
            await watch.sleep(50, cleanup=2)

    stream = SingleTask(work)(range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    await stream.aclose()
    assert (now(), watch.open, watch.cleaned) == (3, 0, 6)
    await reading
