"""Where did each item go? `stream.stats` counts it once (E9 of the contract)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from conveyor_rx import RetryConfig, SingleTask, batch_task, single_task
from tests.errors.counted import fail_at, of, of_each_kind, stage_of
from tests.kit import in_both_modes


@in_both_modes
@of_each_kind
async def test_none_counts_as_dropped(kind: str, mode: str) -> None:
    """E9: an item that comes to None is dropped; a None among several outputs is not an item."""
    task = stage_of(kind, lambda item: item if item % 5 else None).with_execution_mode(mode)
    stream = task(range(10))
    await stream.collect()
    if kind in ("async", "eager", "def"):
        assert of(stream) == [{"in_": 10, "out": 8, "completed": 8, "dropped": 2}]
    else:
        assert of(stream) == [{"in_": 10, "out": 8, "completed": 10, "dropped_outputs": 2}]


async def test_a_batch_that_comes_to_none_drops_its_items() -> None:
    """E9: dropped counts items, so None for a batch of three drops three."""
    task = batch_task(max_size=3)(lambda batch: sum(batch) if batch[0] else None)
    stream = task(range(7))
    assert await stream.collect() == [12, 6]
    assert of(stream) == [{"in_": 7, "out": 2, "completed": 4, "dropped": 3}]


async def test_fan_out_counts_outputs() -> None:
    """Counting: out is outputs: an item may have none and still be completed."""
    stream = SingleTask[int, int](lambda n: [n] * n)(range(5))
    assert len(await stream.collect()) == 10
    assert of(stream) == [{"in_": 5, "out": 10, "completed": 5}]


@in_both_modes
@of_each_kind
async def test_skip_item_counts_each_item(kind: str, mode: str) -> None:
    """E9, E3: items skipped are counted one by one; a batch's good neighbours are completed."""
    stream = stage_of(kind, fail_at(3, 4), on_error="skip_item").with_execution_mode(mode)(range(9))
    assert sorted(await stream.collect()) == [0, 1, 2, 5, 6, 7, 8]
    assert of(stream) == [{"in_": 9, "out": 7, "completed": 7, "skipped": 2}]


@in_both_modes
async def test_skip_batch_counts_the_items_of_the_batch(mode: str) -> None:
    """E9, E4: one bad item in a batch of two is two items skipped."""
    stream = stage_of("batch", fail_at(3), on_error="skip_batch").with_execution_mode(mode)(
        range(9)
    )
    assert await stream.collect() == [0, 1, 4, 5, 6, 7, 8]
    assert of(stream) == [{"in_": 9, "out": 7, "completed": 7, "skipped": 2}]


@in_both_modes
async def test_halving_counts_each_item_once(mode: str) -> None:
    """E9, E3: however often a batch of 16 is halved, each item is in and ends once."""
    task = batch_task(max_size=16, on_error="skip_item")(
        lambda batch: [fail_at(2, 3, 11)(item) for item in batch]
    )
    stream = task.with_execution_mode(mode)(range(20))
    assert len(await stream.collect()) == 17
    assert of(stream) == [{"in_": 20, "out": 17, "completed": 17, "skipped": 3}]


async def test_halves_that_are_settled_do_not_run() -> None:
    """Counting, E3: while a batch is halved, an item is settled or running, not both."""

    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep(1)
        return [fail_at(2)(item) for item in batch]

    stream = batch_task(max_size=4, on_error="skip_item")(work)([1, 2, 3, 4])
    reader = asyncio.ensure_future(stream.collect())
    seen = []
    for _ in range(5):  # all four, (1, 2), 1, 2, (3, 4)
        await asyncio.sleep(0.5)
        seen.append(of(stream))
        await asyncio.sleep(0.5)
    assert await reader == [1, 3, 4]
    assert seen == [
        [{"in_": 4, "running": 4}],
        [{"in_": 4, "running": 4}],
        [{"in_": 4, "running": 4}],
        [{"in_": 4, "out": 1, "completed": 1, "running": 3}],
        [{"in_": 4, "out": 1, "completed": 1, "skipped": 1, "running": 2}],
    ]
    assert of(stream) == [{"in_": 4, "out": 3, "completed": 3, "skipped": 1}]


class Answer:
    """A handler that answers every failure alike."""

    def __init__(self, *answer: Any) -> None:
        self.answer = answer

    async def handle_error(self, *_: Any) -> Any:
        await asyncio.sleep(0.1)
        return self.answer


@in_both_modes
@of_each_kind
async def test_what_a_handler_saves_is_completed_or_dropped(kind: str, mode: str) -> None:
    """E9, E6: a value in place of a failure is an output, None drops."""
    size = 2 if kind == "batch" else 1
    for value, expected in (
        ("saved", {"in_": 6, "out": 6 - size + 1, "completed": 6}),
        (None, {"in_": 6, "out": 6 - size, "completed": 6 - size, "dropped": size}),
    ):
        task = stage_of(kind, fail_at(2), error_handler=Answer(True, value))
        stream = task.with_execution_mode(mode)(range(6))
        assert ("saved" in await stream.collect()) == (value == "saved")
        assert of(stream) == [expected]


@in_both_modes
@of_each_kind
async def test_attempts_that_were_repeated_are_counted(kind: str, mode: str) -> None:
    """E5, E9: two failures before a success are two retries; so are they before a skip."""
    left = {1: 2, 4: 99}

    def work(item: int) -> int:
        if left.get(item, 0) > 0:
            left[item] -= 1
            raise ValueError(item)
        return item

    config = RetryConfig(max_attempts=3, base_delay=1.0)
    task = stage_of(kind, work, retry_config=config, on_error="skip_batch")
    stream = task.with_execution_mode(mode)(range(6))
    got = sorted(await stream.collect())
    lost = 2 if kind == "batch" else 1
    assert len(got) == 6 - lost
    assert of(stream) == [
        {"in_": 6, "out": 6 - lost, "completed": 6 - lost, "retried": 4, "skipped": lost}
    ]


async def test_a_generator_that_fails_after_outputs() -> None:
    """E5, E9: what it had yielded is out, the item itself is skipped."""

    @single_task(on_error="skip_item")
    def generate(item: int) -> Iterator[int]:
        yield item
        if item == 1:
            raise ValueError(item)
        yield item

    stream = generate(range(3))
    assert await stream.collect() == [0, 0, 1, 2, 2]
    assert of(stream) == [{"in_": 3, "out": 5, "completed": 2, "skipped": 1}]
