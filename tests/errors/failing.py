"""How do the tests of errors fail, and how do they see a run's end?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, ErrorHandler, SingleTask
from tests.kit import now, others

KINDS = ("async", "def", "generator", "async generator")
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def function(kind: str, check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a function of `kind` that gives what `check` gives."""

    async def call(item: Any) -> Any:
        return check(item)

    def call_now(item: Any) -> Any:
        return check(item)

    def generate(item: Any) -> Iterator[Any]:
        yield check(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        yield check(item)

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "def": call_now,
        "generator": generate,
        "async generator": generate_async,
    }
    return functions[kind]


def failing(kind: str, error: BaseException, at: Any, **options: Any) -> SingleTask[Any, Any]:
    """Make a task of `kind` that fails at item `at` and gives the others as they are."""

    def check(item: Any) -> Any:
        if item == at:
            raise error
        return item

    return SingleTask(function(kind, check), task_name="work", **options)


async def ending(stream: AsyncStream[Any]) -> tuple[list[Any], BaseException | None]:
    """Read to the end: the results, and what was raised after them."""
    got: list[Any] = []
    try:
        async for value in stream:
            got.append(value)  # noqa: PERF401  # kept if it fails
    except BaseException as error:
        return got, error
    return got, None


async def timed_ending(
    stream: AsyncStream[Any],
) -> tuple[list[tuple[float, Any]], tuple[float, BaseException | None]]:
    """Read to the end: the results and the end, each with its instant."""
    got: list[tuple[float, Any]] = []
    try:
        async for value in stream:
            got.append((now(), value))  # noqa: PERF401  # kept if it fails
    except BaseException as error:
        return got, (now(), error)
    return got, (now(), None)


class Slow:
    """An async function that takes a written time and, when cancelled, some more to clean up."""

    def __init__(self, latencies: dict[Any, float], cleanup: float = 0.0) -> None:
        self.latencies = latencies
        self.cleanup = cleanup
        self.started: list[Any] = []
        self.ended: list[tuple[float, Any]] = []
        self.fails: dict[Any, BaseException] = {}

    async def __call__(self, item: Any) -> Any:
        self.started.append(item)
        try:
            await asyncio.sleep(self.latencies[item])
            if item in self.fails:
                raise self.fails[item]
            return item
        except asyncio.CancelledError:
            await asyncio.sleep(self.cleanup)
            raise
        finally:
            self.ended.append((now(), item))


def by_subscribing(stream: AsyncStream[Any]) -> asyncio.Future[Any]:
    """Give what ends a subscription."""
    end = asyncio.get_running_loop().create_future()
    stream.subscribe(
        on_error=lambda error: end.set_result((error, others())),
        on_completed=lambda: end.set_result(None),
    )
    return end


class Batches:
    """A batch function that fails for the items in `bad`, and remembers its calls."""

    def __init__(self, *bad: Any) -> None:
        self.bad = set(bad)
        self.calls: list[list[Any]] = []

    async def __call__(self, batch: list[Any]) -> list[Any]:
        self.calls.append(list(batch))
        if self.bad & set(batch):
            raise ValueError("boom")
        return batch


class Answer(ErrorHandler):
    """A handler that gives (or raises) `answer` and remembers what it was asked."""

    def __init__(self, answer: Any, delay: float = 0.0) -> None:
        self.answer = answer
        self.delay = delay
        self.asked: list[tuple[Any, ...]] = []

    async def handle_error(self, error: Exception, item: Any, task_name: str, attempt: int) -> Any:
        self.asked.append((error, item, task_name, attempt))
        await asyncio.sleep(self.delay)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer
