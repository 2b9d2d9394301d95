"""How deep does the stack get? F8 of the contract."""

from __future__ import annotations

import itertools
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import BatchTask, Pipeline, SingleTask, batch_task
from tests.flow.work import function, of_each_kind, read, take
from tests.kit import Own, in_both_modes


def depth() -> int:
    """Return how many frames are on the stack."""
    frame = sys._getframe()
    count = 0
    while frame:
        count += 1
        frame = frame.f_back
    return count


SLACK = 50  # frames; what grew with items or stages would grow by hundreds


@in_both_modes
@pytest.mark.parametrize("window", [1, 1024])
@of_each_kind
async def test_the_stack_does_not_grow_with_the_items(kind: str, window: int, mode: str) -> None:
    """F8: item 5,000 is worked on as deep in the stack as the first ones."""
    depths: list[int] = []
    pipeline = Pipeline().add(
        SingleTask(function(kind, lambda item: depths.append(depth()) or item)),
        SingleTask(function(kind)),
        SingleTask(function(kind, lambda item: depths.append(depth()) or item)),
    )
    pipeline = pipeline.with_context(max_in_flight=window, execution_mode=mode)
    assert len(await pipeline(range(5000)).collect()) == 5000
    assert len(depths) == 10_000
    assert max(depths) <= max(depths[:50]) + SLACK


@in_both_modes
@pytest.mark.parametrize("how", ["async for", "subscribe"])
async def test_the_stack_does_not_grow_with_the_items_however_they_are_read(
    how: str, mode: str
) -> None:
    """F8: nor when they are pulled one by one, or pushed."""
    depths: list[int] = []
    task = SingleTask(function("def", lambda item: depths.append(depth()) or item))
    await read(task.with_execution_mode(mode)(range(5000)), how)
    assert len(depths) == 5000
    assert max(depths) <= max(depths[:50]) + SLACK


@pytest.mark.parametrize("fate", ["None", "skipped", "batched", "rx"])
async def test_the_stack_does_not_grow_with_the_items_that_vanish(fate: str) -> None:
    """F8: nor while thousands are dropped, skipped, collected or filtered in one go."""
    depths: list[int] = []

    def work(item: int) -> int | None:
        depths.append(depth())
        if fate == "skipped":
            raise ValueError
        return None if fate == "None" else item

    pipeline: Any = SingleTask(work, on_error="skip_item")
    if fate == "batched":
        pipeline = pipeline | batch_task(max_size=5000)(len)
    if fate == "rx":
        pipeline = pipeline | ops.filter(lambda item: False)
    assert await pipeline(range(5000)).collect() == ([5000] if fate == "batched" else [])
    assert len(depths) == 5000
    assert max(depths) <= max(depths[:50]) + SLACK


@pytest.mark.parametrize("kind", ["def", "eager"])
async def test_the_stack_does_not_grow_with_the_attempts(kind: str) -> None:
    """F8: nor while a batch in which each item fails is halved again and again."""
    depths: list[int] = []

    def work(batch: list[int]) -> None:
        depths.append(depth())
        raise ValueError

    task = BatchTask(function(kind, work), 100, 100, on_error="skip_item")
    stream = task(range(100))
    assert await stream.collect() == []
    assert stream.stats[0].skipped == 100
    assert len(depths) == 199
    assert max(depths) <= max(depths[:10]) + SLACK


@in_both_modes
@of_each_kind
async def test_the_stack_does_not_grow_with_the_stages(kind: str, mode: str) -> None:
    """F8: stage 500 is called as deep in the stack as the first ones."""
    depths: list[int] = []
    task = SingleTask(function(kind, lambda item: depths.append(depth()) or item + 1))
    pipeline = Pipeline().add(*[task] * 500).with_execution_mode(mode)
    assert await pipeline([0, 1, 2]).collect() == [500, 501, 502]
    assert len(depths) == 1500
    assert max(depths) <= max(depths[:150]) + SLACK


@in_both_modes
@pytest.mark.parametrize("kind", ["sequential", "batch", "own"])
async def test_500_stages_that_restore_order(kind: str, mode: str) -> None:
    """F8: 500 segments in a row run on the stack of one."""
    depths: list[int] = []

    def work(batch: Any) -> Any:
        depths.append(depth())
        return batch

    class Deep(Own):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in items:
                yield work(item)

    stages: dict[str, Any] = {
        "sequential": SingleTask(work, concurrency_limit=1),
        "batch": batch_task(max_size=2)(work),
        "own": Deep(),
    }
    pipeline = Pipeline().add(*[stages[kind]] * 500).with_execution_mode(mode)
    assert await pipeline([0, 1, 2]).collect() == [0, 1, 2]
    assert max(depths) <= max(depths[:100]) + SLACK


async def test_500_stages_that_are_joined_and_closed() -> None:
    """F8: joining with `|`, failing, closing and counting 500 stages need no deep stack either."""
    pipeline: Any = Pipeline().with_context(max_in_flight=2)
    for _ in range(500):
        pipeline = pipeline | SingleTask(function("async"))
    stream = pipeline(itertools.count())
    assert await take(stream, 3) == [0, 1, 2]
    assert len(stream.stats) == 500
    await stream.aclose()
    with pytest.raises(ZeroDivisionError):
        await (pipeline | SingleTask[Any, Any](lambda item: 1 / 0))(itertools.count()).collect()
