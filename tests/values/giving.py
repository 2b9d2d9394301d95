"""How do functions of each kind give a value?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from conveyor_rx import SingleTask, batch_task

GIVING = ("async", "eager", "def", "batch", "async batch")
LAZY = (
    "generator",
    "async generator",
    "returned generator",
    "returned async generator",
    "awaited generator",
    "awaited async generator",
    "batch generator",
    "batch async generator",
    "batch returned generator",
)


def giving(kind: str, give: Callable[[Any], Any]) -> Any:
    """Make a stage of `kind` that returns `give(item)`; batches are of one item."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        return give(item)

    async def call_eagerly(item: Any) -> Any:
        return give(item)

    async def call_batch(batch: list[Any]) -> Any:
        await asyncio.sleep(0.5)
        return give(batch[0])

    stages: dict[str, Callable[[], Any]] = {
        "async": lambda: SingleTask(call),
        "eager": lambda: SingleTask(call_eagerly),
        "def": lambda: SingleTask(lambda item: give(item)),
        "batch": lambda: batch_task(max_size=1)(lambda batch: give(batch[0])),
        "async batch": lambda: batch_task(max_size=1)(call_batch),
    }
    return stages[kind]()


def yielding(kind: str, give: Callable[[Any], Iterable[Any]]) -> Any:
    """Make a stage of `kind` that yields what is in `give(item)`."""

    def generate(item: Any) -> Iterator[Any]:
        yield from give(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        for value in give(item):
            await asyncio.sleep(0)
            yield value

    async def wait(item: Any) -> Any:
        await asyncio.sleep(0)
        return generate(item)

    async def wait_async(item: Any) -> Any:
        return generate_async(item)

    def generate_batch(batch: list[Any]) -> Iterator[Any]:
        yield from give(batch[0])

    async def generate_batch_async(batch: list[Any]) -> AsyncIterator[Any]:
        for value in give(batch[0]):
            yield value

    singles: dict[str, Callable[[Any], Any]] = {
        "generator": generate,
        "async generator": generate_async,
        "returned generator": lambda item: generate(item),
        "returned async generator": lambda item: generate_async(item),
        "awaited generator": wait,
        "awaited async generator": wait_async,
    }
    batches: dict[str, Callable[[Any], Any]] = {
        "batch generator": generate_batch,
        "batch async generator": generate_batch_async,
        "batch returned generator": lambda batch: generate(batch[0]),
    }
    if kind in singles:
        return SingleTask(singles[kind])
    return batch_task(max_size=1)(batches[kind])


class Iterates:
    """A value that can be iterated, and whose truth, equality and length nobody may ask for."""

    def __iter__(self) -> Iterator[int]:
        raise AssertionError("iterated")

    def __bool__(self) -> bool:
        raise AssertionError("asked for its truth")

    def __len__(self) -> int:
        raise AssertionError("asked for its length")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    __hash__ = object.__hash__


def generate() -> Iterator[int]:
    yield from (1, 2, 3)


async def pause_for(seconds: int) -> int:
    await asyncio.sleep(seconds)
    return seconds
