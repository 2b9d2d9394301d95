"""How many items may be skipped? D4 and D5 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import BatchTask, PipelineContext, RetryConfig, SingleTask, batch_task, single_task
from conveyor_rx.events import observe
from tests.errors.failing import (
    Answer,
    Batches,
    Slow,
    by_subscribing,
    ending,
    function,
    of_each_kind,
    timed_ending,
)
from tests.errors.test_dead_letters import Letters, numbers
from tests.kit import Boom, in_both_modes, same
from tests.probes.event_rules import EventRules


def bad(*items: int) -> Callable[[int], int]:
    """Make a function that fails for these items, each time with another error."""

    def check(item: int) -> int:
        if item in items:
            raise Boom(item)
        return item

    return check


def skipping(kind: str, *items: int, **options: Any) -> SingleTask[int, int]:
    options = {"task_name": "work", "on_error": "skip_item", **options}
    return SingleTask(function(kind, bad(*items)), **options)


def note(error: BaseException | None) -> str:
    assert error is not None, "nothing was raised"
    (only,) = error.__notes__
    return only


# -- a number of items


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("with_letter", [False, True])
async def test_one_item_too_many_fails_the_run_at_its_place(
    kind: str, mode: Any, with_letter: bool
) -> None:
    """D4, D1, E1: with its own error, a note of the budget, and without a letter."""
    letters = Letters()
    options = {"dead_letter": letters} if with_letter else {}
    task = skipping(kind, 1, 3, 5, 6, max_failures=2, concurrency_limit=1, **options)
    stream = task.with_execution_mode(mode)(range(9))
    got, error = await ending(stream)
    assert isinstance(error, Boom)
    assert error.args == (5,)
    assert note(error) == "in task 'work', input 5, attempt 1, beyond max_failures=2 of task 'work'"
    assert got[:3] == [0, 2, 4]
    assert mode == "as_completed" or got == [0, 2, 4]
    assert letters.items == ([1, 3] if with_letter else [])
    assert (stream.stats[0].skipped, stream.stats[0].failed) == (2, 1)


@of_each_kind
@in_both_modes
async def test_as_many_as_the_budget_are_skipped(kind: str, mode: Any) -> None:
    """D4: and it is a normal end."""
    stream = skipping(kind, 1, 3, 5, max_failures=3).with_execution_mode(mode)(range(7))
    assert await stream.collect() == [0, 2, 4, 6]
    assert stream.stats[0].skipped == 3


@of_each_kind
async def test_a_budget_of_nothing(kind: str) -> None:
    """D4: with 0 the first failure ends the run, as with "fail", and the note says so."""
    got, error = await ending(skipping(kind, 2, max_failures=0)(range(5)))
    assert got == [0, 1]
    assert note(error).endswith("beyond max_failures=0 of task 'work'")


async def test_a_plain_function_makes_no_call_behind_the_item_too_many() -> None:
    """D4, E1: the failure is there at once, so nothing new is started."""
    calls: list[int] = []

    @single_task(on_error="skip_item", max_failures=1)
    def work(item: int) -> int:
        calls.append(item)
        raise Boom

    _, error = await ending(work(range(99)))
    assert isinstance(error, Boom)
    assert calls == [0, 1]


async def test_a_later_item_uses_the_budget_up_while_an_earlier_one_runs() -> None:
    """D4, E1: ordered: what is before it is still delivered, at its instants."""
    work = Slow({0: 5, 1: 1, 2: 6, 3: 2, 4: 9})
    work.fails = {1: Boom(1), 3: Boom(3)}
    task = SingleTask(work, on_error="skip_item", max_failures=1)
    got, (at, error) = await timed_ending(task(range(5)))
    assert error is work.fails[3]
    assert (got, at) == ([(5, 0), (6, 2)], 6)
    assert work.ended == [(1, 1), (2, 3), (2, 4), (5, 0), (6, 2)]


async def test_a_later_item_uses_the_budget_up_as_completed() -> None:
    """D4, E1: what had completed before is delivered, what runs is cancelled."""
    work = Slow({0: 5, 1: 1, 2: 0.5, 3: 2, 4: 9})
    work.fails = {1: Boom(1), 3: Boom(3)}
    task = SingleTask(work, on_error="skip_item", max_failures=1)
    got, (at, error) = await timed_ending(task.as_completed(range(5)))
    assert error is work.fails[3]
    assert (got, at) == ([(0.5, 2)], 2)


async def test_an_earlier_item_fails_when_the_budget_is_used_up() -> None:
    """D4, E1: each failing item is one too many then; of two failures the earlier place wins."""
    work = Slow({0: 5, 1: 1, 2: 6, 3: 2})
    work.fails = {0: Boom(0), 1: Boom(1), 3: Boom(3)}
    task = SingleTask(work, on_error="skip_item", max_failures=1)
    got, (at, error) = await timed_ending(task(range(4)))
    assert error is work.fails[0]
    assert (got, at) == ([], 5)


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "def"])
async def test_items_whose_letters_are_under_way_count(mode: Any, kind: str) -> None:
    """D4: or many that fail at once would all be skipped."""
    letters = Letters(5)
    task = skipping(kind, *range(9), max_failures=3, dead_letter=letters)
    stream = task.with_execution_mode(mode)(range(9))
    _, error = await ending(stream)
    assert isinstance(error, Boom)
    assert error.args == (3,)
    assert letters.begun == [0, 1, 2]
    assert letters.items == ([0, 1, 2] if mode == "ordered" else [])


async def test_a_note_that_names_the_deadline_and_the_budget() -> None:
    """D4, T2, E2: one note says why it was not tried again, and why that ends the run."""
    config = RetryConfig(9, 2.0, total_timeout=5)
    _, error = await ending(skipping("async", 1, max_failures=0, retry_config=config)(range(3)))
    assert note(error) == (
        "in task 'work', input 1, attempt 2, no time left of total_timeout=5 s, "
        "beyond max_failures=0 of task 'work'"
    )


# -- batches


@in_both_modes
async def test_a_skipped_batch_counts_all_of_its_items(mode: Any) -> None:
    """D4, E4: a batch that would go beyond the budget fails whole, and gets no letter."""
    letters = Letters()
    task = BatchTask(
        Batches(1, 7), 5, 5, on_error="skip_batch", max_failures=9, dead_letter=letters
    )
    stream = task.with_execution_mode(mode)(range(15))
    got, error = await ending(stream)
    assert "batch of inputs 5 to 9, attempt 1, beyond max_failures=9 of task" in note(error)
    assert (got, letters.items) == ([], [0, 1, 2, 3, 4])
    assert (stream.stats[0].skipped, stream.stats[0].failed) == (5, 5)
    more = BatchTask(Batches(1, 7), 5, 5, on_error="skip_batch", max_failures=10)
    assert await more.with_execution_mode(mode)(range(15)).collect() == [10, 11, 12, 13, 14]


@in_both_modes
async def test_a_budget_is_used_up_while_a_batch_is_halved(mode: Any) -> None:
    """D4, E3, E1: what the halves before it gave is delivered; single items count."""
    letters, work = Letters(), Batches(3, 4)
    task = BatchTask(work, 8, 8, on_error="skip_item", max_failures=1, dead_letter=letters)
    stream = task.with_execution_mode(mode)(range(16))
    got, error = await ending(stream)
    assert got == [0, 1, 2]
    assert note(error).startswith("in task 'Batches', batch of input 4, attempt 1, beyond")
    assert letters.items == [3]
    assert work.calls[-1] == [4]
    assert numbers(stream)[2:5] == (1, 1, 1)
    assert stream.stats[0].cancelled >= 3  # the items behind it in its own batch


@in_both_modes
async def test_two_adjacent_bad_items_of_a_batch_within_the_budget(mode: Any) -> None:
    """D4, E3: they count as two, not as the halves in which they failed."""
    task = BatchTask(Batches(3, 4), 8, 8, on_error="skip_item", max_failures=2)
    stream = task.with_execution_mode(mode)(range(16))
    assert await stream.collect() == [0, 1, 2, *range(5, 16)]


# -- of the run


@in_both_modes
async def test_the_budget_of_the_run_counts_over_all_tasks(mode: Any) -> None:
    """D4: and says that it is the run's."""
    first, second = skipping("async", 1, 2), skipping("def", 4, 6, task_name="second")
    pipeline = (first | second).with_context(max_failures=3, max_in_flight=1, execution_mode=mode)
    stream = pipeline(range(8))
    got, error = await ending(stream)
    assert note(error) == "in task 'second', input 6, attempt 1, beyond max_failures=3 of the run"
    assert got == [0, 3, 5]
    assert await (first | second).with_context(max_failures=4)(range(8)).collect() == [0, 3, 5, 7]


