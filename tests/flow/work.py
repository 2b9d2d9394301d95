"""Which functions and sources do the tests of the flow use?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, SingleTask, batch_task

ONE_TO_ONE = ("async", "eager", "def", "generator", "async generator", "list", "lazy")
OUTPUT_BUFFER = 16  # results that wait for the consumer
of_each_kind = pytest.mark.parametrize("kind", ONE_TO_ONE)


def function(kind: str, work: Callable[[Any], Any] = lambda item: item) -> Callable[[Any], Any]:
    """Make a function of `kind` that gives what `work` gives, as its only output."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0)
        return work(item)

    async def call_eagerly(item: Any) -> Any:
        return work(item)

    def generate(item: Any) -> Iterator[Any]:
        yield work(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        yield work(item)

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "eager": call_eagerly,
        "def": lambda item: work(item),
        "generator": generate,
        "async generator": generate_async,
        "list": lambda item: [work(item)],
        "lazy": lambda item: generate(item),
    }
    return functions[kind]


class Endless:
    """An infinite source, plain and asynchronous, that counts what was pulled."""

    def __init__(self) -> None:
        self.pulled = 0

    def plain(self) -> Iterator[int]:
        while True:
            self.pulled += 1
            yield self.pulled

    async def asynchronous(self) -> AsyncIterator[int]:
        for item in self.plain():
            await asyncio.sleep(0.01)
            yield item

    def open(self, kind: str) -> Any:
        return self.plain() if kind == "plain" else self.asynchronous()


class Meter:
    """How many are inside at once, and what was the most."""

    def __init__(self) -> None:
        self.now = self.most = self.entered = 0

    def __enter__(self) -> None:
        self.entered += 1
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        self.now -= 1


async def take(stream: AsyncStream[Any], count: int) -> list[Any]:
    return [await anext(stream) for _ in range(count)]


def metered(kind: str, meter: Meter, work: Any) -> Any:
    """Make a function of `kind` that stays in `meter` while it awaits `work(item)`."""

    async def call(item: Any) -> Any:
        with meter:
            return await work(item)

    async def generate(item: Any) -> AsyncIterator[Any]:
        with meter:
            yield await work(item)

    async def batch(items: list[Any]) -> Any:
        with meter:
            await work(items[0])
            return items

    return {"async": call, "async generator": generate, "batch": batch}[kind]


def limited(kind: str, limit: int | None, meter: Meter, work: Any, **options: Any) -> Any:
    """Make a metered stage of `kind`; batches have two items."""
    call = metered(kind, meter, work)
    if kind == "batch":
        return batch_task(max_size=2, concurrency_limit=limit, **options)(call)
    return SingleTask(call, concurrency_limit=limit, **options)


async def read(stream: AsyncStream[Any], how: str) -> None:
    """Read all of `stream` and keep nothing."""
    if how == "async for":
        async for _ in stream:
            pass
    elif how == "subscribe":
        ended = asyncio.get_running_loop().create_future()
        stream.subscribe(on_completed=lambda: ended.set_result(None))
        await ended
    else:
        await stream.filter(lambda n: n == 0).collect()
