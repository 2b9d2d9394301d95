"""How are items batched by key? B6 of the contract, and B3, B4, B5 and B8 for several batches."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from conveyor_rx import BatchTask, batch_task, observe, single_task
from conveyor_rx.events import Event
from tests.batches.cuts import arriving, cuts_of, taking, timers
from tests.kit import Boom, drain, in_both_modes, nap, now


def grouped(by: Any, **options: Any) -> BatchTask[Any, Any]:
    """Make a task that gives its batches as they are."""
    return batch_task(group_by=by, **options)(tuple)


def first(item: Any) -> Any:
    return item[0]


@in_both_modes
async def test_a_batch_is_of_one_key(mode: Any) -> None:
    """B6: outputs stand in the order of the cuts; at the end the oldest batch is cut first."""
    task = grouped(first, max_size=2).with_execution_mode(mode)
    items = ["a0", "b0", "c0", "b1", "a1", "a2", "c1", "b2", "d0"]
    assert await task(items).collect() == [
        *[("b0", "b1"), ("a0", "a1"), ("c0", "c1"), ("a2",), ("b2",), ("d0",)],
    ]


@in_both_modes
async def test_the_last_group_is_not_lost(mode: Any) -> None:
    """B1, B6: one item, one group; and many groups, of which each is a rest."""
    task = grouped(first, max_size=9).with_execution_mode(mode)
    assert await task(["a"]).collect() == [("a",)]
    assert await task([]).collect() == []
    assert await task([*"abcdefg"]).collect() == [(letter,) for letter in "abcdefg"]


async def test_none_is_a_key_and_so_is_what_is_equal() -> None:
    """B6: keys are told apart as in a dict: 1, 1.0 and True are one."""
    task = grouped(first, max_size=9)
    items = [(None, 1), (1, 2), (1.0, 3), (None, 4), (True, 5), ("1", 6), ((), 7)]
    assert await task(items).collect() == [
        ((None, 1), (None, 4)),
        ((1, 2), (1.0, 3), (True, 5)),
        (("1", 6),),
        (((), 7),),
    ]


@in_both_modes
async def test_a_small_rest_of_each_group_is_dropped(
    mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """B1, B6: all are counted, and logged once."""
    task = grouped(first, min_size=2, max_size=3, task_name="pairs").with_execution_mode(mode)
    stream = task(["a", "b", "a", "c", "d", "d", "b", "d", "d"])
    assert await stream.collect() == [("d", "d", "d"), ("a", "a"), ("b", "b")]
    assert stream.stats[0].dropped == 2
    (record,) = [record for record in caplog.records if record.name == "conveyor_rx"]
    assert record.levelno == logging.WARNING
    message = "task 'pairs' dropped the last 2 items, of 2 groups, in each of them fewer than min_"
    assert record.getMessage() == f"{message}size=2"


async def test_sizes_are_those_of_tasks_without_groups() -> None:
    """B1: `max_size` is `min_size` by default."""
    stream = grouped(first, min_size=2)(["a", "b", "a", "b", "a"])
    assert await stream.collect() == [("a", "a"), ("b", "b")]
    assert stream.stats[0].dropped == 1


@in_both_modes
async def test_each_group_has_a_weight_of_its_own(mode: Any) -> None:
    """B5, B6: an item cuts only the batch that it would have entered."""
    task = grouped(lambda n: n % 2, max_weight=10, weight=abs).with_execution_mode(mode)
    assert await task([4, 5, 5, 4, 4, 99, 1, 6]).collect() == [
        *[(5, 5), (4, 4), (99,), (4, 6), (1,)],
    ]


# -- time


@in_both_modes
async def test_each_group_has_a_clock_of_its_own(mode: Any) -> None:
    """B3, B6: it starts with the first item of the batch."""
    task = taking(0.1, max_size=9, max_wait=1.0, group_by=lambda n: n % 2)
    times = [1.0, 1.5, 1.8, 1.9, 2.7, 3.0, 60.0]
    assert await cuts_of(task.with_execution_mode(mode)(arriving(times))) == [
        (2.0, (0, 2), "wait"),
        (2.5, (1, 3), "wait"),
        (3.7, (4,), "wait"),
        (4.0, (5,), "wait"),
        (60.0, (6,), "flush"),
    ]


async def test_groups_due_at_one_instant_are_cut_oldest_first() -> None:
    """B4, B6: as soon as there is a slot for each of them."""
    task = taking(10.0, max_size=9, max_wait=1.0, concurrency_limit=2, group_by=lambda n: -n % 3)
    assert await cuts_of(task(arriving([1.0, 1.0, 1.0, 1.0, 5.0, 60.0]))) == [
        (2.0, (0, 3), "wait"),
        (2.0, (1,), "wait"),
        (12.0, (2,), "wait"),
        (12.0, (4,), "wait"),
        (60.0, (5,), "flush"),
    ]


async def test_a_due_group_that_is_too_small_holds_up_no_other() -> None:
    """B8: it goes on waiting, and is cut at once when it is large enough."""
    task = taking(0.1, min_size=2, max_size=9, max_wait=1.0, group_by=lambda n: "abbab"[n])
    assert await cuts_of(task(arriving([1.0, 1.1, 1.2, 9.0, 9.5]))) == [
        (2.1, (1, 2), "wait"),
        (9.0, (0, 3), "wait"),
    ]


async def test_full_and_due_at_one_instant() -> None:
    """B3, B6: each item is in one batch, and the other group keeps its clock."""
    task = taking(0.1, max_size=2, max_wait=1.0, group_by=lambda n: n == 1)
    cuts = await cuts_of(task(arriving([1.0, 1.5, 2.0, 9.0])))
    assert cuts in (
        [(2.0, (0, 2), "full"), (2.5, (1,), "wait"), (9.0, (3,), "flush")],
        [(2.0, (0,), "wait"), (2.5, (1,), "wait"), (3.0, (2,), "wait"), (9.0, (3,), "flush")],
    )


async def test_with_no_wait_a_free_slot_takes_the_oldest_group() -> None:
    """B4: `max_wait=0`; the others grow meanwhile."""
    task = taking(10.0, max_size=9, max_wait=0, group_by=lambda n: n % 2)
    assert await cuts_of(task(arriving([1.0, 2, 3, 4, 5, 60]))) == [
        (1.0, (0,), "wait"),
        (11.0, (1, 3), "wait"),
        (21.0, (2, 4), "wait"),
        (60.0, (5,), "wait"),
    ]


async def test_one_timer_is_enough_for_all_clocks() -> None:
    """B3: a thousand open groups are no thousand timers."""
    most = 0

    def items() -> Iterator[int]:
        nonlocal most
        for number in range(1000):
            yield number
            most = max(most, timers())

    task = grouped(lambda n: n, max_size=9, max_wait=5.0)
    assert await task(items()).collect() == [(number,) for number in range(1000)]
    assert most == 1
    assert now() == 0


# -- the window


@in_both_modes
async def test_past_the_window_the_oldest_batch_is_cut(mode: Any) -> None:
    """B6: all open batches together hold at most `max_in_flight` items."""
    task = taking(0.0, max_size=9, group_by=lambda n: "abcadbeefaaaaaa"[n])
    pipeline = task.with_context(max_in_flight=4, execution_mode=mode)
    assert [cut[1:] for cut in await cuts_of(pipeline(range(15)))] == [
        ((0, 3), "window"),  # a, when d comes
        ((1, 5), "window"),  # b, when the first e comes: c, d and e stay
        ((2,), "window"),  # c, when f comes
        ((4,), "window"),  # d, when the next a comes
        ((6, 7), "window"),  # e, when another a comes
        ((8,), "window"),
        ((9, 10, 11, 12), "window"),  # it fills the window alone
        ((13, 14), "flush"),
    ]


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 7])
async def test_more_groups_than_the_window(window: int, mode: Any) -> None:
    """B6: with rare repetitions batches are small, and nothing is lost or waits for ever."""
    pipeline = grouped(lambda n: n % 50, max_size=3).with_context(
        max_in_flight=window, execution_mode=mode
    )
    batches = await pipeline(range(200)).collect()
    assert sorted(item for batch in batches for item in batch) == [*range(200)]


@in_both_modes
async def test_what_is_open_never_exceeds_the_window(mode: Any) -> None:
    """B6, F2: seen by the events, after each of them."""
    is_open: set[int] = set()
    seen: set[int] = set()
    most = 0

    def note(event: Event) -> None:
        nonlocal most
        if event.kind == "waiting":
            is_open.update({*event.inputs} - seen)
            seen.update(event.inputs)  # a batch may wait as well
        elif event.kind == "batch_formed":
            is_open.difference_update(event.inputs)
        elif event.kind == "pulled":
            most = max(most, len(is_open))

    task = taking(1.0, max_size=9, group_by=lambda n: n * n % 11)
    with observe(note):
        stream = task.with_context(max_in_flight=6, execution_mode=mode)(arriving([1.0] * 99))
        await stream.collect()
    assert most == 6


@pytest.mark.parametrize("keys", [257, 10_000])
@pytest.mark.parametrize("window", [None, 1024, 300])
async def test_many_keys(keys: int, window: int | None) -> None:
    """B6: more than a stage could keep a clock, a thread or a stream for."""
    task = grouped(lambda n: n % keys, max_size=2, max_wait=60.0).with_context(max_in_flight=window)
    batches = await task(range(2 * keys)).collect()
    assert sorted(item for batch in batches for item in batch) == [*range(2 * keys)]
    assert all(len({item % keys for item in batch}) == 1 for batch in batches)
    if window is None or window >= keys:
        assert batches == [(key, key + keys) for key in range(keys)]


async def test_idle_keys_hold_no_memory() -> None:
    """B6: once its batch is cut, nothing is left of a key."""
    keys: weakref.WeakSet[Any] = weakref.WeakSet()

    def by(number: int) -> Key:
        key = Key(number // 2)
        keys.add(key)
        return key

    stream = grouped(by, max_size=2, max_wait=9e9).with_context(max_in_flight=10)(range(10_000))
    async for _ in stream:
        assert len(keys) < 10


class Key:
    """A key that is what it holds, and may be changed."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.value == other.value