@in_both_modes
async def test_both_budgets_hold(mode: Any) -> None:
    """D4: the task's and the run's; whichever is used up first."""
    task = skipping("async", 1, 2, 3, max_failures=1, concurrency_limit=1)
    for of_run, expected in ((5, "1 of task 'work'"), (0, "0 of the run")):
        pipeline = task.with_context(max_failures=of_run, execution_mode=mode)
        _, error = await ending(pipeline(range(5)))
        assert note(error).endswith(f"beyond max_failures={expected}")


async def test_budgets_of_two_runs_of_one_task() -> None:
    """D4, L6: a budget is a run's, though the task is shared; the next run has all of it again."""
    task = skipping("async", 1, 3, max_failures=2)
    streams = [task.with_context(max_failures=2)(range(5)) for _ in range(3)]
    assert await asyncio.gather(*(each.collect() for each in streams)) == [[0, 2, 4]] * 3


# -- shares


async def test_a_share_is_judged_at_a_failing_item_once_enough_have_settled() -> None:
    """D4: 100 items, this one included; before that any share may fail."""
    task = skipping("def", *range(50), 99, max_failures=0.5)
    got, error = await ending(task(range(200)))
    assert note(error).endswith("beyond max_failures=0.5 of task 'work': 51 of 100 items")
    assert got == [*range(50, 99)]
    task = skipping("def", *range(50), 98, max_failures=0.5)  # the 99th: not judged yet
    assert len(await task(range(200)).collect()) == 149


