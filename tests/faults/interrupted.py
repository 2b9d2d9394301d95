"""What does Ctrl-C interrupt? A program without an end: `python -m tests.faults.interrupted WAY`.

It says "ready" once results come. With CLEAN_UP in the environment, cancelled calls take so
many seconds to clean up, and it says "cleaning" when the first one begins to.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import reactivex
from reactivex import operators as ops

from conveyor_rx import BaseTask, batch_task, single_task

__all__ = ["PROGRAMS"]


@single_task(concurrency_limit=20, retry_attempts=2, retry_delay=0.001, on_error="skip_item")
async def fetch(number: int) -> int:
    try:
        await asyncio.sleep(number % 7 / 1000)
    except asyncio.CancelledError:
        await clean_up()
        raise
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
    stream = slow_and_fast()(itertools.count())
    subscription = stream.subscribe(say_ready, on_completed=over.set)
    try:
        await over.wait()
    finally:
        subscription.dispose()
        await asyncio.sleep(CLEAN_UP)  # dispose waits for nothing


async def busy() -> None:
    """Never idle: plain functions on a plain iterable."""
    pipeline = double | split | ops.map(lambda n: n + 1) | double
    async for value in pipeline.with_context(max_in_flight=64)(itertools.count()):
        say_ready(value)


async def observable() -> None:
    """Items come from the timer of another thread."""
    ticks = reactivex.interval(0.001)
    async for value in (fetch | double | total)(ticks):
        say_ready(value)


PROGRAMS = {
    main.__name__: main for main in (iterate, as_completed, collect, subscribe, observable, busy)
}
CLEAN_UP = float(os.environ.get("CLEAN_UP", "0"))  # seconds
_seen = itertools.count()
_cancelled = itertools.count()


def say_ready(value: object) -> None:
    if next(_seen) == 3:
        _say("ready")


async def clean_up() -> None:
    if CLEAN_UP:
        if next(_cancelled) == 0:
            _say("cleaning")
        await asyncio.sleep(CLEAN_UP)


def _say(word: str) -> None:
    print(word, flush=True)  # noqa: T201  # the parent process waits for it


async def _main() -> None:
    # Else debug mode names slow callbacks on a busy machine, and what it names is "pending".
    asyncio.get_running_loop().slow_callback_duration = 60
    await PROGRAMS[sys.argv[1]]()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
    asyncio.run(_main())
