"""What becomes of a task or future that a plain function returns? It is the call's, and ends so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conveyor_rx import AsyncStream, BatchTask, SingleTask
from tests.kit import in_both_modes
from tests.lifetime.test_closing import Reports, others

started: list[Any] = []
ended: list[Any] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    started.clear()
    ended.clear()


async def work(item: Any) -> Any:
    started.append(item)
    try:
        await asyncio.sleep(50)
        return item
    finally:
        await asyncio.sleep(2)
        ended.append(item)


def task(item: Any) -> Any:
    return asyncio.create_task(work(item))


def gathered(item: Any) -> Any:
    return asyncio.gather(work(item), work(item))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {"task": task, "gather": gathered}
of_each_kind = pytest.mark.parametrize("kind", FUNCTIONS)
of_singles_and_batches = pytest.mark.parametrize("size", [1, 2])


def stream_of(function: Callable[[Any], Any], size: int, mode: Any, count: int) -> AsyncStream[Any]:
    stage: Any = SingleTask(function)
    if size > 1:
        stage = BatchTask(function, size, size, concurrency_limit=10)
    return stage.with_execution_mode(mode)(range(count))


@of_each_kind
@of_singles_and_batches
@in_both_modes
@pytest.mark.parametrize("after", [0.0, 1.0])
@pytest.mark.parametrize("way", ["aclose", "cancel"])
async def test_closing_cancels_and_awaits_them(
    way: str, after: float, mode: Any, size: int, kind: str
) -> None:
    """L2, L5: also those that no call has begun to await."""
    stream = stream_of(FUNCTIONS[kind], size, mode, 6)
    reading = asyncio.create_task(stream.collect())
    if after:
        await asyncio.sleep(after)
    else:
        for _ in range(3):
            await asyncio.sleep(0)
    if way == "aclose":
        await stream.aclose()
    else:
        reading.cancel()
    await asyncio.wait({reading})
    assert len(started) == len(ended)
    assert bool(started) or not after
    assert not others()


@of_each_kind
@of_singles_and_batches
@in_both_modes
async def test_a_failure_cancels_and_awaits_those_behind_it(
    mode: Any, size: int, kind: str
) -> None:
    """E1, L2: all have ended when the error is raised."""

    def function(item: Any) -> Any:
        first = item[0] if size > 1 else item
        if first == 4:
            raise ValueError("boom")
        return FUNCTIONS[kind](item)

    async def fail_later(item: Any) -> Any:
        await asyncio.sleep(1)
        raise ValueError("boom")

    def failing_first(item: Any) -> Any:
        first = item[0] if size > 1 else item
        return fail_later(item) if first == 0 else FUNCTIONS[kind](item)

    for chosen in (function, failing_first):
        stream = stream_of(chosen, size, mode, 8)
        if chosen is function and mode == "ordered":  # what stands before it is delivered first
            continue
        with pytest.raises(ValueError, match="boom"):
            await stream.collect()
        assert len(started) == len(ended)
        assert not others()


async def test_one_that_is_returned_in_a_pause_is_cancelled_and_awaited() -> None:
    """L2, L4: the call that would await it waits for the next request."""

    def function(item: int) -> Any:
        if item == 0:
            return item
        return asyncio.create_task(work(item))

    async with SingleTask(function)(range(4)) as stream:
        async for _ in stream:
            break
    assert len(started) == len(ended)
    assert not others()


async def test_one_whose_call_closes_its_run_is_cancelled_and_awaited() -> None:
    """L3: a function that disposes of its own run gives a task to nobody."""
    disposables: list[Any] = []

    def function(item: int) -> Any:
        disposables[0].dispose()
        return asyncio.create_task(work(item))

    disposables.append(SingleTask(function)([0]).subscribe())
    await asyncio.sleep(5)
    assert len(started) == len(ended)
    assert not others()


async def test_one_whose_waiting_task_is_cancelled_before_it_begins() -> None:
    """L5, L7: whoever cancels that, cancels what it was to await."""
    before = asyncio.all_tasks()
    given: list[asyncio.Task[Any]] = []

    def function(item: int) -> Any:
        given.append(asyncio.create_task(work(item)))
        return given[-1]

    reading = asyncio.create_task(SingleTask(function)([0]).collect())
    for _ in range(20):
        if not given:
            await asyncio.sleep(0)
    for waiting in asyncio.all_tasks() - before - {reading, *given}:
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert given[0].cancelled()
    assert not others()


async def test_queued_work_of_an_executor_is_not_begun() -> None:
    """L2: what runs in a thread can't be stopped; what waits for one is."""
    release = threading.Event()
    begun: list[int] = []

    def block(item: int) -> int:
        begun.append(item)
        release.wait()
        return item

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as pool:
        stream = SingleTask(lambda item: loop.run_in_executor(pool, block, item))(range(5))
        reading = asyncio.create_task(stream.collect())
        for _ in range(3):
            await asyncio.sleep(0)
        await stream.aclose()
        await reading
        release.set()
    assert begun in ([], [0])


async def test_one_that_fails_as_it_is_cancelled_is_heard_of() -> None:
    """E9: as with any call, also if no call has begun to await it."""

    async def fail() -> None:
        try:
            await asyncio.sleep(50)
        finally:
            raise KeyError

    disposables: list[Any] = []

    def function(item: int) -> Any:
        given = asyncio.create_task(fail())
        asyncio.get_running_loop().call_soon(disposables[0].dispose)
        return given

    with Reports() as reports:
        disposables.append(SingleTask(function)([0]).subscribe())
        await asyncio.sleep(5)
    assert [type(context["exception"]) for context in reports.contexts] in ([], [KeyError])
