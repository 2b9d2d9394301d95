"""What do the tests of pickling send? Tasks of every kind, at the top of a module."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import BaseTask, ErrorHandler, SingleTask, batch_task, single_task


@single_task
def fetch(item: int) -> int:
    """Get it."""
    return item + 1


@batch_task(max_size=2)
def rank(items: list[int]) -> list[int]:
    return items[::-1]


@single_task(task_name="to number", retry_attempts=2)
async def parse(text: Any) -> int:
    return int(text)


def loud(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return f"{function(*args)}!"

    return wrapper


@single_task
@loud
def shout(item: Any) -> Any:
    return item


@single_task
@functools.lru_cache
def remember(item: int) -> int:
    return item * 100


@loud
@single_task
def below(item: int) -> int:
    return item


below_task: Any = below.__wrapped__  # type: ignore[attr-defined]


@single_task
def add(item: int, other: int, *, factor: int = 1) -> int:
    return item + other * factor


def double_one(item: int) -> int:
    return item * 2


def parity(item: int) -> int:
    return item % 2


def other_function(item: int) -> int:
    return -item


double = single_task(double_one)
renamed = SingleTask(fetch.func, task_name="renamed", key=parity, on_error="skip_item")
partial = single_task(functools.partial(add.func, other=7))


async def offset() -> int:
    return 5


class Service:
    def __init__(self, base: int) -> None:
        self.base = base

    @single_task
    def fetch(self, item: int) -> int:
        return item + self.base

    @single_task
    def add(self, item: int, other: int) -> int:
        return item + self.base + other

    @single_task
    @classmethod
    def make(cls, item: int) -> str:
        return f"{cls.__name__} {item}"

    @single_task
    @staticmethod
    def half(item: int) -> int:
        return item // 2

    def plain(self, item: int) -> int:
        return item - self.base

    class Inner:
        @single_task
        def fetch(self, item: int) -> int:
            return -item


class Child(Service):
    @single_task
    def fetch(self, item: int) -> int:  # type: ignore[override]
        return -1

    def parents(self) -> Any:
        return super().fetch


class Callback:
    def __init__(self, function: Callable[..., Any], by: int) -> None:
        self.function = function
        self.by = by

    def __call__(self, item: int) -> int:
        return self.function(item) * self.by


class Zero(ErrorHandler):
    async def handle_error(
        self, error: Exception, item: Any, task_name: str, attempt: int
    ) -> tuple[bool, Any]:
        return True, 0


class Pairs(BaseTask[Any, Any]):
    def __init__(self, first: Any) -> None:
        super().__init__(task_name="pairs")
        self.first = first

    async def process(self, items: Any) -> AsyncIterator[Any]:
        last = self.first
        async for item in items:
            yield last, item
            last = item


def own_operator(source: Observable[int]) -> Observable[int]:
    return source.pipe(ops.map(double_one))
