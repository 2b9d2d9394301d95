"""How are items batched? B1 and B2 of the contract."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BatchTask, Pipeline, SingleTask, batch_task, single_task
from conveyor_rx.testing import source, timed_task, timeline
from tests.kit import in_both_modes, now


def packs(kind: str, min_size: int, max_size: int, **options: Any) -> BatchTask[Any, Any]:
    """Make a batch task of `kind` that gives each batch as a tuple."""

    async def call(batch: list[Any]) -> Any:
        await asyncio.sleep(0.1)
        return tuple(batch)

    async def call_eagerly(batch: list[Any]) -> Any:
        return tuple(batch)

    def generate(batch: list[Any]) -> Iterator[Any]:
        yield tuple(batch)

    async def generate_async(batch: list[Any]) -> AsyncIterator[Any]:
        await asyncio.sleep(0.1)
        yield tuple(batch)

    functions: dict[str, Callable[[list[Any]], Any]] = {
        "async": call,
        "eager": call_eagerly,
        "def": tuple,
        "generator": generate,
        "async generator": generate_async,
    }
    return batch_task(min_size, max_size, task_name="pack", **options)(functions[kind])


KINDS = ("async", "eager", "def", "generator", "async generator")


def cut(items: list[Any], min_size: int, max_size: int) -> list[tuple[Any, ...]]:
    """Say how `items` are batched."""
    batches = [tuple(items[n : n + max_size]) for n in range(0, len(items), max_size)]
    return [batch for batch in batches if len(batch) >= min_size]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "conveyor_rx"]


# -- B1


@in_both_modes
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("min_size", "max_size"), [(1, 1), (1, 3), (2, 3), (3, 3), (4, 7), (1, 99)]
)
async def test_batches_are_of_consecutive_items(
    min_size: int, max_size: int, kind: str, mode: str
) -> None:
    """B1: up to `max_size` items each, in order; a rest of `min_size` or more is the last batch."""
    task = packs(kind, min_size, max_size).with_execution_mode(mode)
    for count in range(16):
        items = list(range(count))
        assert await task(items).collect() == cut(items, min_size, max_size)


async def test_max_size_is_min_size_by_default() -> None:
    """B1: one size alone is the size of all batches: a shorter rest is dropped."""
    assert await batch_task(3)(tuple)(range(8)).collect() == [(0, 1, 2), (3, 4, 5)]
    assert await batch_task(min_size=2)(tuple)(range(5)).collect() == [(0, 1), (2, 3)]


async def test_min_size_is_one_by_default() -> None:
    """B1: with a greatest size alone every rest is a batch."""
    assert await batch_task(max_size=3)(tuple)(range(4)).collect() == [(0, 1, 2), (3,)]


async def test_a_batch_is_a_list_of_its_own() -> None:
    """B1: the function gets a list that it may change, and never one that it had before."""
    batches: list[list[int]] = []

    @batch_task(max_size=2)
    def keep(batch: list[int]) -> None:
        assert type(batch) is list
        batches.append(batch)
        batch.append(-1)

    assert await keep(range(5)).collect() == []
    assert batches == [[0, 1, -1], [2, 3, -1], [4, -1]]


async def test_a_batch_starts_at_the_instant_that_fills_it() -> None:
    """B1: a full batch waits for nothing; the rest waits for the end of the data."""
    started: list[tuple[float, int]] = []

    @batch_task(max_size=2)
    async def work(batch: list[int]) -> int:
        started.append((now(), len(batch)))
        await asyncio.sleep(1)
        return sum(batch)

    assert await timeline(work(source("1-2---3--4--5----|"))) == [(3, 3), (10, 7), (18, 5)]
    assert started == [(2, 2), (9, 2), (17, 1)]


async def test_no_item_no_batch() -> None:
    """B1: without items, or with nothing left at the end, the function is not called."""
    sizes: list[int] = []
    note = batch_task(max_size=2)(lambda batch: sizes.append(len(batch)))
    assert await note([]).collect() == []
    assert sizes == []
    assert await note(range(4)).collect() == []
    assert sizes == [2, 2]


@in_both_modes
@pytest.mark.parametrize(("min_size", "count", "rest"), [(2, 7, 1), (3, 8, 2), (3, 2, 2)])
async def test_a_rest_below_min_size_is_dropped_with_a_warning(
    min_size: int, count: int, rest: int, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """B1, E2: it is counted, and logged once at WARNING, without its contents."""
    items = [f"secret {n}" for n in range(count)]
    stream = packs("async", min_size, 3).with_execution_mode(mode)(items)
    assert await stream.collect() == cut(items, min_size, 3)
    assert stream.stats[0].dropped == rest
    assert stream.stats[0].completed == count - rest
    (record,) = warnings_of(caplog)
    assert record.levelno == logging.WARNING
    message = record.getMessage()
    assert "'pack'" in message
    assert str(rest) in message
    assert f"min_size={min_size}" in message
    assert "secret" not in message


@in_both_modes
async def test_a_rest_is_logged_once_in_each_run(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    """B1: two runs and two subscriptions log one rest each."""
    task = packs("def", 2, 2).with_execution_mode(mode)
    for expected in (1, 2):
        await task(range(3)).collect()
        assert len(warnings_of(caplog)) == expected
    stream = task(range(3))
    stream.subscribe()
    stream.subscribe()
    await asyncio.sleep(1)
    assert len(warnings_of(caplog)) == 4


@pytest.mark.parametrize(("min_size", "count"), [(1, 4), (2, 5), (2, 6), (2, 0)])
async def test_nothing_is_logged_where_nothing_is_dropped(
    min_size: int, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """B1: a rest that is a batch, or no rest, is no warning."""
    stream = packs("async", min_size, 3)(range(count))
    await stream.collect()
    assert stream.stats[0].dropped == 0
    assert warnings_of(caplog) == []


async def test_a_closed_run_has_no_rest(caplog: pytest.LogCaptureFixture) -> None:
    """B1: an open batch of a run that is closed is cancelled, not dropped: no warning, no call."""
    calls: list[list[int]] = []
    stream = batch_task(3, 3)(calls.append)(source("1-2---3|"))
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(3)
    await stream.aclose()
    await reader
    assert (calls, warnings_of(caplog)) == ([], [])
    assert (stream.stats[0].cancelled, stream.stats[0].dropped) == (2, 0)


async def test_batches_are_of_the_outputs_of_the_stage_before() -> None:
    """B1: fan-out and drops before a batch task change what is consecutive."""
    spread = SingleTask[int, int](lambda n: [n] * n if n != 2 else None)
    pipeline = spread | batch_task(max_size=4)(tuple)
    assert await pipeline(range(5)).collect() == [(1, 3, 3, 3), (4, 4, 4, 4)]


async def test_batches_are_formed_in_order_behind_random_latencies() -> None:
    """B1, O4: in ordered mode a batch is of consecutive items, whoever was ready first."""
    slow = SingleTask(timed_task(lambda item: random.Random(item).random()))
    for window in (1, 3, 1024):
        pipeline = (slow | packs("async", 1, 4)).with_context(max_in_flight=window)
        assert await pipeline(range(30)).collect() == cut([*range(30)], 1, 4)


@in_both_modes
async def test_a_batch_is_larger_than_the_window(mode: str) -> None:
    """B1: a window of two holds no batch back that needs fifty items."""
    pipeline = SingleTask(timed_task(lambda item: 0.1)) | packs("async", 1, 50)
    pipeline = pipeline.with_context(max_in_flight=2, execution_mode=mode)
    assert await pipeline(range(120)).collect() == cut([*range(120)], 1, 50)


async def test_one_batch_of_everything() -> None:
    """B1: 10,000 items of an unbounded size are one batch at the end."""
    task = batch_task(1, 10**9)(lambda batch: (len(batch), batch == [*range(10_000)]))
    assert await task(range(10_000)).collect() == [(10_000, True)]


# -- several batch stages


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 1024])
async def test_several_batch_stages(window: int, mode: str) -> None:
    """B1: batches of outputs of batches; lists come apart between them, tuples stay."""
    pipeline = (
        batch_task(max_size=3)(list)
        | SingleTask[int, int](lambda n: n + 1)
        | packs("async", 1, 4)
        | packs("async", 1, 2)
    )
    stream = pipeline.with_context(max_in_flight=window, execution_mode=mode)(range(11))
    quads = cut([*range(1, 12)], 1, 4)
    assert await stream.collect() == cut(quads, 1, 2)


async def test_rests_of_several_batch_stages(caplog: pytest.LogCaptureFixture) -> None:
    """B1: each stage drops, counts and logs its own rest."""
    first = batch_task(4, 4, task_name="first")(list)
    second = batch_task(3, 3, task_name="second")(tuple)
    stream = (first | second)(range(11))
    assert await stream.collect() == [(0, 1, 2), (3, 4, 5)]
    assert [(each.in_, each.completed, each.dropped) for each in stream.stats] == [
        (11, 8, 3),
        (8, 6, 2),
    ]
    messages = [record.getMessage() for record in warnings_of(caplog)]
    assert len(messages) == 2
    assert "'first'" in messages[0]
    assert "'second'" in messages[1]


async def test_batches_in_a_pipeline_of_rx_operators() -> None:
    """B1: operators before and behind a batch task see items and batches."""
    pipeline = Pipeline().add(
        ops.filter(lambda n: n % 2 == 0), packs("async", 1, 2), ops.map(len), packs("def", 1, 2)
    )
    assert await pipeline(range(9)).collect() == [(2, 2), (1,)]


# -- what a batch gives


@in_both_modes
async def test_what_batches_give_follows_the_rule_of_single_tasks(mode: str) -> None:
    """B1, V2: None is none, a list is many, anything else is one output."""
    results: dict[int, Any] = {0: None, 2: [1, None, 2], 4: (3, 4), 6: {"a": 5}, 8: [], 10: "six"}
    task = batch_task(max_size=2)(lambda batch: results[batch[0]]).with_execution_mode(mode)
    assert await task(range(12)).collect() == [1, 2, (3, 4), {"a": 5}, "six"]


# -- B2


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "async generator"])
async def test_batches_run_one_at_a_time(kind: str, mode: str) -> None:
    """B2: by default a batch starts when the one before it has ended: 5 of 0.1 s take 0.5 s."""
    got = await timeline(packs(kind, 1, 2).with_execution_mode(mode)(range(9)))
    assert got == list(zip([0.1, 0.2, 0.3, 0.4, 0.5], cut([*range(9)], 1, 2), strict=True))


@in_both_modes
@pytest.mark.parametrize("limit", [2, 3, 10])
async def test_batches_run_at_once_up_to_the_limit(limit: int, mode: str) -> None:
    """B2, F3: with a limit as many batches run at once, and no more."""
    work = timed_task(lambda batch: 1.0, func=tuple)
    task = batch_task(max_size=2, concurrency_limit=limit)(work).with_execution_mode(mode)
    got = await timeline(task(range(40)))
    assert [at for at, _ in got] == [1 + n // limit for n in range(20)]
    assert work.most_running == limit


@pytest.mark.parametrize("window", [1, 4, 9, 1024])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("form", ["one", "list", "lazy"])
async def test_batch_order_at_any_limit(form: str, limit: int, window: int) -> None:
    """B2, O1: in ordered mode outputs stand in batch order, whatever the latencies."""

    def lazily(batch: list[int]) -> Iterator[int]:
        yield from batch

    forms: dict[str, Callable[[list[int]], Any]] = {"one": tuple, "list": list, "lazy": lazily}
    work = timed_task(lambda batch: random.Random(batch[0]).random(), func=forms[form])
    task = batch_task(max_size=3, concurrency_limit=limit)(work)
    got = await task.with_context(max_in_flight=window)(range(50)).collect()
    assert got == (cut([*range(50)], 1, 3) if form == "one" else [*range(50)])


async def test_batches_as_completed_at_their_own_instants() -> None:
    """B2, O2: as completed, with a limit, a fast batch overtakes a slow one."""
    work = timed_task([5, 1, 2], func=tuple)
    task = batch_task(max_size=2, concurrency_limit=2)(work)
    assert await timeline(task.as_completed(range(6))) == [(1, (2, 3)), (3, (4, 5)), (5, (0, 1))]


async def test_batches_ordered_wait_for_the_one_before() -> None:
    """B2, O1: ordered, the same batches come when the slow one has come."""
    work = timed_task([5, 1, 2], func=tuple)
    task = batch_task(max_size=2, concurrency_limit=2)(work)
    assert await timeline(task(range(6))) == [(5, (0, 1)), (5, (2, 3)), (5, (4, 5))]
    assert [call.started for call in work.calls] == [0, 0, 1]


@in_both_modes
@pytest.mark.parametrize(("window", "at_once"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (30, 10)])
async def test_the_window_counts_the_items_of_batches(window: int, at_once: int, mode: str) -> None:
    """B2, F2: a window of 6 items has room for two batches of three, whatever the limit says."""
    work = timed_task(lambda batch: 1.0, func=tuple)
    task = batch_task(max_size=3, concurrency_limit=10)(work)
    pipeline = task.with_context(max_in_flight=window, execution_mode=mode)
    assert await pipeline(range(60)).collect() == cut([*range(60)], 1, 3)
    assert work.most_running == at_once


async def test_without_a_window_all_batches_run_at_once() -> None:
    """B2, F2: `max_in_flight=None` and a limit above their number let all of them run."""
    work = timed_task(lambda batch: 1.0, func=len)
    task = batch_task(max_size=10, concurrency_limit=1000)(work)
    got = await timeline(task.with_context(max_in_flight=None)(range(5000)))
    assert got == [(1, 10)] * 500
    assert work.most_running == 500


async def test_a_batch_of_one_output_takes_the_room_of_one() -> None:
    """B2, F2: results that wait for order count as results, not as the items they come from."""
    work = timed_task(lambda batch: 100.0 if batch[0] == 0 else 1.0, func=tuple)
    task = batch_task(max_size=3, concurrency_limit=2)(work).with_context(max_in_flight=6)
    reader = asyncio.ensure_future(timeline(task(range(60))))
    await asyncio.sleep(50)
    # 3 items run, and results of others wait: room for 4, with a batch open as long as 6 are not in
    assert len(work.calls) == 1 + 3
    assert await reader == [(100, batch) for batch in cut([*range(12)], 1, 3)] + [
        (101 + n // 2, batch) for n, batch in enumerate(cut([*range(12, 60)], 1, 3))
    ]


async def test_methods_are_batch_tasks() -> None:
    """B1: a method gets the batch behind its instance, and each instance has its own task."""

    class Store:
        def __init__(self) -> None:
            self.rows: list[int] = []

        @batch_task(max_size=2)
        async def insert(self, batch: list[int]) -> int:
            self.rows += batch
            return len(batch)

        @single_task
        async def count(self, size: int) -> tuple[int, int]:
            return size, len(self.rows)

    one, other = Store(), Store()
    assert await (one.insert | one.count)(range(3)).collect() == [(2, 2), (1, 3)]
    assert await other.insert(range(2)).collect() == [2]
    assert (one.rows, other.rows) == ([0, 1, 2], [0, 1])


@in_both_modes
async def test_a_pushed_batch_run(mode: str) -> None:
    """B1: subscribing gives the same batches, the rest before the end."""
    got: list[Any] = []
    stream: AsyncStream[Any] = packs("async", 1, 2).with_execution_mode(mode)(range(5))
    stream.subscribe(got.append, on_completed=lambda: got.append("end"))
    await asyncio.sleep(10)
    assert got == [(0, 1), (2, 3), (4,), "end"]


@pytest.mark.parametrize("mode", ["ordered", "as_completed"])
@pytest.mark.parametrize("source_fails", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_failure_of_the_last_batch_is_not_lost(
    asynchronous: bool, source_fails: bool, mode: Any
) -> None:
    """E1: it fails at once, while the end of its input is still being passed on."""

    def fail(batch: list[int]) -> int:
        raise ValueError(batch)

    async def fail_later(batch: list[int]) -> int:
        return fail(batch)

    def source() -> Iterator[int]:
        yield 1
        if source_fails:
            raise RuntimeError

    task = BatchTask(fail_later if asynchronous else fail, max_size=4)
    with pytest.raises(ValueError, match="1"):
        await (task | task).with_execution_mode(mode)(source()).collect()
