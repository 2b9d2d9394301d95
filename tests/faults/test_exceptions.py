"""Each kind of exception, from each kind of function, single and batch, under each policy and mode.

What tests/errors has with one stage alone stands here in the middle of a pipeline, for batches of
every kind, behind outputs that were given already, and for the stages and sources that have no
policy.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import product
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, BatchTask, SingleTask
from conveyor_rx.testing import run
from tests.kit import MODES

ERRORS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("boom"),
    "StopIteration": lambda: StopIteration("boom"),
    "StopAsyncIteration": lambda: StopAsyncIteration("boom"),
    "CancelledError": lambda: asyncio.CancelledError("boom"),
    "GeneratorExit": lambda: GeneratorExit("boom"),
    "ExceptionGroup": lambda: ExceptionGroup("boom", [ValueError("a"), KeyError("b")]),
    "KeyboardInterrupt": lambda: KeyboardInterrupt("boom"),
    "SystemExit": lambda: SystemExit("boom"),
}
DEADLY = ("KeyboardInterrupt", "SystemExit")  # E8: they end the run and propagate
NO_FAILURE = (*DEADLY, "GeneratorExit")  # not to be skipped, nor an Exception
FUNCTIONS = ("async", "def", "generator", "async generator")
POLICIES = ("fail", "skip_item", "skip_batch")
WAYS = ("async for", "collect", "subscribe")
BAD = 3  # of the items 0 to 5
of_each_error = pytest.mark.parametrize("name", ERRORS)


def function(kind: str, error: BaseException, *, late: bool = False) -> Callable[[Any], Any]:
    """Make a function of an item or a batch that raises for BAD; `late`: behind the output."""

    def check(what: Any) -> Any:
        if BAD in (what if isinstance(what, list) else [what]):
            raise error
        return what

    async def call(what: Any) -> Any:
        return check(what)

    def generate(what: Any) -> Iterator[Any]:
        if late:
            yield what
            check(what)
        else:
            yield check(what)

    async def generate_async(what: Any) -> AsyncIterator[Any]:
        for value in generate(what):
            yield value

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "def": check,
        "generator": generate,
        "async generator": generate_async,
    }
    return functions[kind]


async def tenth(item: int) -> int:
    await asyncio.sleep(0.1)
    return item


def flat(item: Any) -> Any:
    return item  # a list is put out item by item


class Run:
    """What came of six items through `stage`, with a stage in front of it and one behind."""

    def __init__(self, stage: Any, mode: Any, way: str, data: Any = range(6)) -> None:
        self.got: list[int] = []
        self.error: BaseException | None = None
        self.has_ended = False
        self.stream: AsyncStream[Any] | None = None
        front = SingleTask(
            tenth, concurrency_limit=1
        )  # one at a time: the item's neighbours are out
        try:
            run(lambda: self._main((front | stage | SingleTask(flat)), mode, way, data))
        except (KeyboardInterrupt, SystemExit) as error:
            self.error = error

    async def _main(self, pipeline: Any, mode: Any, way: str, data: Any) -> None:
        self.stream = stream = pipeline.with_execution_mode(mode)(data)
        try:
            match way:
                case "async for":
                    async for value in stream:
                        self.got.append(value)
                case "collect":
                    self.got = await stream.collect()
                case _:
                    await self._subscribe(stream)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.error = error
        else:
            self.has_ended = True

    async def _subscribe(self, stream: AsyncStream[Any]) -> None:
        over = asyncio.Event()
        errors: list[BaseException] = []

        def fail(error: BaseException) -> None:
            errors.append(error)
            over.set()

        stream.subscribe(self.got.append, fail, over.set)
        await over.wait()
        for error in errors:
            raise error

    def check(self, name: str, error: BaseException, before: list[int], way: str) -> None:
        """Check that the run has failed with `error`, behind the results `before`."""
        assert not self.has_ended
        if name.startswith("Stop"):  # either would be taken for the end
            assert type(self.error) is RuntimeError
            assert self.error.__cause__ is error
        else:
            assert self.error is error
        if name not in DEADLY:
            assert self.got == ([] if way == "collect" else before)


@of_each_error
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_from_a_single_task(name: str, kind: str) -> None:
    """E1 to E4, E8: under each policy and mode, in each way to consume."""
    for policy, mode, way in product(POLICIES, MODES, WAYS):
        error = ERRORS[name]()
        task = SingleTask(function(kind, error), on_error=policy)
        outcome = Run(task, mode, way)
        if policy == "fail" or name in NO_FAILURE:
            outcome.check(name, error, [0, 1, 2], way)
        else:
            assert outcome.has_ended, (policy, mode, way, outcome.error)
            assert outcome.got == [0, 1, 2, 4, 5]
            assert outcome.stream is not None
            assert [stats.skipped for stats in outcome.stream.stats] == [0, 1, 0]


@of_each_error
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_from_a_batch_task(name: str, kind: str) -> None:
    """E1 to E4, E8: the batch of items 2 and 3; `skip_item` lets item 2 through."""
    for policy, mode, way in product(POLICIES, MODES, WAYS):
        error = ERRORS[name]()
        task = BatchTask(function(kind, error), 2, 2, on_error=policy)
        outcome = Run(task | SingleTask(flat), mode, way)
        if policy == "fail" or name in NO_FAILURE:
            outcome.check(name, error, [0, 1], way)
        else:
            kept = [0, 1, 2, 4, 5] if policy == "skip_item" else [0, 1, 4, 5]
            assert outcome.has_ended, (policy, mode, way, outcome.error)
            assert outcome.got == kept
            assert outcome.stream is not None
            assert outcome.stream.stats[1].skipped == 6 - len(kept)


@of_each_error
@pytest.mark.parametrize("kind", FUNCTIONS[2:])
def test_from_a_generator_that_has_yielded(name: str, kind: str) -> None:
    """E1, E5, E8: what it has given is delivered, skipped or not; it is not retried."""
    for policy, mode, way in product(POLICIES, MODES, WAYS):
        error = ERRORS[name]()
        task = SingleTask(function(kind, error, late=True), on_error=policy)
        outcome = Run(task, mode, way)
        if policy == "fail" or name in NO_FAILURE:
            outcome.check(name, error, [0, 1, 2, 3], way)
        else:
            assert outcome.has_ended, (policy, mode, way, outcome.error)
            assert outcome.got == [0, 1, 2, 3, 4, 5]


class Own(BaseTask[int, int]):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.check = function("def", error)

    async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in items:
            yield self.check(item)


def without_policy(kind: str, error: BaseException) -> Any:
    """Make a stage that has no `on_error`."""
    match kind:
        case "own":
            return Own(error)
        case "rx":
            return ops.map(function("def", error))
        case "side input":
            return side_input(numbers(error))
        case _:
            return side_input(async_numbers(error))


@of_each_error
@pytest.mark.parametrize("kind", ["own", "rx", "side input", "async side input"])
def test_from_what_has_no_policy(name: str, kind: str) -> None:
    """E2, E8, S4: a stage of the user's own, an Rx operator's function, a shared side input."""
    for mode, way in product(MODES, WAYS):
        error = ERRORS[name]()
        outcome = Run(without_policy(kind, error), mode, way)
        outcome.check(name, error, [0, 1, 2] if kind in ("own", "rx") else [], way)


def side_input(data: Any) -> SingleTask[Any, Any]:
    """Make a task whose side input is the first item of a stream that fails before it."""

    async def work(item: int, side: int) -> int:
        return item + side

    return SingleTask(work, on_error="skip_item").with_inputs(AsyncStream(data))


def numbers(error: BaseException, *before: int) -> Iterator[int]:
    yield from before
    raise error


async def async_numbers(error: BaseException, *before: int) -> AsyncIterator[int]:
    for number in before:
        await asyncio.sleep(0.05)
        yield number
    raise error


@of_each_error
@pytest.mark.parametrize("kind", ["generator", "async generator"])
def test_from_a_source(name: str, kind: str) -> None:
    """E7, E8: what was pulled before it is delivered."""
    for mode, way in product(MODES, WAYS):
        error = ERRORS[name]()
        made = numbers if kind == "generator" else async_numbers
        outcome = Run(SingleTask(tenth), mode, way, made(error, 0, 1, 2))
        if name.startswith("Stop") and outcome.error is not None:
            # A generator makes a RuntimeError of it itself: that is the source's error.
            assert outcome.error.__cause__ is error
        else:
            outcome.check(name, error, [0, 1, 2], way)