@in_both_modes
async def test_a_key_that_changes_corrupts_nothing(mode: Any) -> None:
    """B6: one object for all, that has another value each time; and one that changes later."""
    shared = Key(0)

    def by(number: int) -> Key:
        shared.value = number % 3
        return shared

    task = grouped(by, max_size=2, max_wait=5.0)
    for window in (1, 3, 1024):
        stream = task.with_context(max_in_flight=window, execution_mode=mode)(range(50))
        batches = await stream.collect()
        assert sorted(item for batch in batches for item in batch) == [*range(50)]
        assert stream.stats[0].completed == 50

    made: list[Key] = []

    def changing(number: int) -> Key:
        for key in made:
            key.value = -1
        made.append(Key(number % 2))
        return made[-1]

    stream = grouped(changing, max_size=3).with_context(max_in_flight=4, execution_mode=mode)(
        range(30)
    )
    batches = await stream.collect()
    assert sorted(item for batch in batches for item in batch) == [*range(30)]


async def test_keys_of_equal_hashes_and_nan() -> None:
    """B6: they are told apart; a NaN is the key that it is, as in a dict."""

    class Same(Key):
        def __hash__(self) -> int:
            return 7

    task = grouped(first, max_size=2)
    nan = float("nan")
    keys = [Same(1), Same(2), Same(1), nan, float("nan"), nan, Same(2)]
    got = await task([(key, n) for n, key in enumerate(keys)]).collect()
    assert [tuple(n for _, n in batch) for batch in got] == [(0, 2), (3, 5), (1, 6), (4,)]


