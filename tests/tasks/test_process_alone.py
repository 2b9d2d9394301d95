"""What does `process` of a task give where it is awaited alone?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

import pytest

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    PipelineContext,
    SingleTask,
    batch_task,
    single_task,
)
from conveyor_rx.context import ContextManager
from conveyor_rx.testing import timed_task
from tests.kit import Boom, Endless, drain
from tests.tasks.own import PairsByCoroutine, numbers, slow


def fan_out(x: int) -> list[int]:
    return [x] * x


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (SingleTask(lambda x: x * 2), [0, 2, 4, 6, 8]),
        (SingleTask(timed_task(lambda x: 9 - x)), [0, 1, 2, 3, 4]),
        (SingleTask(fan_out), [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]),
        (BatchTask(sum, max_size=2), [1, 5, 4]),
        (BatchTask(list, max_size=3), [0, 1, 2, 3, 4]),
        (PairsByCoroutine(), [1, 3, 5, 7]),
    ],
    ids=["def", "async", "list", "batch", "list batch", "own"],
)
async def test_process_of_any_task(task: Any, expected: list[int]) -> None:
    """Section 2: `await task.process(async_iterable)` runs one stage alone."""
    outputs = await task.process(numbers())
    assert [item async for item in outputs] == expected


async def test_process_takes_side_inputs_along() -> None:
    """Section 2: with its side inputs bound; without them it is a TypeError."""
    task = single_task(lambda x, other: x + other)
    outputs = await task.with_inputs(10).process(numbers(2))
    assert [item async for item in outputs] == [10, 11]
    with pytest.raises(TypeError, match="lacks side inputs: 'other'"):
        await task.process(numbers())


async def test_process_pulls_nothing_before_it_is_read() -> None:
    """F1/F2: what `process` gives is a stream: cold, paced, closed by `aclose`."""
    endless = Endless()
    outputs: Any = await slow().with_context().stages[0].process(AsyncStream(endless))
    await asyncio.sleep(1)
    assert endless.pulled == 0
    assert await anext(outputs) == 0
    await outputs.aclose()
    assert endless.closed == 1


async def test_process_runs_in_the_current_context() -> None:
    """Section 2: it heeds the context that is current where it is awaited."""
    task = single_task(timed_task("--3--2---1"))
    with ContextManager(PipelineContext(execution_mode="as_completed")):
        outputs = await task.process(AsyncStream([1, 2, 3]))
    assert [item async for item in outputs] == [3, 2, 1]


async def test_process_of_an_inner_task_within_an_own_one() -> None:
    """Issue 2.4: an own task may send its items through `process` of others, and closes them."""
    work = timed_task(lambda x: 1 if x < 2 else 1000)

    class Wrapped(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            async for item in await single_task(work).process(items):
                yield item + 100

    endless = Endless()
    stream = Wrapped().with_context(max_in_flight=4)(endless)
    assert [await anext(stream), await anext(stream)] == [100, 101]
    await stream.aclose()
    await asyncio.sleep(0)
    assert work.running == 0
    assert endless.closed == 1


async def test_failing_process() -> None:
    """E2: the original exception."""

    def bad(x: int) -> int:
        if x == 2:
            raise Boom
        return x

    got: list[int] = []
    with pytest.raises(Boom):
        await drain(await single_task(bad).process(numbers()), got)
    assert got == [0, 1]


async def test_batch_task_options_of_the_decorator_hold() -> None:
    """B1: `process` of a batch task drops a rest below `min_size`."""
    task: Callable[..., Any] = batch_task(min_size=2, max_size=2)(sum)
    outputs = await task.process(numbers(5))
    assert [item async for item in outputs] == [1, 5]
