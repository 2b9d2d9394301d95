"""How many calls run at once is said where one looks: a warning, the repr, the picture."""

from __future__ import annotations

import asyncio
import functools
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import BatchTask, PipelineContext, SingleTask, batch_task, single_task
from conveyor_rx._text.at_once import calls_at_once


def plain(x: Any) -> Any:
    return x


plain.__annotations__.clear()  # like most functions, it says nothing about its result


def annotated(x: int) -> int:
    return x


class Client:
    def get(self, x: int) -> int:
        return x

    def __call__(self, x: int) -> int:
        return x

    async def fetch(self, x: int) -> int:
        return x


class Response:
    def __await__(self) -> Iterator[Any]:
        raise AssertionError


async def later(x: int) -> int:
    return x


async def generated_later(x: int) -> AsyncIterator[int]:
    yield x


def generated(x: int) -> Iterator[int]:
    yield x


def awaitable(x: int) -> Awaitable[int]:
    return later(x)


def future(x: int) -> asyncio.Future[int]:
    raise AssertionError


def response(x: int) -> Response:
    raise AssertionError


def anything(x: int) -> Any:
    return later(x)


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function in a plain one, as many decorators do, of coroutine functions, too."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


ONE_AT_A_TIME: dict[str, Any] = {
    "def": plain,
    "annotated": annotated,
    "method": Client().get,
    "callable": Client(),
    "partial": functools.partial(plain),
    "partial of a method": functools.partial(Client().get),
    "wrapped": logged(annotated),
    "class method": classmethod(annotated),
    "static method": staticmethod(annotated),
}
AT_ONCE: dict[str, Any] = {
    "async def": later,
    "async generator": generated_later,
    "generator": generated,  # as completed, those that are open take turns
    "async method": Client().fetch,
    "async partial": functools.partial(later),
    "wrapped": logged(later),
    "awaitable": awaitable,
    "future": future,
    "with __await__": response,
    "anything": anything,
    "lambda": lambda x: later(x),
    "builtin": abs,
    "class": int,
    "executor": functools.partial(asyncio.BaseEventLoop.run_in_executor, None, None),
}
MAKERS: dict[str, Callable[..., Any]] = {
    "single_task": lambda function, limit: single_task(concurrency_limit=limit)(function),
    "single_task, direct": lambda function, limit: single_task(function, concurrency_limit=limit),
    "batch_task": lambda function, limit: batch_task(2, concurrency_limit=limit)(function),
    "SingleTask": lambda function, limit: SingleTask(function, concurrency_limit=limit),
    "SingleTask[…]": lambda function, limit: SingleTask[Any, Any](
        function, concurrency_limit=limit
    ),
    "BatchTask": lambda function, limit: BatchTask(function, concurrency_limit=limit),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@makers
@pytest.mark.parametrize("function", ONE_AT_A_TIME.values(), ids=ONE_AT_A_TIME)
def test_a_limit_of_a_plain_function_is_warned_of(make: Any, function: Any) -> None:
    """F3: calls of a plain `def` run one at a time: a limit above 1 says so, where it stands."""
    with pytest.warns(RuntimeWarning, match=r"one call at a time.*`async def`.*to_thread") as seen:
        task = make(function, 4)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    assert f"task {task.task_name!r} has concurrency_limit=4" in str(seen[0].message)
    assert task.concurrency_limit == 4


def test_the_warning_points_to_the_decorator() -> None:
    """F3: the line of the warning is that of the decorator or, by Python, of its function."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        line = sys._getframe().f_lineno

        @single_task(concurrency_limit=2)
        def work(x: int) -> int:
            return x

    [warning] = seen
    assert warning.lineno == line + 2
    assert "'work'" in str(warning.message)


@makers
@pytest.mark.parametrize("limit", [None, 1])
@pytest.mark.parametrize("function", ONE_AT_A_TIME.values(), ids=ONE_AT_A_TIME)
def test_no_limit_and_a_limit_of_one_are_right(make: Any, limit: Any, function: Any) -> None:
    """F3: without a limit, or with 1, there is nothing to warn of."""
    make(function, limit)


@makers
@pytest.mark.parametrize("function", AT_ONCE.values(), ids=AT_ONCE)
def test_what_runs_or_may_run_at_once_is_not_warned_of(make: Any, function: Any) -> None:
    """F3: a limit is right for what is awaited, also if that is not written as `async def`."""
    make(function, 4)


def test_copies_are_not_warned_of_again() -> None:
    """F3: one warning, and none for each instance, side input or run."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")

        class Shop:
            @single_task(concurrency_limit=2)
            def scale(self, x: int, y: int) -> int:
                return x * y

        tasks: Any = Shop()
        tasks.scale(2)([1, 2])
        tasks.scale.with_inputs(y=2)([1, 2])
    assert len(seen) == 1


# -- repr


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (single_task(later), "<single_task later: up to 1,024 calls at once>"),
        (single_task(concurrency_limit=5)(later), "<single_task later: up to 5 calls at once>"),
        (single_task(concurrency_limit=1)(later), "<single_task later: one call at a time>"),
        (single_task(task_name="t")(annotated), "<single_task t: one call at a time>"),
        (single_task(awaitable), "<single_task awaitable: up to 1,024 calls at once>"),
        (batch_task(9)(later), "<batch_task later: 9 a batch, one call at a time>"),
        (
            batch_task(2, 2000, concurrency_limit=3)(later),
            "<batch_task later: 2,000 a batch, up to 3 calls at once>",
        ),
        (single_task(later) | batch_task(9)(annotated), "later | annotated"),
    ],
)
def test_repr_says_how_many_calls_run_at_once(task: Any, expected: str) -> None:
    """F3: a task says how many of its calls may run at once, above all where nobody said."""
    assert repr(task) == expected


# -- the picture


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, "up to 1,024 calls at once"),
        ({"max_in_flight": 8}, "up to 8 calls at once"),
        ({"max_parallelism": 3}, "up to 3 calls at once"),
        ({"max_in_flight": 1}, "one call at a time"),
        ({"max_in_flight": None}, "any number of calls at once"),
    ],
    ids=str,
)
@pytest.mark.parametrize("function", [later, generated_later], ids=["async", "generator"])
def test_the_picture_says_how_many_calls_run_at_once(
    function: Any, context: dict[str, Any], expected: str
) -> None:
    """F3, F4: a task without a limit shows what its run allows; one with a limit, its limit."""
    bounds = PipelineContext(**context)
    assert calls_at_once(bounds.max_parallelism, bounds.max_in_flight) == expected
    pipeline = single_task(function).with_context(**context)
    shown = pipeline._repr_mimebundle_()
    assert expected in shown["text/plain"]
    assert expected in shown["image/svg+xml"]
    for other in (
        single_task(concurrency_limit=2)(function),
        single_task(annotated),
        batch_task(2)(function),
    ):
        unsaid = other.with_context(**context)._repr_mimebundle_()["text/plain"]
        assert expected not in unsaid