@of_each_kind
@in_both_modes
async def test_a_share_that_is_exceeded_fails_the_run_there(kind: str, mode: Any) -> None:
    """D4, E1: with the item's own error and how many of how many."""
    task = skipping(kind, 0, 1, 149, 160, max_failures=0.015, concurrency_limit=1)
    stream = task.with_execution_mode(mode)(range(300))
    got, error = await ending(stream)
    assert isinstance(error, Boom)
    assert error.args == (149,)
    budget = "beyond max_failures=0.015 of task 'work': 3 of 150 items"
    assert note(error) == f"in task 'work', input 149, attempt 1, {budget}"
    assert got == [*range(2, 149)]


@pytest.mark.parametrize("share", [0.01, 0.07, 0.14, 0.28, 0.29, 0.55, 0.57, 0.58])
async def test_a_share_itself_is_not_too_much(share: float) -> None:
    """D4: 29 of 100 items are 0.29, whatever the floating point says of 0.29 * 100."""
    count = round(share * 100)
    failing_ones = range(100 - count, 100)
    stream = skipping("def", *failing_ones, max_failures=share)(range(100))
    assert len(await stream.collect()) == 100 - count
    _, error = await ending(skipping("def", 0, *failing_ones, max_failures=share)(range(100)))
    assert error is not None


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("way", ["async for", "collect", "subscribe"])
async def test_a_share_is_judged_at_the_end(kind: str, mode: Any, way: str) -> None:
    """D4: of fewer than 100 items too: behind all results comes the error of the last one."""
    task = skipping(kind, 2, 3, max_failures=0.3, concurrency_limit=1)
    stream = task.with_execution_mode(mode)(range(5))
    error: BaseException | None
    if way == "async for":
        got, error = await ending(stream)
        assert got == [0, 1, 4]
    elif way == "collect":
        with pytest.raises(Boom) as caught:
            await stream.collect()
        error = caught.value
    else:
        error, _ = await by_subscribing(stream)
    assert isinstance(error, Boom)
    assert error.args == (3,)
    budget = "beyond max_failures=0.3 of task 'work': 2 of 5 items"
    assert note(error) == f"in task 'work', input 3, attempt 1, {budget}"
    if way != "subscribe":
        assert numbers(stream) == (5, 3, 2, 0, 0, 0)  # they were skipped: it is the run that failed


