"""What becomes of an item that has no weight or no key? B7 of the contract."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import BatchTask, ErrorHandler, batch_task, observe, single_task
from tests.batches.cuts import arriving, cuts_of, taking, timers
from tests.kit import Boom, drain, in_both_modes, nap, now
from tests.probes.event_rules import EventRules

BAD = 3  # the item that can't be measured


def raising(item: Any) -> Any:
    raise Boom(item)


class Unhashable:
    def __hash__(self) -> int:
        raise Boom("no hash")


class Incomparable:
    def __hash__(self) -> int:
        return hash("key")

    def __eq__(self, other: object) -> bool:
        raise Boom("no equality")


async def coroutine() -> int:
    return 1


FAULTS: dict[str, tuple[str, Callable[[Any], Any], type[Exception]]] = {
    "weight raises": ("weight", raising, Boom),
    "negative": ("weight", lambda item: -1, ValueError),
    "NaN": ("weight", lambda item: float("nan"), ValueError),
    "text": ("weight", lambda item: "3", TypeError),
    "None": ("weight", lambda item: None, TypeError),
    "True": ("weight", lambda item: True, TypeError),
    "complex": ("weight", lambda item: 1j, TypeError),
    "coroutine": ("weight", lambda item: coroutine(), TypeError),
    "cancelled": ("weight", lambda item: _raise(asyncio.CancelledError()), asyncio.CancelledError),  # type: ignore[dict-item]
    "group_by raises": ("group_by", raising, Boom),
    "list": ("group_by", lambda item: [item], TypeError),
    "tuple of a list": ("group_by", lambda item: (1, [item]), TypeError),
    "hash raises": ("group_by", lambda item: Unhashable(), Boom),
    "equality raises": ("group_by", lambda item: Incomparable(), Boom),
    "coroutine key": ("group_by", lambda item: coroutine(), TypeError),
}
each_fault = pytest.mark.parametrize("fault", FAULTS)


def _raise(error: BaseException) -> Any:
    raise error


def task_with(fault: str, **options: Any) -> BatchTask[int, Any]:
    """Make a task that gives batches of two, unless an item is `BAD`."""
    option, function, _ = FAULTS[fault]
    good = {"weight": lambda item: 1, "group_by": lambda item: "key"}
    given = {**good, option: lambda item: (function if item == BAD else good[option])(item)}
    return batch_task(max_weight=2, task_name="work", **given, **options)(tuple)


@in_both_modes
@each_fault
async def test_it_fails_the_run_at_its_place(fault: str, mode: Any) -> None:
    """B7, E1: batches that were cut before are delivered, what is open is discarded."""
    stream = task_with(fault).with_execution_mode(mode)(range(9))
    got: list[Any] = []
    with pytest.raises(FAULTS[fault][2]) as caught:
        await drain(stream, got)
    assert got == [(0, 1)]
    assert caught.value.__notes__ == ["in task 'work', batch of input 3, attempt 1"]
    stats = stream.stats[0]
    assert (stats.completed, stats.failed, stats.cancelled) == (2, 1, stats.in_ - 3)
    assert str(BAD) not in str(caught.value) or isinstance(caught.value, Boom)


@in_both_modes
@each_fault
@pytest.mark.parametrize("on_error", ["skip_item", "skip_batch"])
async def test_it_is_skipped_alone(
    fault: str, on_error: Any, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """B7, E3, E4, E9: the open batch goes on as if it had not come; counted, and logged once."""
    task = task_with(fault, on_error=on_error, retry_attempts=3, retry_delay=10)
    stream = task.with_execution_mode(mode)([0, 1, 2, BAD, BAD, 4, 5, BAD])
    assert await stream.collect() == [(0, 1), (2, 4), (5,)]
    assert now() == 0, "it was tried again"
    stats = stream.stats[0]
    assert (stats.completed, stats.skipped, stats.retried) == (5, 3, 0)
    first, last = [record for record in caplog.records if record.name == "conveyor_rx"]
    assert first.levelno == last.levelno == logging.WARNING
    assert first.getMessage().startswith("task 'work' skipped input 3: ")
    assert last.getMessage() == "task 'work' skipped 3 of 8 items"


class Handler(ErrorHandler):
    """Puts a value in the place of what failed, or fails."""

    def __init__(self, value: Any = "instead", *, goes_on: bool = True, seconds: float = 0) -> None:
        self.answer = goes_on, value
        self.seconds = seconds
        self.asked: list[Any] = []

    async def handle_error(self, error: Any, item: Any, task_name: str, attempt: int) -> Any:
        await asyncio.sleep(self.seconds)
        self.asked.append((type(error), item, task_name, attempt))
        return self.answer


@in_both_modes
@each_fault
async def test_a_handler_is_asked(fault: str, mode: Any) -> None:
    """B7, E6: it gets a batch of that item alone; its value is in the place of the item."""
    handler = Handler()
    task = task_with(fault, error_handler=handler, on_error="fail", retry_attempts=3)
    stream = task.with_execution_mode(mode)([0, 1, 2, BAD, 4])
    got = await stream.collect()
    assert got == [(0, 1), "instead", (2, 4)] if mode == "ordered" else "instead" in got
    assert handler.asked == [(FAULTS[fault][2], [BAD], "work", 1)]
    assert (stream.stats[0].completed, stream.stats[0].out) == (5, 3)


@in_both_modes
async def test_a_handler_may_drop_it_or_fail(mode: Any) -> None:
    """B7, E6: None drops; `(False, None)` fails the run there, as `on_error` would."""
    task = task_with("negative", error_handler=Handler(None)).with_execution_mode(mode)
    stream = task([0, 1, BAD, 2, 4])
    assert await stream.collect() == [(0, 1), (2, 4)]
    assert stream.stats[0].dropped == 1
    task = task_with("negative", error_handler=Handler(goes_on=False), on_error="skip_item")
    got: list[Any] = []
    with pytest.raises(ValueError, match="weight"):
        await drain(task.with_execution_mode(mode)([0, 1, BAD, 2, 4]), got)
    assert got == [(0, 1)]


async def test_slow_handlers_stand_in_the_window() -> None:
    """B7, F2: each item that waits for its handler takes up room in it."""
    handler = Handler(seconds=10.0)
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for _ in range(100):
            pulled.append(BAD)
            yield BAD

    task = task_with("negative", error_handler=handler)
    reader = asyncio.ensure_future(task.with_context(max_in_flight=4)(items()).collect())
    await asyncio.sleep(5)
    assert len(pulled) == 4
    assert await reader == ["instead"] * 100


@in_both_modes
async def test_its_handler_is_asked_in_a_slot(mode: Any) -> None:
    """B7, F3: while all slots are taken it waits, and while its handler works it takes one."""
    handler = Handler(seconds=10.0)
    task = taking(
        5.0,
        max_size=1,
        concurrency_limit=1,
        weight=lambda n: -(n == BAD),
        max_weight=9,
        error_handler=handler,
    ).with_execution_mode(mode)
    stream = task([0, BAD, 2])
    reader = asyncio.ensure_future(stream.collect())
    seen = []
    for instant in (4, 14, 19):
        await asyncio.sleep(instant - now())
        seen.append((len(handler.asked), stream.stats[0].running, stream.stats[0].waiting_for_slot))
    await reader
    assert seen == [(0, 1, 2), (0, 1, 1), (1, 1, 0)]


@in_both_modes
async def test_what_was_cut_before_it_is_delivered_though_it_is_slow(mode: Any) -> None:
    """E1: ordered, the failure waits for the calls before it; as completed it ends them."""
    task = taking(
        5.0, max_size=1, concurrency_limit=2, weight=lambda n: -(n == 4), max_weight=9
    ).with_execution_mode(mode)
    got: list[Any] = []
    with pytest.raises(ValueError, match="weight"):
        await drain(task(arriving([1.0] * 9)), got)
    assert (got, now()) == (([0, 1, 2, 3], 11.0) if mode == "ordered" else ([], 1.0))


@in_both_modes
async def test_other_groups_and_clocks_go_on(mode: Any) -> None:
    """B7, B3: a refused item starts no clock, and cuts nothing."""
    weights = {2: -1}
    task = taking(
        0.1,
        max_weight=2,
        max_wait=1.0,
        weight=lambda n: weights.get(n, 1),
        group_by=lambda n: n % 2,
        on_error="skip_item",
    ).with_execution_mode(mode)
    assert await cuts_of(task(arriving([1.0, 1.2, 1.4, 5.0, 5.1, 5.2]))) == [
        (2.0, (0,), "wait"),
        (2.2, (1,), "wait"),
        (5.2, (3, 5), "weight"),
        (5.2, (4,), "flush"),
    ]


@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
@pytest.mark.parametrize("handled", [False, True])
async def test_probes_are_told_of_a_call_that_fails(
    mode: Any, on_error: Any, handled: bool
) -> None:
    """P2, B7: one attempt, its error, and what became of the item; the counters agree."""
    rules = EventRules()
    handler = Handler() if handled else None
    task = task_with("list", on_error=on_error, error_handler=handler, retry_attempts=2)
    stream = (nap | task).with_execution_mode(mode)([0, 1, 2, BAD, 4, 5])
    with observe(rules):
        await asyncio.gather(stream.collect(), return_exceptions=True)
    rules.check_end()
    if on_error == "skip_item" or handled:
        rules.check_counters(stream.stats)
    assert not rules.broken
    (failed,) = rules.of("attempt_failed")
    (call,) = [event for event in rules.of("call_started", 2) if event.call == failed.call]
    assert failed.inputs == call.inputs == (3,)
    assert isinstance(failed.error, TypeError)
    (end,) = [event for event in rules.of("call_ended", 2) if event.call == failed.call]
    expected = "completed" if handled else "failed" if on_error == "fail" else "skipped"
    assert end.reason == expected


@in_both_modes
@pytest.mark.parametrize("fails", [False, True])
async def test_a_function_that_closes_its_own_run(mode: Any, fails: bool) -> None:
    """L2, E9: the item is cancelled with all others; what it raises then is not lost."""
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, what: told.append(what))

    def weigh(number: int) -> int:
        if number == 2:
            subscription.dispose()
            if fails:
                raise Boom
        return 1

    task: BatchTask[int, Any] = batch_task(max_weight=9, weight=weigh, max_wait=5.0)(tuple)
    stream = task.with_execution_mode(mode)(range(5))
    subscription = stream.subscribe()
    await asyncio.sleep(1)
    assert [type(what["exception"]) for what in told] == [Boom] * fails
    assert timers() == 0


@in_both_modes
@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
async def test_the_end_of_the_process_is_no_failure_of_an_item(mode: Any, end: Any) -> None:
    """E8: it ends the run and propagates."""
    task: BatchTask[int, Any]
    task = batch_task(max_weight=9, weight=lambda n: _raise(end()), on_error="skip_item")(tuple)
    stream = task.with_execution_mode(mode)(range(5))
    with pytest.raises(end):
        await stream.collect()
    assert stream.stats[0].failed == 1


async def test_side_inputs_that_are_still_loading_hold_up_no_refusal() -> None:
    """S1, B7: the function is not needed for it."""

    async def load() -> int:
        await asyncio.sleep(3.0)
        return 10

    @batch_task(max_weight=2, weight=lambda n: n, on_error="skip_item")
    async def add(batch: list[int], number: int) -> list[int]:
        return [item + number for item in batch]

    stream = add.with_inputs(load())([1, -1, 1, -1, 1])
    assert await stream.collect() == [11, 11, 11]
    assert stream.stats[0].skipped == 2


async def test_a_batch_of_lists_names_all_inputs_of_the_refused_item() -> None:
    """E2: an item that a batch has given comes from all that were in it."""
    sums = batch_task(max_size=3)(sum)
    task: BatchTask[int, Any] = batch_task(max_weight=9, weight=lambda n: 5 - n)(tuple)
    with pytest.raises(ValueError, match="at least 0") as caught:
        await (sums | task)(range(9)).collect()
    assert caught.value.__notes__ == ["in task 'tuple', batch of inputs 3 to 5, attempt 1"]


async def test_the_traceback_leads_to_the_users_function() -> None:
    """E2: what lies between in the engine is left out."""
    task: BatchTask[int, Any] = batch_task(max_weight=9, weight=raising)(tuple)
    with pytest.raises(Boom) as caught:
        await task([1]).collect()
    assert caught.traceback[-1].name == "raising"


@in_both_modes
async def test_a_weight_behind_a_failing_stage_is_not_asked_for(mode: Any) -> None:
    """E1: nothing begins behind a failure."""
    asked: list[int] = []

    @single_task(concurrency_limit=1)
    async def check(number: int) -> int:
        await asyncio.sleep(0.1)
        if number == 2:
            raise Boom
        return number

    def weigh(number: int) -> int:
        asked.append(number)
        return 1

    task: BatchTask[int, Any] = batch_task(max_weight=9, weight=weigh)(tuple)
    with pytest.raises(Boom):
        await (check | task).with_execution_mode(mode)(range(9)).collect()
    assert asked == [0, 1]
