"""What comes in, and what do the calls do, in the jobs under real conditions?

Inputs come at times of their own, whether anybody takes them or not. So a latency counts from the
moment at which the input was there, and not from the moment at which it was taken.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = [
    "Refused",
    "arrivals",
    "busiest",
    "due_times",
    "fails_twice",
    "key_of",
    "model",
    "sleeps",
]

SEED = 11
HOT = 0  # a key


class Refused(Exception):  # noqa: N818  # what a service says
    """The service has refused the call; to be tried again."""


@functools.cache
def due_times(items: int, every: float) -> list[float]:
    """Return when each input is there, in seconds: at some moment of its interval, always the same.

    With regular ones it would depend on ties and beats who is fast.
    """
    rng = random.Random(SEED)
    return [(item + rng.random()) * every for item in range(items)]


async def arrivals(items: int, every: float) -> AsyncIterator[int]:
    """Give each input when it is there, or when it is taken, if that is later."""
    clock = asyncio.get_running_loop().time
    start = clock()
    for item, due in enumerate(due_times(items, every)):
        if (wait := start + due - clock()) > 0:
            await asyncio.sleep(wait)
        yield item


def sleeps(seconds: float) -> Callable[[int], Awaitable[int]]:
    """Return a function that takes so long, and passes the item on."""

    async def sleep(item: int) -> int:
        await asyncio.sleep(seconds)
        return item

    return sleep


async def model(items: list[int]) -> list[int]:
    """Take 20 ms and 4 ms for each item, as a model on a GPU does."""
    await asyncio.sleep(0.020 + 0.004 * len(items))
    return list(items)


def fails_twice(share: float, items: int, seconds: float) -> Callable[[int], Awaitable[int]]:
    """Return a function that fails twice for a share of the items; each call takes `seconds`."""
    rng = random.Random(SEED)
    failing = set(rng.sample(range(items), round(share * items)))
    calls: Counter[int] = Counter()

    async def call(item: int) -> int:
        calls[item] += 1
        await asyncio.sleep(seconds)
        if item in failing and calls[item] <= 2:
            raise Refused(item)
        return item

    return call


@functools.cache
def key_of(keys: int, hot: float, items: int) -> Callable[[int], int]:
    """Return what gives an item's key: for a share of them the hot one, for the others any one."""
    rng = random.Random(SEED)
    chosen = [
        HOT if rng.random() < hot else rng.randrange(HOT + 1, HOT + 1 + keys) for _ in range(items)
    ]
    return chosen.__getitem__


def busiest(times: list[float], key: Callable[[int], int], limit: int) -> float:
    """Return a bound that no scheduler can beat: all work, or that of one key, in seconds."""
    of_key: defaultdict[int, float] = defaultdict(float)
    for item, seconds in enumerate(times):
        of_key[key(item)] += seconds
    return max(sum(times) / limit, *of_key.values())