# -- ends


@in_both_modes
async def test_closing_with_open_batches(mode: Any) -> None:
    """L2: all of them count as cancelled, and no timer is left."""
    task = taking(0.1, max_size=9, max_wait=5.0, group_by=lambda n: n % 3).with_execution_mode(mode)
    async with task(arriving([1.0, 1.5, 2.0, 2.5, 100.0])) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4):
                await anext(stream)
    assert stream.stats[0].cancelled == 4
    assert timers() == 0


@in_both_modes
async def test_a_failure_upstream_discards_all_open_batches(mode: Any) -> None:
    """E1: as it does one; and the source's own failure comes after them (E7)."""

    @single_task(concurrency_limit=1)
    def check(number: int) -> int:
        if number == 7:
            raise Boom
        return number

    task = grouped(lambda n: n % 3, max_size=2)
    stream = (check | task).with_execution_mode(mode)(range(20))
    got: list[Any] = []
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [(0, 3), (1, 4), (2, 5)]
    assert stream.stats[1].cancelled == 1

    def failing() -> Iterator[int]:
        yield from range(4)
        raise Boom

    stream = task.with_execution_mode(mode)(failing())
    got = []
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [(0, 3), (1,), (2,)]


@in_both_modes
async def test_a_batch_that_fails_at_the_end_leaves_the_others_unbegun(mode: Any) -> None:
    """E1: the rests behind it are cancelled, cut or not."""

    @batch_task(max_size=9, group_by=lambda n: n)
    def work(batch: list[int]) -> int:
        if batch == [2]:
            raise Boom
        return batch[0]

    stream = work.with_execution_mode(mode)(range(2000))
    got: list[int] = []
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [0, 1]
    stats = stream.stats[0]
    assert (stats.completed, stats.failed) == (2, 1)
    assert stats.in_ == 3 + stats.cancelled


