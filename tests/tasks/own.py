"""Which stages of a user's own do the tests use?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator

import pytest
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, SingleTask, single_task
from conveyor_rx.testing import timed_task


class Pairs(BaseTask[int, int]):
    """Sums of neighbours, as an async generator function."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        last: int | None = None
        async for item in items:
            if last is not None:
                yield last + item
            last = item


class PairsByCoroutine(BaseTask[int, int]):
    """The same as a coroutine that returns an async generator."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
        await asyncio.sleep(0)
        return Pairs().process(items)


class Stepwise(AsyncIterator[int]):
    """Sums of neighbours, by an iterator object without `aclose`."""

    def __init__(self, items: AsyncIterable[int]) -> None:
        self.items = aiter(items)
        self.last: int | None = None

    async def __anext__(self) -> int:
        if self.last is None:
            self.last = await anext(self.items)
        item = await anext(self.items)
        self.last, result = item, self.last + item
        return result


class PairsByIterator(BaseTask[int, int]):
    """The same as a plain method that returns an iterator object."""

    def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
        return Stepwise(items)


class PairsByStream(BaseTask[int, int]):
    """The same as an AsyncStream made of the items."""

    async def process(self, items: AsyncIterable[int]) -> AsyncIterable[int]:
        return AsyncStream(items).pairwise().pipe(ops.map(sum))


KINDS = [Pairs, PairsByCoroutine, PairsByIterator, PairsByStream]
kinds = pytest.mark.parametrize("kind", KINDS)


@single_task
def double(x: int) -> int:
    return x * 2


def slow() -> SingleTask[int, int]:
    return single_task(timed_task(lambda x: 1))


class First(BaseTask[int, int]):
    """Gives the first `count` items and returns."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
        if self.count:
            left = self.count
            async for item in items:
                yield item
                left -= 1
                if not left:
                    return


async def numbers(count: int = 5) -> AsyncIterator[int]:
    for n in range(count):
        yield n
