"""What are the numbers of a run, and when are they right? `stream.stats` (E9 of the contract)."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    Pipeline,
    RetryConfig,
    SingleTask,
    StageStats,
    batch_task,
    single_task,
)
from conveyor_rx.testing import source, timed_task
from tests.errors.counted import (
    NUMBERS,
    balances,
    fail_at,
    is_at_rest,
    numbers,
    of,
    of_each_kind,
    stage_of,
)
from tests.kit import in_both_modes, now

# -- what stats is


async def test_stats_are_one_frozen_tuple_a_task() -> None:
    """Counting: a tuple of `StageStats` in the order of the tasks, with their names."""
    pipeline = single_task(len) | batch_task(max_size=2, task_name="pairs")(sum)
    stream = pipeline(["a", "bb"])
    assert stream.stats == (StageStats("len"), StageStats("pairs"))
    with pytest.raises(AttributeError):
        stream.stats[0].in_ = 3  # type: ignore[misc]
    await stream.collect()
    assert stream.stats == (
        StageStats("len", in_=2, out=2, completed=2),
        StageStats("pairs", in_=2, out=1, completed=2),
    )


async def test_stats_as_a_dict() -> None:
    """Counting: by name, with `in` for `in_`, ready to be logged or written as JSON."""
    stream = single_task(len)(["a", "bb"])
    await stream.collect()
    assert stream.stats[0].as_dict() == {
        "stage": "len",
        "in": 2,
        "out": 2,
        "completed": 2,
        "failed": 0,
        "retried": 0,
        "timed_out": 0,
        "skipped": 0,
        "dead_lettered": 0,
        "dropped": 0,
        "dropped_outputs": 0,
        "cancelled": 0,
        "running": 0,
        "waiting": 0,
        "waiting_for_slot": 0,
        "waiting_for_batch": 0,
        "waiting_for_key": 0,
        "waiting_for_rate": 0,
        "waiting_for_retry": 0,
        "waiting_for_room": 0,
        "waiting_for_worker": 0,
    }


async def test_a_snapshot_does_not_change() -> None:
    """Counting: what was read before stays as it was."""
    stream = single_task(str)(range(3))
    before = stream.stats
    await anext(stream)
    during = stream.stats
    await stream.collect()
    assert (before[0].in_, during[0].in_, stream.stats[0].in_) == (0, 3, 3)
    assert before is not during


async def test_operators_are_not_counted_own_stages_are() -> None:
    """Counting: Rx operators are no stages of ours; a user's own stage counts what goes through."""

    class Pairs(BaseTask[int, int]):
        async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in items:
                yield item
                yield item

    pipeline = Pipeline().add(
        single_task(abs), ops.take(3), Pairs(), ops.map(str), single_task(len)
    )
    stream = pipeline(range(10))
    names = [each.stage for each in stream.stats]
    assert len(names) == 3
    assert await stream.collect() == [1] * 6
    assert [each.stage for each in stream.stats] == names
    assert [(each.in_, each.out) for each in stream.stats[1:]] == [(3, 6), (6, 6)]
    assert all(is_at_rest(each) for each in stream.stats)


