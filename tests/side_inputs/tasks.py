"""Which tasks with side inputs do the tests use?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import batch_task, single_task


@single_task
async def add(x: int, other: int) -> int:
    return x + other


@single_task
def plain_add(x: int, other: int) -> int:
    return x + other


@single_task
async def yield_sum(x: int, other: int) -> AsyncIterator[int]:
    yield x
    yield x + other


@single_task
async def zip_with(x: int, other: Any) -> tuple[int, int]:
    return x, await anext(other)


@batch_task(max_size=2)
async def total(batch: list[int], other: int) -> int:
    return sum(batch) + other


class Slow:
    """A coroutine function that takes a second, and counts."""

    def __init__(self, value: Any = 10) -> None:
        self.value = value
        self.started = 0
        self.ended = 0

    async def __call__(self) -> Any:
        self.started += 1
        try:
            await asyncio.sleep(1)
            if isinstance(self.value, Exception):
                raise self.value
            return self.value
        finally:
            self.ended += 1


async def tens(pause: float = 0) -> AsyncIterator[int]:
    n = 0
    while True:
        n += 10
        await asyncio.sleep(pause)
        yield n


KINDS: dict[str, tuple[Any, list[int]]] = {
    "async": (add, [11, 12, 13]),
    "def": (plain_add, [11, 12, 13]),
    "async generator": (yield_sum, [1, 11, 2, 12, 3, 13]),
    "batch": (total, [13, 13]),
}
kinds = pytest.mark.parametrize(("task", "expected"), KINDS.values(), ids=KINDS)


def needs_two(x: int, a: int, b: int) -> tuple[int, int, int]:
    return x, a, b