@pytest.mark.real_time("the turns of the loop are counted")
async def test_the_end_of_many_groups_leaves_the_loop_its_turns() -> None:
    """F7: ten thousand rests are not cut in one go."""
    turns = 0

    async def ticker() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    ticking = asyncio.create_task(ticker())
    task = grouped(lambda n: n, max_size=2).with_context(max_in_flight=None)
    assert len(await task(range(10_000)).collect()) == 10_000
    ticking.cancel()
    assert turns > 3


@in_both_modes
async def test_a_run_that_is_closed_while_its_rests_are_cut(mode: Any) -> None:
    """L2: from inside of a call, which is the first of many; nothing begins after it."""
    called: list[int] = []

    @batch_task(max_size=9, group_by=lambda n: n)
    def work(batch: list[int]) -> None:
        called.append(batch[0])
        subscription.dispose()

    stream = work.with_execution_mode(mode)(range(500))
    subscription = stream.subscribe()
    await asyncio.sleep(1)
    assert called == [0]


@in_both_modes
async def test_groups_of_what_takes_time(mode: Any) -> None:
    """B2, B6, O1: behind calls that overtake each other, and with several batches at once."""
    work = taking(0.5, max_size=3, group_by=lambda n: n % 4, concurrency_limit=3)
    stream = (nap | work | nap).with_context(execution_mode=mode, max_in_flight=10)(range(60))
    got = await stream.collect()
    assert sorted(got) == [*range(60)]
    for key in range(4):
        mine = [number for number in got if number % 4 == key]
        assert mode != "ordered" or mine == sorted(mine)


async def test_each_subscription_has_groups_of_its_own() -> None:
    """L6: runs share no open batch."""
    stream = grouped(lambda n: n % 2, max_size=2)(range(3))
    got: list[Any] = []
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    await asyncio.sleep(1)
    assert sorted(got) == [(0, 2), (0, 2), (1,), (1,)]


async def test_without_data_nothing_is_grouped() -> None:
    """V3: the first task is called without an item, and its functions are not."""

    def refuse(item: Any) -> int:
        raise AssertionError(item)

    task: Any = batch_task(max_weight=3, weight=refuse, group_by=refuse)(lambda: "started")
    assert await task().collect() == ["started"]


def test_what_is_no_function_is_refused() -> None:
    """E10: the error names the option."""

    async def by(item: Any) -> Any:
        return item

    for value in (by, "name", 3):
        with pytest.raises(TypeError, match="group_by must be a plain function"):
            batch_task(max_size=3, group_by=value)  # type: ignore[arg-type]


def test_it_is_shown() -> None:
    """In the text of the task, as an attribute, and in its picture."""
    task = grouped(first, max_size=2)
    assert task.group_by is first
    assert "2 a batch, grouped" in repr(task)
    assert "group_by=first" in (task | task)._repr_mimebundle_()["text/plain"]
