"""What does `AsyncStream(...)` wrap?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import marbles, timed_task


async def letters() -> AsyncIterator[str]:
    for letter in "abc":
        await asyncio.sleep(1)
        yield letter


@pytest.mark.parametrize(
    "make",
    [
        lambda: list("abc"),
        lambda: tuple("abc"),
        letters,
        lambda: rx.of("a", "b", "c"),
        lambda: AsyncStream(["a", "b", "c"]),
        lambda: AsyncStream(rx.of("a", "b", "c")),
        lambda: (letter for letter in "abc"),
    ],
    ids="list tuple async-generator Observable stream stream-of-Observable generator".split(),
)
async def test_async_stream_wraps_any_source(make: Callable[[], Any]) -> None:
    """Section 2: `AsyncStream(source)` wraps any source; it iterates, and has all Rx methods."""
    assert await AsyncStream(make()).collect() == ["a", "b", "c"]
    assert await AsyncStream(make()).map(str.upper).collect() == ["A", "B", "C"]
    assert await AsyncStream(AsyncStream(make())).take(2).collect() == ["a", "b"]


async def test_wrapped_async_generator_is_closed() -> None:
    """L2: closing the stream closes the async generator that it wraps."""
    closed: list[str] = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(1)
            closed.append("source")

    async with AsyncStream(endless()) as stream:
        assert await anext(stream) == 1
    assert closed == ["source"]


async def test_fluent_marbles_in_virtual_time() -> None:
    """Section 3: results leave at the instant at which they can, through fluent methods too."""
    work = single_task(timed_task("-1---3-2"))
    assert await marbles(work([1, 2, 3]).map(lambda x: x + 1)) == "-2-----(3,4,|)"
