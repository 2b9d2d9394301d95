"""Which inputs are still to come, and how often are they had?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from conveyor_rx import AsyncStream, batch_task, single_task
from tests.kit import Boom
from tests.side_inputs.tasks import add, plain_add


@single_task
async def yield_sum(x: int, other: int) -> AsyncIterator[int]:
    yield x + other


@batch_task(max_size=1)
async def total(batch: list[int], other: int) -> int:
    return sum(batch) + other


tasks = pytest.mark.parametrize(
    "task", [add, plain_add, yield_sum, total], ids=["async", "def", "async generator", "batch"]
)


class Load:
    """A coroutine function that takes a second; the first so many of its calls fail."""

    def __init__(
        self, value: int = 10, failing: int = 0, error: Callable[[], BaseException] | None = None
    ) -> None:
        self.value = value
        self.failing = failing
        self.error = error or (lambda: Boom("load"))
        self.started = self.ended = 0

    async def __call__(self) -> int:
        self.started += 1
        number = self.started
        try:
            await asyncio.sleep(1)
            if number <= self.failing:
                raise self.error()
            return self.value
        finally:
            self.ended += 1


def stream_of(load: Load) -> AsyncStream[int]:
    """Give a stream with one item, which `load` gives."""
    return AsyncStream(_Of(load))


class _Of:
    """An async iterable that can be read again."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def __aiter__(self) -> AsyncIterator[int]:
        return self._items()

    async def _items(self) -> AsyncIterator[int]:
        yield await self.load()


INPUTS: dict[str, Callable[[Load], Any]] = {
    "coroutine": lambda load: load(),
    "stream": stream_of,
    "derived stream": lambda load: stream_of(load).filter(lambda _: True),
    "stream of a stream": lambda load: AsyncStream(stream_of(load)),
    "factory": lambda load: load,
}
inputs = pytest.mark.parametrize("kind", INPUTS)
repeatable = pytest.mark.parametrize("kind", [kind for kind in INPUTS if kind != "coroutine"])


async def cancelled_after(seconds: float, stream: AsyncStream[Any]) -> None:
    """Read `stream`, and cancel the reader after `seconds`."""
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(seconds)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()