@in_both_modes
async def test_a_share_that_is_kept_at_the_end(mode: Any) -> None:
    """D4: a normal end, with few items and with many."""
    for count, wrong in ((5, 1), (50, 10), (1000, 200), (0, 0), (7, 0)):
        task = skipping("async", *range(4, 5 * wrong, 5), max_failures=0.2)
        stream = task.with_execution_mode(mode)(range(count))
        assert len(await stream.collect()) == count - wrong


async def test_a_share_at_the_end_of_a_batch_task() -> None:
    """D4: of items; a rest that is dropped has settled too."""
    task = BatchTask(Batches(0), 2, 3, on_error="skip_batch", max_failures=0.4, task_name="work")
    got, error = await ending(task(range(7)))
    assert got == [3, 4, 5]
    assert note(error).endswith("batch of inputs 0 to 2, attempt 1, beyond max_failures=0.4 of "
                                "task 'work': 3 of 7 items")  # fmt: skip


async def test_a_share_of_the_run_is_one_of_the_items_of_the_busiest_task() -> None:
    """D4: a task behind fan-out settles more, one behind a filter less."""
    wide = SingleTask(lambda number: [number] * 10)
    work = skipping("def", 1)
    for share, is_kept in ((0.25, True), (0.24, False)):
        stream = (work | wide | same).with_context(max_failures=share)(range(4))
        assert len(await stream.collect()) == 30  # 1 of 30 items
        stream = (work | same).with_context(max_failures=share)(range(4))
        got, error = await ending(stream)
        assert got == [0, 2, 3]
        assert (error is None) is is_kept
        assert is_kept or note(error).endswith("of the run: 1 of 4 items")


async def test_a_share_counts_no_cancelled_items() -> None:
    """D4: what an end has let go of has not settled."""
    work = Slow(dict.fromkeys(range(150), 1) | {0: 9})
    work.fails = {n: Boom(n) for n in (*range(4), 120)}

    @single_task
    async def fail(item: int) -> int:
        if item == 140:
            await asyncio.sleep(1)
            raise ValueError(item)
        return item

    task = SingleTask(work, on_error="skip_item", max_failures=0.034, task_name="work")
    # 0 fails last, at 9 s, when the run has failed behind it already: 5 of 150
    _, error = await ending((task | fail)(range(150)))
    assert isinstance(error, ValueError)


async def test_probes_are_told_of_an_end_by_a_share() -> None:
    """D4, P2: the run failed, with that error; all that happened before is told as it was."""
    rules = EventRules()
    stream = skipping("async", 1, max_failures=0.1)(range(3))
    with observe(rules):
        _, error = await ending(stream)
    rules.check_end()
    rules.check_counters(stream.stats)
    assert not rules.broken
    (end,) = rules.of("run_ended")
    assert (end.reason, end.error) == ("failed", error)


async def test_a_share_of_a_run_that_is_closed_is_not_judged() -> None:
    """D4, L1: only at its end."""
    stream = skipping("async", 0, 1, max_failures=0.1)(range(5))
    async with stream:
        assert await anext(stream) == 2


