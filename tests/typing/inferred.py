# pyright: standard
"""Where pyright and mypy see different things: the line below each says what. Nothing here is run.

mypy has no generic objects, and joins the members of a union that it takes apart. Where it knows
nothing it says Any, and accepts what a reader knows to be right.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TypeVar, reveal_type

from conveyor_rx import SingleTask, batch_task, single_task

T = TypeVar("T")


# -- lambdas: the item is whatever the body takes it for

reveal_type(single_task(lambda x: x * 2))
# to pyright: SingleTask[Any, Any], to mypy: Any
reveal_type(single_task(lambda x: str(x)))
# to pyright: SingleTask[Any, str], to mypy: Any
reveal_type(single_task(lambda x: [str(x)]))
# to pyright: SingleTask[Any, str], to mypy: Any
reveal_type(single_task(lambda: 3))
# to pyright: SingleTask[Never, int], to mypy: SingleTask[Never, int]
reveal_type(single_task(concurrency_limit=2)(lambda x: x.name))
# to pyright: SingleTask[Any, Any], to mypy: Any
reveal_type(batch_task(max_size=3)(lambda numbers: sum(numbers)))
# to pyright: BatchTask[Any, int], to mypy: Any
doubled: SingleTask[int, int] = single_task(lambda x: x * 2)
reveal_type(doubled([1]))
# to pyright: AsyncStream[int], to mypy: AsyncStream[int]


# -- generic functions: pyright keeps T, mypy takes anything for it


@single_task
def same(item: T) -> T:
    return item


@single_task
async def same_later(item: T) -> T:
    return item


@single_task
def first(items: Sequence[T]) -> T:
    return items[0]


@single_task
def each(items: Iterable[T]) -> Iterator[T]:
    yield from items


@single_task
async def each_later(items: list[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


@single_task
def listed(item: T) -> list[T]:
    return [item]


@batch_task(max_size=2)
def reversed_batch(items: list[T]) -> list[T]:
    return items[::-1]


@single_task
def to_int(text: str) -> int:
    return len(text)


reveal_type(same([1]))
# to pyright: AsyncStream[int], to mypy: AsyncStream[Any]
reveal_type(same_later([1]))
# to pyright: AsyncStream[int], to mypy: AsyncStream[Any]
reveal_type(first([["a"]]))
# to pyright: AsyncStream[str], to mypy: AsyncStream[Any]
reveal_type(each([["a"]]))
# to pyright: AsyncStream[str], to mypy: AsyncStream[Any]
reveal_type(each_later([["a"]]))
# to pyright: AsyncStream[str], to mypy: AsyncStream[Any]
reveal_type(listed([1]))
# to pyright: AsyncStream[int], to mypy: AsyncStream[Any]
reveal_type(reversed_batch([1]))
# to pyright: AsyncStream[int], to mypy: AsyncStream[Any]
reveal_type(to_int | same)
# to pyright: Pipeline[str, int], to mypy: Pipeline[str, Any]
reveal_type(to_int | same | reversed_batch)
# to pyright: Pipeline[str, int], to mypy: Pipeline[str, Any]
reveal_type(same | to_int)
# to pyright: Pipeline[str, int], to mypy: Pipeline[Any, int]


# -- unions with None: mypy's join of int and str is object, but a list of them is what it is


@single_task
def number_or_text(x: int) -> int | str | None:
    return x


@single_task
async def number_or_text_later(x: int) -> int | str | None:
    return x


@single_task
def numbers_and_texts(x: int) -> list[int | str] | None:
    return [x]


reveal_type(number_or_text)
# to pyright: SingleTask[int, int | str], to mypy: SingleTask[int, object]
reveal_type(number_or_text_later)
# to pyright: SingleTask[int, int | str], to mypy: SingleTask[int, object]
reveal_type(numbers_and_texts)
# to pyright: SingleTask[int, int | str], to mypy: SingleTask[int, int | str]


# -- partials: mypy forgets their parameters


def add(x: int, y: int) -> str | None:
    return str(x + y)


async def add_later(x: int, y: int) -> list[str]:
    return [str(x + y)]


reveal_type(single_task(functools.partial(add, y=3)))
# to pyright: SingleTask[int, str], to mypy: SingleTask[Any, str]
reveal_type(single_task(functools.partial(add, 3)))
# to pyright: SingleTask[int, str], to mypy: SingleTask[Any, str]
reveal_type(single_task(functools.partial(add_later, y=3)))
# to pyright: SingleTask[int, str], to mypy: SingleTask[Any, str]
