"""Which functions do the jobs call? As little work as can be, so that what is timed is the rest."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import threading
import time

__all__ = [
    "HASHES",
    "after_1_ms",
    "all_at_once",
    "all_now",
    "at_once",
    "at_the_pace_of_the_thread",
    "more",
    "one_more",
    "plain",
    "suspends",
    "ten",
]


async def at_once(item: int) -> int:
    """Add one without suspending."""
    return item + 1


async def suspends(item: int) -> int:
    """Add one after one turn of the event loop."""
    await asyncio.sleep(0)
    return item + 1


async def after_1_ms(item: int) -> int:
    """Add one after a millisecond."""
    await asyncio.sleep(0.001)
    return item + 1


def plain(item: int) -> int:
    """Add one in a plain function."""
    return item + 1


def hashed(item: int, rounds: int) -> int:
    """Add one after so many rounds of SHA-256, of about 0.4 µs each."""
    digest = b""
    for _ in range(rounds):
        digest = hashlib.sha256(digest).digest()
    return item + 1


HASHES = {ms: functools.partial(hashed, rounds=round(2_500 * ms)) for ms in (0.1, 1, 10)}
"""By the milliseconds that a call takes, about."""


def at_the_pace_of_the_thread(item: int) -> int:
    """Add one after 4 ms in the first thread of a pool, and after 1 ms in all others."""
    time.sleep(0.004 if threading.current_thread().name.endswith("_0") else 0.001)
    return item + 1


async def ten(item: int) -> list[int]:
    """Make ten of one, after one turn of the event loop."""
    await asyncio.sleep(0)
    return list(range(10 * item, 10 * item + 10))


async def all_at_once(items: list[int]) -> list[int]:
    """Add one to each item of a batch, after one turn of the event loop."""
    await asyncio.sleep(0)
    return [item + 1 for item in items]


async def all_now(items: list[int]) -> list[int]:
    """Add one to each item of a batch without suspending."""
    return [item + 1 for item in items]


def one_more(item: int) -> list[int]:
    """Say what the functions above make of an item."""
    return [item + 1]


def more(item: int) -> list[int]:
    """Say what `ten` makes of an item."""
    return list(range(10 * item, 10 * item + 10))