# -- D5


@in_both_modes
async def test_what_a_handler_puts_in_place_does_not_count(mode: Any) -> None:
    """D5, E6: nor what it drops; it is no failure any more."""
    for value, expected in ((7, [7, 7, 7, 3]), (None, [3])):
        task = skipping(
            "async", 0, 1, 2, max_failures=0, error_handler=Answer((True, value))
        ).with_context(max_failures=0, execution_mode=mode)
        assert sorted(await task(range(4)).collect(), reverse=True) == expected


async def test_a_retry_that_helps_does_not_count() -> None:
    """D4, E5: only items that are given up for good do."""
    tried: set[int] = set()

    @single_task(on_error="skip_item", max_failures=0, retry_attempts=2)
    async def work(item: int) -> int:
        if item not in tried:
            tried.add(item)
            raise Boom
        return item

    assert await work(range(5)).collect() == [*range(5)]


# -- the option


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, TypeError),
        (False, TypeError),
        ("3", TypeError),
        ([1], TypeError),
        (-1, ValueError),
        (0.0, ValueError),
        (1.0, ValueError),
        (1.5, ValueError),
        (-0.5, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda **o: single_task(on_error="skip_item", **o),
        lambda **o: batch_task(max_size=2, on_error="skip_item", **o),
        lambda **o: SingleTask(abs, on_error="skip_item", **o),
        lambda **o: BatchTask(sum, on_error="skip_item", **o),
        lambda **o: PipelineContext(**o),
        lambda **o: same.with_context(**o),
    ],
)
def test_a_bad_budget_is_refused(
    make: Callable[..., Any], value: Any, kind: type[Exception]
) -> None:
    """D4, E10: when it is decorated, by name."""
    with pytest.raises(kind, match=r"^max_failures must be"):
        make(max_failures=value)


@pytest.mark.parametrize("value", [3, 0, 0.5])
@pytest.mark.parametrize(
    "make",
    [
        lambda **o: single_task(**o),
        lambda **o: batch_task(max_size=2, **o),
        lambda **o: SingleTask(abs, **o),
        lambda **o: BatchTask(sum, **o),
    ],
)
def test_a_budget_without_effect_is_refused(make: Callable[..., Any], value: Any) -> None:
    """D4, E10: with `on_error="fail"` the first failure ends the run."""
    with pytest.raises(ValueError, match="max_failures has no effect with on_error='fail'"):
        make(max_failures=value)


def test_budgets_that_are_just_in_range() -> None:
    """D4, E10: the bounds themselves are allowed, and are there to be read."""
    for value in (0, 1, 10**9, 0.5, 1e-9, None):
        assert single_task(on_error="skip_item", max_failures=value)(abs).max_failures == value
        assert PipelineContext(max_failures=value).max_failures == value


@pytest.mark.parametrize("value", ["log", 5, [print], lambda failure: (yield)])
@pytest.mark.parametrize(
    "make",
    [
        lambda **o: single_task(**o),
        lambda **o: batch_task(max_size=2, **o),
        lambda **o: SingleTask(abs, **o),
        lambda **o: PipelineContext(**o),
        lambda **o: same.with_context(**o),
    ],
)
def test_a_bad_letter_is_refused(make: Callable[..., Any], value: Any) -> None:
    """D1, E10: what can't be called, and a generator function, which would do nothing."""
    with pytest.raises(TypeError, match=r"^dead_letter must be a function"):
        make(dead_letter=value)


def test_a_near_miss_in_the_context() -> None:
    """D4, E10: a name that is nearly one is not taken for data."""
    with pytest.raises(TypeError, match="did you mean 'max_failures'"):
        same.with_context(max_failure=3)
    with pytest.raises(TypeError, match="did you mean 'dead_letter'"):
        same.with_context(dead_letters=print)
