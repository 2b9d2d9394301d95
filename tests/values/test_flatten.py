"""Is a list one output or many? `flatten`, and results that are hardly meant as one output."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import (
    BatchTask,
    ErrorHandler,
    LoggingErrorHandler,
    SingleTask,
    batch_task,
    single_task,
)
from conveyor_rx.events import Event, observe
from tests.kit import in_both_modes, watched_or_not

FUNCTIONS = ("async", "eager", "def", "def that gives a coroutine")
of_each_kind = pytest.mark.parametrize("kind", FUNCTIONS)


def function(kind: str, give: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a function of `kind` that gives `give(item)`."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        return give(item)

    async def call_eagerly(item: Any) -> Any:
        return give(item)

    kinds: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "eager": call_eagerly,
        "def": lambda item: give(item),
        "def that gives a coroutine": lambda item: call(item),
    }
    return kinds[kind]


async def results(stage: Any, data: Any, mode: Any, *, watched: bool = False) -> list[Any]:
    stream = stage.with_execution_mode(mode)(data)
    if not watched:
        return await stream.collect()
    with observe(lambda event: None):
        return await stream.collect()


def row(n: int) -> list[int]:
    return [n, 10 * n]


@in_both_modes
@watched_or_not
@of_each_kind
async def test_a_list_is_one_output(kind: str, mode: str, watched: bool) -> None:
    """V2: with `flatten=False` a list is one output, of any length, and None is still none."""
    rows = {1: row(1), 2: None, 3: [], 4: list(range(1000))}
    task = SingleTask(function(kind, rows.get), flatten=False)
    got = await results(task, [1, 2, 3, 4], mode, watched=watched)
    assert [id(value) for value in got] == [id(rows[1]), id(rows[3]), id(rows[4])]


@in_both_modes
@watched_or_not
@of_each_kind
async def test_a_list_of_a_batch_is_one_output(kind: str, mode: str, watched: bool) -> None:
    """V2: so is one of a batch, and what comes after it is called with the list."""
    sums = BatchTask(function(kind, list), 2, 2, flatten=False) | SingleTask(sum)
    assert await results(sums, [1, 2, 3, 4], mode, watched=watched) == [3, 7]


async def test_a_generator_object_is_one_output() -> None:
    """V2: a generator that a plain or async function returns is passed on as it is."""

    def squares(n: int) -> Iterator[int]:
        yield n * n

    async def later(n: int) -> Iterator[int]:
        return squares(n)

    for give in (lambda n: squares(n), later):
        (generator,) = await SingleTask(give, flatten=False)([3]).collect()
        assert list(generator) == [9]


async def test_a_retry_and_a_handler_follow_the_same_rule() -> None:
    """V2, E5, E6: what a later attempt or the handler gives is one output, too."""
    calls = 0

    @single_task(retry_attempts=2, retry_delay=0.1, flatten=False)
    async def at_the_second(n: int) -> list[int]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError
        return row(n)

    assert await at_the_second([1]).collect() == [[1, 10]]

    class Replace(ErrorHandler):
        async def handle_error(self, *_: Any) -> tuple[bool, Any]:
            return True, [0, 0]

    for flatten, wanted in ((False, [[0, 0]]), (True, [0, 0])):
        task = SingleTask(lambda _: 1 / 0, error_handler=Replace(), flatten=flatten)
        assert await task([1]).collect() == wanted


async def test_halves_of_a_batch_follow_the_same_rule() -> None:
    """V2, E3: the lists of the halves of a failing batch are one output each."""

    @batch_task(max_size=4, on_error="skip_item", flatten=False)
    def invert(batch: list[int]) -> list[float]:
        return [1 / n for n in batch]

    assert await invert([1, 2, 0, 4]).collect() == [[1.0, 0.5], [0.25]]


async def test_the_list_of_a_batch_comes_from_all_of_its_items() -> None:
    """V2: to probes, too, a list of two that a batch of two gives is one output of both items."""
    task = BatchTask(list, 2, 2, flatten=False)
    events: list[Event] = []
    with observe(events.append):
        await task([1, 2]).collect()
    assert [event.inputs for event in events if event.kind == "delivered"] == [(0, 1)]


@pytest.mark.parametrize("form", ["def", "async def", "method"])
def test_a_generator_function_can_not_be_one_output(form: str) -> None:
    """E10: `flatten=False` for a generator function is refused when it is decorated."""

    def numbers(n: int) -> Iterator[int]:
        yield n

    async def later(n: int) -> AsyncIterator[int]:
        yield n

    class Own:
        def __call__(self, n: int) -> Iterator[int]:
            yield n

    func: Any = {"def": numbers, "async def": later, "method": Own()}[form]
    for decorate in (single_task(flatten=False), batch_task(max_size=2, flatten=False)):
        with pytest.raises(ValueError, match="flatten"):
            decorate(func)


def test_the_option_can_be_read() -> None:
    """V2: a task says whether it flattens, and its copies do the same."""
    task = single_task(flatten=False)(row)
    assert (task.flatten, task.with_inputs().flatten, single_task(row).flatten) == (
        False,
        False,
        True,
    )


def test_the_picture_shows_the_option() -> None:
    """V2: in a picture `flatten=False` stands with the other options."""
    pictured = single_task(flatten=False)(row)._repr_mimebundle_()
    assert "flatten=False" in pictured["text/plain"]
    assert "flatten" not in single_task(row)._repr_mimebundle_()["text/plain"]


# -- results that are often meant as lists, and are not


@pytest.mark.parametrize(
    ("what", "give"),
    [
        ("map", lambda n: map(abs, [n])),
        ("filter", lambda n: filter(None, [n])),
        ("zip", lambda n: zip([n], [n], strict=True)),
        ("enumerate", lambda n: enumerate([n])),
        ("Future", lambda _: concurrent.futures.Future()),
    ],
)
@pytest.mark.parametrize("kind", [*FUNCTIONS, "batch"])
@pytest.mark.filterwarnings("error")
async def test_what_is_hardly_meant_as_one_is_logged_once(
    kind: str, what: str, give: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """V2: it is one output all the same, and the first of a stage in a run is logged."""
    task: Any = (
        BatchTask(lambda batch: give(batch[0]), 1, task_name="work")
        if kind == "batch"
        else SingleTask(function(kind, give), task_name="work")
    )
    got = await task([1, 2, 3]).collect()
    assert [type(value).__name__ for value in got] == [what] * 3
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("conveyor_rx", "WARNING")
    assert f"'work' returned a {what}" in record.message


@pytest.mark.parametrize("kind", FUNCTIONS)
async def test_one_that_is_meant_is_not_logged(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """V2: `flatten=False` says that it is meant as one; tuples and dicts always are."""
    meant = SingleTask(function(kind, lambda n: map(abs, [n])), flatten=False)
    assert len(await meant([1, 2]).collect()) == 2
    assert await SingleTask(function(kind, lambda n: (n, n)))([1]).collect() == [(1, 1)]
    assert not caplog.records


async def test_a_replacement_is_advised_on_too(caplog: pytest.LogCaptureFixture) -> None:
    """V2, E6: what a handler gives is looked at like what the function returns."""
    handler = LoggingErrorHandler(replacement_value=map(abs, [1]))
    task = SingleTask(lambda n: 1 / n, error_handler=handler)
    assert len(await task([0]).collect()) == 1
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
