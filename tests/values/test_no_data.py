"""What if a pipeline is called without data? V3 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import SingleTask, batch_task, single_task
from tests.kit import in_both_modes
from tests.values.giving import pause_for


@in_both_modes
@pytest.mark.parametrize(
    "kind", ["async", "def", "generator", "async generator", "list", "batch", "batch generator"]
)
async def test_no_data_calls_the_first_task_without_an_item(kind: str, mode: str) -> None:
    """V3: without data the first task is called once, with no argument."""
    calls: list[str] = []

    async def call() -> int:
        calls.append(kind)
        return 1

    def call_now() -> int:
        calls.append(kind)
        return 1

    def generate() -> Iterator[int]:
        calls.append(kind)
        yield 1

    async def generate_async() -> AsyncIterator[int]:
        calls.append(kind)
        yield 1

    stages: dict[str, Any] = {
        "async": single_task(call),
        "def": single_task(call_now),
        "generator": single_task(generate),
        "async generator": single_task(generate_async),
        "list": single_task(lambda: [call_now()]),
        "batch": batch_task(max_size=3)(call),
        "batch generator": batch_task(max_size=3)(generate),
    }
    stage = stages[kind].with_execution_mode(mode)
    plus = SingleTask[int, int](lambda n: n + 1)
    assert await stage().collect() == [1]
    assert await (stage | plus)().collect() == [2]
    assert len(calls) == 2


async def test_no_data_calls_a_batch_task_of_any_size() -> None:
    """V3: one call without an item is not a rest below `min_size`."""
    task = batch_task(min_size=2, max_size=3)(lambda: [1, 2, 3])
    assert await task().collect() == [1, 2, 3]


async def test_no_data_by_all_ways_to_start() -> None:
    """V3: `as_completed()` without data is the same call."""
    naturals = SingleTask[Any, int](lambda: [3, 1, 2])
    pause = SingleTask(asyncio.sleep)
    assert await naturals.as_completed().collect() == [3, 1, 2]
    timed = SingleTask[int, int](lambda n: pause_for(n))
    assert await (naturals | timed).as_completed().collect() == [1, 2, 3]
    assert await (naturals | pause).as_completed().collect() == []