async def test_the_same_task_twice_is_counted_twice() -> None:
    """Counting: numbers belong to the place in the pipeline, not to the task."""
    drop = SingleTask[int, Any](lambda n: n // 2 or None, task_name="half")
    stream = (drop | drop)([1, 2, 4])
    assert await stream.collect() == [1]
    assert of(stream) == [
        {"in_": 3, "out": 2, "completed": 2, "dropped": 1},
        {"in_": 2, "out": 1, "completed": 1, "dropped": 1},
    ]


async def test_operators_behind_a_stream_see_its_stats() -> None:
    """Counting: `stream.filter(…).map(…)` counts the run of the pipeline behind it."""
    stream = single_task(abs)(range(5))
    derived = stream.filter(lambda n: n > 2).map(str)
    assert isinstance(derived, AsyncStream)
    assert await derived.collect() == ["3", "4"]
    assert of(derived) == [{"in_": 5, "out": 5, "completed": 5}]


async def test_an_empty_pipeline_and_a_wrapped_source_have_no_stats() -> None:
    """Counting: without tasks there is nothing to count, before and after."""
    for stream in (Pipeline()([1, 2]), AsyncStream([1, 2])):
        assert stream.stats == ()
        await stream.collect()
        assert stream.stats == ()


async def test_each_run_counts_from_zero() -> None:
    """Counting, L6: streams of one pipeline don't share numbers; a new subscription starts anew."""
    pipeline = Pipeline().add(stage_of("async"))
    one, other = pipeline(range(3)), pipeline(range(5))
    await asyncio.gather(one.collect(), other.collect())
    assert of(one) == [{"in_": 3, "out": 3, "completed": 3}]
    assert of(other) == [{"in_": 5, "out": 5, "completed": 5}]
    pushed = pipeline(range(4))
    for _ in range(2):
        pushed.subscribe()
        await asyncio.sleep(10)
        assert of(pushed) == [{"in_": 4, "out": 4, "completed": 4}]
    assert of(pushed.as_completed()) == [{}]


# -- before, during and after


@in_both_modes
@of_each_kind
async def test_before_and_after_a_run(kind: str, mode: str) -> None:
    """Counting: all is zero before a run; after it in = completed and nothing runs or waits."""
    stream = stage_of(kind).with_execution_mode(mode)(range(10))
    assert stream.stats == (StageStats(kind),)
    assert sorted(await stream.collect()) == list(range(10))
    assert stream.stats == (StageStats(kind, in_=10, out=10, completed=10),)


async def test_during_a_run() -> None:
    """Counting: at each instant it is known who runs, who waits and who is through."""
    pipeline = SingleTask(timed_task([1, 3, 2, 2]), concurrency_limit=2) | SingleTask(
        timed_task(lambda item: 1.5), concurrency_limit=1
    )
    stream = pipeline(range(4))
    reader = asyncio.ensure_future(stream.collect())
    seen = {}
    for at in (0.5, 1.25, 2.75, 3.25, 5.25, 7.25):
        await asyncio.sleep(at - now())
        seen[at] = of(stream)
    assert await reader == [0, 1, 2, 3]
    assert seen == {
        0.5: [{"in_": 4, "running": 2, "waiting": 2}, {}],
        1.25: [
            {"in_": 4, "out": 1, "completed": 1, "running": 2, "waiting": 1},
            {"in_": 1, "running": 1},
        ],
        2.75: [
            {"in_": 4, "out": 1, "completed": 1, "running": 2, "waiting": 1},
            {"in_": 1, "out": 1, "completed": 1},
        ],
        3.25: [
            {"in_": 4, "out": 3, "completed": 3, "running": 1},
            {"in_": 3, "out": 1, "completed": 1, "running": 1, "waiting": 1},
        ],
        5.25: [
            {"in_": 4, "out": 4, "completed": 4},
            {"in_": 4, "out": 2, "completed": 2, "running": 1, "waiting": 1},
        ],
        7.25: [
            {"in_": 4, "out": 4, "completed": 4},
            {"in_": 4, "out": 3, "completed": 3, "running": 1},
        ],
    }
    assert of(stream) == [{"in_": 4, "out": 4, "completed": 4}] * 2


async def test_items_of_an_open_batch_wait() -> None:
    """Counting: the numbers of a batch task are items: waiting to be batched, then running."""
    task = batch_task(max_size=3)(timed_task(lambda batch: 4.0, func=len))
    stream = task(source("1-2-3-4-5|"))
    reader = asyncio.ensure_future(stream.collect())
    seen = {}
    for at in (1, 3, 5, 7, 8.5, 9.5):
        await asyncio.sleep(at - now())
        seen[at] = numbers(stream.stats[0])
    assert await reader == [3, 2]
    assert seen == {
        1: {"in_": 1, "waiting": 1},
        3: {"in_": 2, "waiting": 2},
        5: {"in_": 3, "running": 3},
        7: {"in_": 4, "running": 3, "waiting": 1},
        8.5: {"in_": 5, "out": 1, "completed": 3, "waiting": 2},
        9.5: {"in_": 5, "out": 1, "completed": 3, "running": 2},
    }
    assert of(stream) == [{"in_": 5, "out": 2, "completed": 5}]


async def test_a_call_that_waits_for_its_next_attempt_does_not_run() -> None:
    """T6: between two attempts an item is waiting; a repetition counts when it begins."""
    work = timed_task("(1,#)-----1", tick=0.1)  # fails at 0.0, takes 1.0 s at the next attempt
    config = RetryConfig(max_attempts=3, base_delay=2.0)
    stream = SingleTask(work, retry_config=config)([1])
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(1)
    assert of(stream) == [{"in_": 1, "waiting": 1}]
    assert await reader == [1]
    assert of(stream) == [{"in_": 1, "out": 1, "completed": 1, "retried": 1}]


@in_both_modes
@pytest.mark.parametrize("kind", ["generator", "lazy", "long list"])
async def test_a_call_whose_outputs_wait_for_room_waits(kind: str, mode: str) -> None:
    """Counting: a parked generator, or a list longer than the window, is waiting."""

    def generate(item: int) -> Iterator[int]:
        yield from range(1000)

    functions: dict[str, Callable[[int], Any]] = {
        "generator": generate,
        "lazy": lambda item: generate(item),
        "long list": lambda item: [*range(1000)],
    }
    task = SingleTask(functions[kind]).with_context(max_in_flight=4, execution_mode=mode)
    async with task([1]) as stream:
        assert await anext(stream) == 0
        await asyncio.sleep(1)
        (stats,) = stream.stats
        assert (stats.in_, stats.waiting_for_room, stats.completed) == (1, 1, 0)
        assert stats.out < 30
        async for _ in stream:
            pass
        assert of(stream) == [{"in_": 1, "out": 1000, "completed": 1}]


@in_both_modes
@pytest.mark.parametrize("limit", [None, 1, 3])
@of_each_kind
async def test_the_numbers_balance_at_each_instant(kind: str, limit: int | None, mode: str) -> None:
    """Counting: in = ended + running + waiting, always; nothing counts down; no item is made up."""
    pulled = 0

    async def data() -> AsyncIterator[int]:
        nonlocal pulled
        for pulled in range(1, 61):
            await asyncio.sleep(0.07)
            yield pulled

    options: dict[str, Any] = {"on_error": "skip_item"}
    if limit is not None:
        options["concurrency_limit"] = limit
    pipeline = (
        SingleTask(timed_task(lambda item: random.Random(item).random()))
        | stage_of(kind, fail_at(5, 6, 30), **options)
        | stage_of("async", lambda item: [item, None] if item % 2 else None)
        | batch_task(4, 4)(timed_task(lambda batch: 0.3, func=list))
    )
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(data())
    reader = asyncio.ensure_future(stream.collect())
    before = stream.stats
    while not reader.done():
        await asyncio.sleep(0.05)
        stats = stream.stats
        assert all(balances(each) for each in stats)
        assert all(value >= 0 for each in stats for value in numbers(each).values())
        assert stats[0].in_ <= pulled
        for one, following in itertools.pairwise(stats):
            assert following.in_ <= one.out
        for earlier, later in zip(before, stats, strict=True):
            for name in set(NUMBERS) - {"running", "waiting"}:
                assert getattr(earlier, name) <= getattr(later, name)
        if kind != "lazy":  # what a function returned and waits for room holds no slot
            assert stats[1].running <= (limit or 100) * (2 if kind == "batch" else 1)
        before = stats
    first, second, third, last = stream.stats
    assert numbers(first) == {"in_": 60, "out": 60, "completed": 60}
    # 5, 6 and 30 fail; of what is left the odd ones give themselves and a None
    assert numbers(second) == {"in_": 60, "out": 57, "completed": 57, "skipped": 3}
    assert numbers(third) == {
        "in_": 57,
        "out": 29,
        "completed": 29,
        "dropped": 28,
        "dropped_outputs": 29,
    }
    assert numbers(last) == {"in_": 29, "out": 28, "completed": 28, "dropped": 1}
    assert len(await reader) == 28
