"""Where did it fail? Notes and logs number the source's items, from 0, as diagrams do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, BatchTask, Pipeline, SingleTask
from conveyor_rx._inputs import name_inputs, named
from conveyor_rx.events import Event, observe
from tests.kit import Boom, in_both_modes, watched_or_not
from tests.values.test_odd_values import read


def until(*bad: Any) -> Callable[[Any], Any]:
    """Make a function that fails for an item in `bad`, or a batch with one."""

    def check(what: Any) -> Any:
        if any(item in bad for item in (what if isinstance(what, list) else [what])):
            raise Boom
        return what

    return check


def later(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def call(what: Any) -> Any:
        await asyncio.sleep(0.5)
        return function(what)

    return call


def generator(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def generate(what: Any) -> Iterator[Any]:
        yield function(what)

    return generate


def work(function: Callable[[Any], Any], **options: Any) -> SingleTask[Any, Any]:
    return SingleTask(function, task_name="f", **options)


def batch(function: Callable[[Any], Any], size: int, **options: Any) -> BatchTask[Any, Any]:
    return BatchTask(function, size, task_name="f", **options)


def rx(*operators: Any) -> Pipeline[Any, Any]:
    return Pipeline[Any, Any]().add(*operators)


class Own(BaseTask[Any, Any]):
    """Passes on the even ones."""

    def __init__(self, *bad: int) -> None:
        super().__init__(task_name="own")
        self.check = until(*bad)

    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            if self.check(item) % 2 == 0:
                yield item


def evens(n: int) -> int | None:
    return n if n % 2 == 0 else None


def twice(n: int) -> list[int]:
    return [n, -n]


def first(items: list[int]) -> int:
    return items[0]


def same(items: list[int]) -> list[int]:
    return items


def fewer(items: list[int]) -> list[int]:
    return items[1:]


WHERE: dict[str, tuple[Callable[[], Any], str]] = {
    "single": (lambda: work(until(7)), "in task 'f', input 7, attempt 1"),
    "async": (lambda: work(later(until(7))), "in task 'f', input 7, attempt 1"),
    "generator": (lambda: work(generator(until(7))), "in task 'f', input 7, attempt 1"),
    "batch": (lambda: batch(until(7), 3), "in task 'f', batch of inputs 6 to 8, attempt 1"),
    "async batch": (
        lambda: batch(later(until(7)), 3),
        "in task 'f', batch of inputs 6 to 8, attempt 1",
    ),
    "batch generator": (
        lambda: batch(generator(until(7)), 3),
        "in task 'f', batch of inputs 6 to 8, attempt 1",
    ),
    "batch of one": (lambda: batch(until(7), 1), "in task 'f', batch of input 7, attempt 1"),
    "behind a filter": (
        lambda: SingleTask(evens) | batch(until(12), 3),
        "in task 'f', batch of inputs 12, 14 and 16, attempt 1",
    ),
    "a large batch with gaps": (
        lambda: SingleTask(evens) | batch(until(12), 8),
        "in task 'f', batch of 8 inputs from 0 to 14, attempt 1",
    ),
    "behind a batch": (
        lambda: BatchTask(first, 3) | work(until(6)),
        "in task 'f', inputs 6 to 8, attempt 1",
    ),
    "behind a batch that gives as many": (
        lambda: BatchTask(same, 3) | work(until(7)),
        "in task 'f', input 7, attempt 1",
    ),
    "behind an async batch that gives as many": (
        lambda: BatchTask(later(same), 3) | work(later(until(7))),
        "in task 'f', input 7, attempt 1",
    ),
    "behind a batch that gives fewer": (
        lambda: BatchTask(fewer, 3) | work(until(7)),
        "in task 'f', inputs 6 to 8, attempt 1",
    ),
    "behind a batch generator": (
        lambda: BatchTask(generator(first), 3) | work(until(6)),
        "in task 'f', inputs 6 to 8, attempt 1",
    ),
    "a batch of batches": (
        lambda: BatchTask(first, 3) | batch(until(9), 2),
        "in task 'f', batch of inputs 6 to 11, attempt 1",
    ),
    "behind fan-out": (
        lambda: SingleTask(twice) | work(until(-7), concurrency_limit=1),
        "in task 'f', input 7, attempt 1",
    ),
    "a batch behind fan-out": (
        lambda: SingleTask(twice) | batch(until(-7), 2),
        "in task 'f', batch of input 7, attempt 1",
    ),
    "in order, behind a filter": (
        lambda: SingleTask(later(evens)) | work(until(8), concurrency_limit=1),
        "in task 'f', input 8, attempt 1",
    ),
    "behind rx": (
        lambda: rx(ops.filter(lambda n: n % 2 == 0), ops.map(lambda n: n + 100)) | work(until(108)),
        "in task 'f', input 8, attempt 1",
    ),
    "behind rx that gives several": (
        lambda: (
            SingleTask(later(evens))
            | rx(ops.flat_map(lambda n: reactivex.of(n, -n)))
            | work(later(until(-8)), concurrency_limit=1)
        ),
        "in task 'f', input 8, attempt 1",
    ),
    "behind a timer": (
        lambda: rx(ops.to_list(), ops.delay(1.0)) | work(lambda _: 1 / 0),
        "in task 'f', attempt 1",
    ),
    "behind own": (lambda: Own() | work(until(8)), "in task 'f', input 8, attempt 1"),
    "own": (lambda: Own(7), "in task 'own', input 7"),
    "own, behind a batch": (
        lambda: BatchTask(first, 3) | Own(6),
        "in task 'own', inputs 6 to 8",
    ),
    "through own": (lambda: work(until(7)) | Own(), "in task 'f', input 7, attempt 1"),
}


@in_both_modes
@watched_or_not
@pytest.mark.parametrize("kind", WHERE)
async def test_the_note_says_which_of_the_source_s_items(
    kind: str, mode: Any, watched: bool
) -> None:
    """E2: the number is that of the item in the source, wherever it has got to."""
    make, note = WHERE[kind]
    if mode == "as_completed" and "own" in kind:
        mode = "ordered"  # what it has fetched last is not known
    for data in (range(20), iter(range(20)), numbers(20), reactivex.from_iterable(range(20))):
        with pytest.raises((Boom, ZeroDivisionError)) as info:
            await read(make().with_execution_mode(mode)(data), "async for", watched=watched)
        assert info.value.__notes__ == [note]


async def numbers(count: int, error: Exception | None = None) -> AsyncIterator[int]:
    for number in range(count):
        yield number
    if error is not None:
        raise error


@in_both_modes
@pytest.mark.parametrize("kind", [kind for kind in WHERE if not kind.startswith("own")])
async def test_the_numbers_are_those_of_the_diagram(kind: str, mode: Any) -> None:
    """E2: what a note says is what the events of the failed attempt say."""
    events: list[Event] = []
    with pytest.raises((Boom, ZeroDivisionError)) as info, observe(events.append):
        await WHERE[kind][0]().with_execution_mode(mode)(range(20)).collect()
    (failed,) = [event for event in events if event.kind == "attempt_failed"]
    (note,) = info.value.__notes__
    assert name_inputs(failed.inputs) in note


SOURCES: dict[str, Callable[[int, Exception], Any]] = {
    "iterable": lambda count, error: failing(count, error),
    "async iterable": numbers,
    "observable": lambda count, error: reactivex.concat(
        reactivex.from_iterable(range(count)), reactivex.throw(error)
    ),
    "stream": lambda count, error: AsyncStream(failing(count, error)),
}


def failing(count: int, error: Exception) -> Iterator[int]:
    yield from range(count)
    raise error


@in_both_modes
@watched_or_not
@pytest.mark.parametrize("kind", SOURCES)
async def test_a_source_that_fails_says_after_which_item(
    kind: str, mode: Any, watched: bool
) -> None:
    """E2, E7: the note names the last item that the source gave."""
    for stage in (work(later(until())), batch(same, 2), Own(), rx(ops.map(lambda n: n))):
        for count, where in ((0, "before input 0"), (3, "after input 2"), (600, "after input 599")):
            error = Boom()
            stream = stage.with_execution_mode(mode)(SOURCES[kind](count, error))
            with pytest.raises(Boom) as info:
                await read(stream, "subscribe", watched=watched)
            assert info.value is error
            assert error.__notes__ == [f"in the source, {where}"]


async def test_a_source_that_can_not_begin() -> None:
    """E2, E7: nor can what is no iterator at all."""

    class Broken:
        def __iter__(self) -> Any:
            raise Boom

    with pytest.raises(Boom) as info:
        await work(until())(Broken()).collect()
    assert info.value.__notes__ == ["in the source, before input 0"]


async def test_a_task_within_the_source_is_named_as_well() -> None:
    """E2: a pipeline that reads a pipeline: both say where, each with its own numbers."""
    inner = work(until(14))(n * 2 for n in range(20))
    with pytest.raises(Boom) as info:
        await SingleTask(lambda n: n, task_name="outer")(inner).collect()
    assert info.value.__notes__ == [
        "in task 'f', input 7, attempt 1",
        "in the source, after input 6",
    ]


def test_how_inputs_are_named() -> None:
    """E2: ranges, gaps, and many."""
    assert [
        name_inputs(numbers) for numbers in ([], [7], [6, 7], [8, 6, 7], [6, 8, 9], [1, 9])
    ] == [
        "",
        "input 7",
        "inputs 6 and 7",
        "inputs 6 to 8",
        "inputs 6, 8 and 9",
        "inputs 1 and 9",
    ]
    assert name_inputs([*range(5), 9]) == "6 inputs from 0 to 9"
    shared: Any = [1, 2]
    assert named([shared, shared, 7, None]) == "inputs 1, 2 and 7"


# -- skips


SKIPPING: dict[str, tuple[Callable[[], Any], str, int]] = {
    "def": (lambda: work(until(3, 4), on_error="skip_item"), "input 3", 2),
    "async": (lambda: work(later(until(3, 4)), on_error="skip_item"), "input 3", 2),
    "generator": (lambda: work(generator(until(3, 4)), on_error="skip_batch"), "input 3", 2),
    "batch": (lambda: batch(until(3, 6), 2, on_error="skip_item"), "input 3", 2),
    "whole batch": (
        lambda: batch(until(3, 6), 2, on_error="skip_batch"),
        "inputs 2 and 3",
        4,
    ),
}


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.levelno for record in caplog.records} <= {logging.WARNING}
    messages = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return messages


@in_both_modes
@watched_or_not
@pytest.mark.parametrize("kind", SKIPPING)
async def test_what_is_skipped_is_logged_at_first_and_at_the_end(
    kind: str, mode: Any, watched: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """E9: one warning at the first skip of a stage in a run, and one with the sum at the end."""
    make, where, count = SKIPPING[kind]
    for way in ("async for", "collect", "subscribe"):
        got = await read(make().with_execution_mode(mode)(range(8)), way, watched=watched)
        assert len(got) < 8
        beginning, end = warnings_of(caplog)
        assert beginning.startswith(f"task 'f' skipped {where}: Boom")
        assert end == f"task 'f' skipped {count} of 8 items"


async def test_a_run_that_skips_nothing_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """E9: nor does one whose items are dropped by None or replaced by a handler."""
    task = SingleTask(evens, on_error="skip_item")
    assert await task(range(4)).collect() == [0, 2]
    assert warnings_of(caplog) == []


async def test_each_stage_and_each_run_has_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """E9: the log of one stage or run is none of another."""
    one = SingleTask(until(1), on_error="skip_item", task_name="one")
    two = SingleTask(until(2), on_error="skip_item", task_name="two")
    for _ in range(2):
        assert await (one | two)(range(4)).collect() == [0, 3]
        messages = warnings_of(caplog)
        assert sum("'one'" in message for message in messages) == 2
        assert sum("'two'" in message for message in messages) == 2


@in_both_modes
@pytest.mark.parametrize("end", ["failure", "close", "break", "dispose", "cancel", "never read on"])
async def test_the_sum_is_logged_however_the_run_ends(
    end: str, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """E9: completed or not, the end of a run says what it has skipped."""

    def check(n: int) -> int:
        if n == 100 and end == "failure":
            raise Boom
        return n

    skipping = SingleTask(until(1, 2), on_error="skip_item", task_name="skip")
    endless = iter(range(200 if end == "failure" else 10**9))
    stream = (skipping | SingleTask(later(check))).with_execution_mode(mode)(endless)
    match end:
        case "failure":
            with pytest.raises(Boom):
                await stream.collect()
        case "close" | "never read on":
            assert await anext(stream) == 0
            assert await anext(stream) == 3
            if end == "close":
                await stream.aclose()
        case "break":
            async for n in stream:
                if n == 3:
                    break
        case "dispose":
            subscription = stream.subscribe(lambda _: None)
            await asyncio.sleep(5)
            subscription.dispose()
        case _:
            reading = asyncio.ensure_future(stream.collect())
            await asyncio.sleep(5)
            reading.cancel()
            await asyncio.wait([reading])
    del stream
    await asyncio.sleep(0)
    beginning, sum_ = warnings_of(caplog)
    assert beginning.startswith("task 'skip' skipped input 1: Boom")
    assert sum_.startswith("task 'skip' skipped 2 of ")


async def test_contents_stay_out(caplog: pytest.LogCaptureFixture) -> None:
    """E2: the log has the type of the error, and no message or item."""

    def refuse(item: str) -> str:
        raise ValueError(item)

    assert await SingleTask(refuse, on_error="skip_item")(["hunter2"]).collect() == []
    assert "hunter2" not in " ".join(warnings_of(caplog))
