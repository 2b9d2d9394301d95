"""What is left out where a call fails, and what gets through? E3 and E4 of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conveyor_rx import BatchTask, RetryConfig, batch_task
from conveyor_rx.testing import timeline
from tests.errors.failing import Batches, failing, function, of_each_kind
from tests.kit import in_both_modes


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["skip_item", "skip_batch"])
async def test_skipping_on_a_single_task_drops_the_item(
    kind: str, mode: Any, on_error: Any
) -> None:
    """E3, E4, E9: the item is gone and counted, its neighbours get through."""
    task = failing(kind, ValueError("boom"), 2, on_error=on_error)
    stream = task.with_execution_mode(mode)(range(5))
    assert await stream.collect() == [0, 1, 3, 4]
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.skipped, stats.failed) == (5, 4, 1, 0)


@in_both_modes
async def test_skip_item_halves_a_batch_until_the_failing_items_stand_alone(mode: Any) -> None:
    """E3: the calls are those of a bisection; neighbours get through, in their order."""
    work = Batches(3, 6)
    task = BatchTask(work, 8, 8, on_error="skip_item")
    stream = task.with_execution_mode(mode)(range(16))
    assert await stream.collect() == [0, 1, 2, 4, 5, 7, *range(8, 16)]
    assert work.calls == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 2, 3], [0, 1], [2, 3], [2], [3],
        [4, 5, 6, 7], [4, 5], [6, 7], [6], [7],
        [8, 9, 10, 11, 12, 13, 14, 15],
    ]  # fmt: skip
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.skipped, stats.out) == (16, 14, 2, 14)


async def test_halving_of_an_odd_batch_in_which_all_fail() -> None:
    """E3: each item of a hopeless batch is tried alone once, and skipped."""
    work = Batches(*range(5))
    stream = BatchTask(work, 5, 5, on_error="skip_item")(range(5))
    assert await stream.collect() == []
    assert sorted(call[0] for call in work.calls if len(call) == 1) == [0, 1, 2, 3, 4]
    assert len(work.calls) == 2 * 5 - 1
    assert stream.stats[0].skipped == 5


async def test_halving_with_retries() -> None:
    """E3, E5: each half has its own attempts, each failing one waits its delays."""
    work = Batches(2)
    task = BatchTask(work, 4, 4, on_error="skip_item", retry_config=RetryConfig(3, 1.0))
    got = await timeline(task(range(4)))
    assert [value for _, value in got] == [0, 1, 3]
    assert work.calls == [[0, 1, 2, 3]] * 3 + [[0, 1]] + [[2, 3]] * 3 + [[2]] * 3 + [[3]]
    assert got == [(3, 0), (3, 1), (9, 3)]  # 1 s and 2 s of waiting for each that fails


@pytest.mark.parametrize("kind", ["def", "generator", "async generator"])
async def test_a_batch_of_each_kind_is_halved(kind: str) -> None:
    """E3: a function that gave nothing yet is halved, whatever its kind."""
    sizes: list[int] = []

    def check(batch: list[int]) -> int:
        sizes.append(len(batch))
        if 1 in batch:
            raise ValueError("boom")
        return sum(batch)

    stream = BatchTask(function(kind, check), 4, 4, on_error="skip_item")(range(4))
    assert await stream.collect() == [0, 5]
    assert sizes == [4, 2, 1, 1, 2]


async def test_a_batch_generator_that_has_yielded_is_not_halved() -> None:
    """E3, E5: its outputs would come twice; the batch is skipped, what it gave stays."""
    calls: list[list[int]] = []

    @batch_task(max_size=4, on_error="skip_item", retry_attempts=3)
    def work(batch: list[int]) -> Iterator[int]:
        calls.append(batch)
        for item in batch:
            if item == 2:
                raise ValueError("boom")
            yield item

    stream = work(range(8))
    assert await stream.collect() == [0, 1, 4, 5, 6, 7]
    assert calls == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stream.stats[0].skipped == 4


@in_both_modes
async def test_skip_batch_drops_the_batch(mode: Any) -> None:
    """E4, E9: one call, the whole batch is gone and counted, its neighbours get through."""
    work = Batches(4)
    stream = BatchTask(work, 3, 3, on_error="skip_batch").with_execution_mode(mode)(range(9))
    assert await stream.collect() == [0, 1, 2, 6, 7, 8]
    assert work.calls == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert (stream.stats[0].skipped, stream.stats[0].completed) == (3, 6)
