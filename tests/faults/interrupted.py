"""What is interrupted by Ctrl-C? A program that never ends: `python -m tests.faults.interrupted WAY`.

It says "ready" once results come.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import reactivex
from reactivex import operators as ops

from conveyor_rx import BaseTask, batch_task, single_task

__all__ = ["PROGRAMS"]


@single_task(concurrency_limit=20, retry_attempts=2, retry_delay=0.001, on_error="skip_item")
async def fetch(number: int) -> int:
    await asyncio.sleep(number % 7 / 1000)
    if number % 11 == 0:
        raise ValueError(number)
    return number


@single_task
async def fan_out(number: int) -> AsyncIterator[int]:
    for n in range(number % 4):
        await asyncio.sleep(0.001)
        yield n


@single_task
def split(number: int) -> Iterator[int]:
    yield number
    yield number + 1


@single_task
def double(number: int) -> list[int]:
    return [number, number]


@batch_task(max_size=5)
async def total(numbers: list[int]) -> int:
    await asyncio.sleep(0.002)
    return sum(numbers)


class Own(BaseTask[int, int]):
    async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in items:
            await asyncio.sleep(0)
            yield item


async def numbers() -> AsyncIterator[int]:
    for number in itertools.count():
        await asyncio.sleep(0)
        yield number


def slow_and_fast() -> Any:
    return fetch | double | fan_out | total | ops.map(lambda n: n + 1) | Own() | split


async def iterate() -> None:
    async for value in slow_and_fast()(numbers()):
        say_ready(value)


async def as_completed() -> None:
    async with slow_and_fast().as_completed(itertools.count()) as stream:
        async for value in stream:
            say_ready(value)
            await asyncio.sleep(0.001)


async def collect() -> None:
    await (slow_and_fast() | ops.do_action(say_ready))(numbers()).collect()


async def subscribe() -> None:
    over = asyncio.Event()
    slow_and_fast()(itertools.count()).subscribe(say_ready, on_completed=over.set)
    await over.wait()


async def busy() -> None:
    """Never idle: plain functions on a plain iterable."""
    async for value in (double | split | ops.map(lambda n: n + 1) | double)(itertools.count()):
        say_ready(value)


async def observable() -> None:
    """Items come from the timer of another thread."""
    ticks = reactivex.interval(0.001)
    async for value in (fetch | double | total)(ticks):
        say_ready(value)


PROGRAMS = {
    main.__name__: main for main in (iterate, as_completed, collect, subscribe, busy, observable)
}
_seen = itertools.count()


def say_ready(value: object) -> None:
    if next(_seen) == 3:
        print("ready", flush=True)  # noqa: T201  # what the parent process waits for


async def _main() -> None:
    # Else debug mode names slow callbacks on a busy machine, and what it names is "pending".
    asyncio.get_running_loop().slow_callback_duration = 60
    await PROGRAMS[sys.argv[1]]()


if __name__ == "__main__":
    asyncio.run(_main())
