"""How many items does a stage of each kind take to fill the room behind it?

`room` is what the consumer has taken, and what the output buffer and later windows hold;
`needs(room, window)` says how many items the stage takes to fill that and its own window.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, BatchTask, RetryConfig, SingleTask

__all__ = ["KINDS", "Kind", "one_to_three", "work"]


async def work(item: int) -> int:
    await asyncio.sleep(0.1)
    return item


class Fickle:
    """It fails at the first attempt with each item."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    async def __call__(self, item: int) -> int:
        is_first = item not in self.seen
        self.seen.add(item)
        await asyncio.sleep(0.1)
        if is_first:
            raise ValueError
        return item


async def work_on_even(item: int) -> int:
    await asyncio.sleep(0.1)
    if is_odd(item):
        raise ValueError
    return item


async def work_beside(item: int, side: int) -> int:
    return await work(item + side)


async def work_on_batch(batch: list[int]) -> list[int]:
    await asyncio.sleep(0.1)
    return batch


async def work_in_step(item: int, side: AsyncIterator[int]) -> int:
    return await work(item + await anext(side))


async def zeros() -> AsyncIterator[int]:
    while True:
        await asyncio.sleep(0.3)
        yield 0


def is_odd(item: int) -> bool:
    return item % 2 == 1


def times(count: int) -> Callable[[int], Iterator[int]]:
    def generate(item: int) -> Iterator[int]:
        yield from itertools.repeat(item, count)

    return generate


async def generate_three(item: int) -> AsyncIterator[int]:
    for _ in range(3):
        await asyncio.sleep(0.1)
        yield item


class Own(BaseTask[int, int]):
    """A user's own stage, without a line: it holds what it works on."""

    async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in items:
            await asyncio.sleep(0.1)
            yield item


def fill(room: int, outputs: int) -> int:
    """Count the units of so many outputs that fill `room`: the last may stand out of it."""
    return -(-room // outputs)


Needs = Callable[[int, int], int]


def one_to_one(room: int, window: int) -> int:
    return room + window


def three_to_one(room: int, window: int) -> int:
    return 3 * (room + window)


def lists_of_three(room: int, window: int) -> int:
    return fill(room + window, 3)


def one_to_three(room: int, window: int) -> int:
    """Those whose outputs fill the room have ended; each other one holds a place as an item."""
    return room // 3 + window


@dataclass(frozen=True)
class Kind:
    """A kind of stage; `opens`: it is not in the segment of the task before it."""

    make: Callable[[], Any]
    needs: Needs = one_to_one
    opens: bool = False

    @property
    def fans_out(self) -> bool:
        return self.needs in (one_to_three, lists_of_three)


def task(function: Callable[[Any], Any], needs: Needs = one_to_one, **options: Any) -> Kind:
    opens = options.get("concurrency_limit") == 1
    return Kind(lambda: SingleTask(function, **options), needs, opens)


def batch(function: Any, size: int, needs: Needs, **options: Any) -> Kind:
    return Kind(lambda: BatchTask(function, size, **options), needs, opens=True)


KINDS = {
    "async": task(work),
    "async, 3 at once": task(work, concurrency_limit=3),
    "async, sequential": task(work, concurrency_limit=1),
    "async that never suspends": Kind(lambda: SingleTask(lambda n: n)),
    "plain": task(lambda n: n),
    "plain, sequential": task(lambda n: n, concurrency_limit=1),
    "retried": Kind(lambda: SingleTask(Fickle(), retry_config=RetryConfig(max_attempts=2))),
    "list of one": task(lambda n: [n]),
    "list of three": task(lambda n: [n] * 3, lists_of_three),
    "generator of one": Kind(lambda: SingleTask(times(1)), opens=True),
    "generator of three": Kind(lambda: SingleTask(times(3)), one_to_three, opens=True),
    "async generator": Kind(lambda: SingleTask(generate_three), one_to_three, opens=True),
    "returned generator": task(lambda n: (n for _ in range(3)), one_to_three),
    "drops every other": task(
        lambda n: n if is_odd(n) else None, lambda room, window: 2 * (room + window) - 1
    ),
    "skips every other": task(
        work_on_even, lambda room, window: 2 * (room + window), on_error="skip_item"
    ),
    "side value": Kind(lambda: SingleTask(work_beside).with_inputs(0)),
    "side stream": Kind(lambda: SingleTask(work_beside).with_inputs(AsyncStream(zeros()))),
    "side generator": Kind(lambda: SingleTask(work_in_step).with_inputs(zeros()), opens=True),
    "batch of one": batch(work_on_batch, 1, one_to_one),
    "batch, summed": batch(sum, 3, three_to_one),
    "batch": batch(work_on_batch, 3, lambda room, window: 3 * fill(room + window, 3)),
    "batches, 4 at once": batch(
        work_on_batch, 3, lambda room, window: 3 * fill(room + window, 3), concurrency_limit=4
    ),
    "batch of ten": batch(list, 10, lambda room, window: 10 * fill(room + window, 10)),
    "own": Kind(Own, lambda room, window: room + 1, opens=True),
    "rx map": Kind(lambda: ops.map(lambda n: n), lambda room, window: room, opens=True),
    "rx filter": Kind(lambda: ops.filter(is_odd), lambda room, window: 2 * room - 1, opens=True),
}
