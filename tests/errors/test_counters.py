"""Where did each item go? `stream.stats` before, during and after a run (E9 of the contract)."""

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
    BatchTask,
    Pipeline,
    RetryConfig,
    SingleTask,
    StageStats,
    batch_task,
    single_task,
)
from conveyor_rx.testing import source, timed_task

MODES = ("ordered", "as_completed")
KINDS = ("async", "eager", "def", "generator", "async generator", "list", "lazy", "batch")
NUMBERS = [name for name in StageStats._fields if name != "stage"]
in_both_modes = pytest.mark.parametrize("mode", MODES)
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def now() -> float:
    return asyncio.get_running_loop().time()


def stage_of(kind: str, work: Callable[[Any], Any] = lambda item: item, **options: Any) -> Any:
    """Make a stage of `kind` that gives what `work` gives; batches are of two items."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        return work(item)

    async def call_eagerly(item: Any) -> Any:
        return work(item)

    def generate(item: Any) -> Iterator[Any]:
        yield work(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0.5)
        yield work(item)

    async def call_batch(batch: list[Any]) -> Any:
        await asyncio.sleep(0.5)
        return [work(item) for item in batch]

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "eager": call_eagerly,
        "def": lambda item: work(item),
        "generator": generate,
        "async generator": generate_async,
        "list": lambda item: [work(item)],
        "lazy": lambda item: generate(item),
    }
    if kind == "batch":
        return BatchTask(call_batch, 1, 2, task_name=kind, **options)
    return SingleTask(functions[kind], task_name=kind, **options)


def numbers(stats: StageStats) -> dict[str, int]:
    """Return the numbers of `stats` that are not zero."""
    return {name: value for name in NUMBERS if (value := getattr(stats, name))}


def of(stream: AsyncStream[Any]) -> list[dict[str, int]]:
    return [numbers(each) for each in stream.stats]


def balances(stats: StageStats) -> bool:
    ended = stats.completed + stats.failed + stats.skipped + stats.dropped + stats.cancelled
    return stats.in_ == ended + stats.running + stats.waiting


def is_at_rest(stats: StageStats) -> bool:
    return balances(stats) and stats.running == stats.waiting == 0


def fail_at(*items: Any) -> Callable[[Any], Any]:
    """Return a function that fails for these items and gives the others as they are."""

    def work(item: Any) -> Any:
        if item in items:
            raise ValueError(item)
        return item

    return work


async def ticks() -> AsyncIterator[int]:
    """Give an item every 10 ms, for ever: a reader that waits for the end lets time pass."""
    for n in itertools.count():
        await asyncio.sleep(0.01)
        yield n


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
        "skipped": 0,
        "dropped": 0,
        "dropped_outputs": 0,
        "cancelled": 0,
        "running": 0,
        "waiting": 0,
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


async def test_a_call_that_waits_for_its_next_attempt_runs() -> None:
    """Counting: between two attempts an item is running; a repetition counts when it is due."""
    work = timed_task("(1,#)-----1", tick=0.1)  # fails at 0.0, takes 1.0 s at the next attempt
    config = RetryConfig(max_attempts=3, base_delay=2.0)
    stream = SingleTask(work, retry_config=config)([1])
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(1)
    assert of(stream) == [{"in_": 1, "retried": 1, "running": 1}]
    assert await reader == [1]
    assert of(stream) == [{"in_": 1, "out": 1, "completed": 1, "retried": 1}]


@in_both_modes
@pytest.mark.parametrize("kind", ["generator", "lazy", "long list"])
async def test_a_call_whose_outputs_wait_for_room_runs(kind: str, mode: str) -> None:
    """Counting: a parked generator, or a list longer than the window, is running."""

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
        assert (stats.in_, stats.running, stats.completed) == (1, 1, 0)
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


# -- what becomes of an item


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


# -- ends of all kinds


@in_both_modes
@of_each_kind
async def test_after_a_failure(kind: str, mode: str) -> None:
    """E1, E9: the failed call is counted as failed, what was let go as cancelled, in each stage."""
    pipeline = (
        SingleTask(timed_task(lambda item: item % 4 / 10))
        | stage_of(kind, fail_at(5))
        | SingleTask(timed_task(lambda item: item % 3))
        | batch_task(max_size=4)(timed_task(lambda batch: 0.1))
    )
    stream = pipeline.with_context(max_in_flight=12, execution_mode=mode)(itertools.count())
    with pytest.raises(ValueError, match="5"):
        await stream.collect()
    stats = stream.stats
    assert all(is_at_rest(each) for each in stats)
    assert [each.failed for each in stats] == [0, 2 if kind == "batch" else 1, 0, 0]
    assert stats[0].cancelled + stats[0].completed == stats[0].in_
    for one, following in itertools.pairwise(stats):
        assert following.in_ <= one.out
    await asyncio.sleep(10)
    assert stream.stats == stats


async def test_a_failure_to_the_last_number() -> None:
    """E1, E9: ten calls at once, the fourth fails: three through, one failed, six cancelled."""
    stream = stage_of("async", fail_at(3))(range(10))
    with pytest.raises(ValueError, match="3"):
        await stream.collect()
    assert of(stream) == [{"in_": 10, "out": 3, "completed": 3, "failed": 1, "cancelled": 6}]


async def test_a_failing_batch_to_the_last_number() -> None:
    """E1, E9: a failing batch fails all its items; those of the open batch behind are cancelled."""
    work = SingleTask(timed_task(lambda item: 0.0 if item < 8 else 9.0))

    async def fail(batch: list[int]) -> int:
        await asyncio.sleep(1)
        return fail_at([3, 4, 5])(batch) and len(batch)

    task = batch_task(max_size=3)(fail)
    stream = (work | task)(range(10))
    with pytest.raises(ValueError, match="3, 4, 5"):
        await stream.collect()
    assert of(stream) == [
        {"in_": 10, "out": 8, "completed": 8, "cancelled": 2},
        {"in_": 8, "out": 1, "completed": 3, "failed": 3, "cancelled": 2},
    ]


@in_both_modes
@of_each_kind
async def test_after_a_failure_of_the_source(kind: str, mode: str) -> None:
    """E7, E9: all that was pulled is worked off and counted."""

    def data() -> Iterator[int]:
        yield from range(5)
        raise ValueError("source")

    stream = stage_of(kind).with_execution_mode(mode)(data())
    with pytest.raises(ValueError, match="source"):
        await stream.collect()
    assert of(stream) == [{"in_": 5, "out": 5, "completed": 5}]


async def test_after_a_failure_of_a_side_input() -> None:
    """S4, E9: the first item fails for it, the others are cancelled; nothing waits for ever."""

    async def fail() -> int:
        await asyncio.sleep(1)
        raise ValueError("side")

    task = SingleTask[Any, Any](lambda item, side: item).with_inputs(fail())
    stream = task(range(5))
    with pytest.raises(ValueError, match="side"):
        await stream.collect()
    assert of(stream) == [{"in_": 5, "failed": 1, "cancelled": 4}]


@in_both_modes
@pytest.mark.parametrize("at", [0, 0.25, 0.5, 0.75, 1.25])
@of_each_kind
async def test_after_aclose(kind: str, at: float, mode: str) -> None:
    """L2, E9: what runs or waits when the run is closed is cancelled, and counted as such."""
    pipeline = stage_of(kind, concurrency_limit=2) | SingleTask(timed_task(lambda item: 0.6))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(itertools.count())
    reader = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(at)
    before = stream.stats
    await stream.aclose()
    await asyncio.wait({reader})
    reader.exception()
    for earlier, stats in zip(before, stream.stats, strict=True):
        assert is_at_rest(stats)
        assert stats.cancelled == earlier.cancelled + earlier.running + earlier.waiting
        assert (stats.in_, stats.out, stats.completed) == (
            earlier.in_,
            earlier.out,
            earlier.completed,
        )
    await asyncio.sleep(10)
    assert all(is_at_rest(stats) for stats in stream.stats)


async def test_after_closing_before_the_first_demand() -> None:
    """L3, E9: a run that never was has counted nothing."""
    stream = stage_of("async")(range(5))
    await stream.aclose()
    assert await anext(stream, None) is None
    assert of(stream) == [{}]


@in_both_modes
@of_each_kind
async def test_after_a_break(kind: str, mode: str) -> None:
    """L4, E9: after a break the numbers balance and stand still; after closing nothing is left."""
    pipeline = stage_of(kind) | SingleTask(timed_task(lambda item: item % 5 / 10))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(itertools.count())
    async for _ in stream:
        break
    await asyncio.sleep(100)
    rested = stream.stats
    assert all(balances(stats) for stats in rested)
    await asyncio.sleep(100)
    assert stream.stats == rested
    await stream.aclose()
    for earlier, stats in zip(rested, stream.stats, strict=True):
        assert is_at_rest(stats)
        assert stats.cancelled == earlier.cancelled + earlier.running + earlier.waiting


@in_both_modes
@of_each_kind
async def test_after_reading_on(kind: str, mode: str) -> None:
    """L4, E9: a break loses no item: who reads on gets the others, and all are counted once."""
    pipeline = stage_of(kind) | SingleTask(timed_task(lambda item: item % 5 / 10))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(range(50))
    got = []
    async for value in stream:
        got.append(value)
        break
    await asyncio.sleep(100)
    got += await stream.collect()
    assert sorted(got) == list(range(50))
    assert of(stream) == [{"in_": 50, "out": 50, "completed": 50}] * 2


@in_both_modes
@of_each_kind
async def test_after_take(kind: str, mode: str) -> None:
    """E9: when `take` is satisfied, what had been started beyond it is cancelled and counted."""
    pipeline = stage_of(kind) | SingleTask(timed_task(lambda item: item % 5 / 10))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(itertools.count())
    taken = stream.take(3)
    assert len(await taken.collect()) == 3
    for stats in taken.stats:
        assert is_at_rest(stats)
        assert stats.completed >= 3
    assert taken.stats[1].out >= 3


@in_both_modes
@of_each_kind
async def test_after_a_cancelled_consumer(kind: str, mode: str) -> None:
    """L2, L7, E9: a consumer that is cancelled leaves a run at rest."""
    stream = stage_of(kind).with_context(max_in_flight=8, execution_mode=mode)(ticks())
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(0.75)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()
    (stats,) = stream.stats
    assert is_at_rest(stats)
    assert stats.in_ == stats.completed + stats.cancelled > 0


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_after_dispose(kind: str, mode: str) -> None:
    """E9: a subscription that is disposed lets its calls go, and counts them."""
    stream = stage_of(kind).with_context(max_in_flight=8, execution_mode=mode)(range(100))
    subscription = stream.subscribe()
    await asyncio.sleep(0.75)
    subscription.dispose()
    await asyncio.sleep(1)
    (stats,) = stream.stats
    assert is_at_rest(stats)
    assert stats.in_ == stats.completed + stats.cancelled
    assert stats.cancelled > 0
