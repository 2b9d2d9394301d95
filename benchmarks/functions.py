"""Which functions do the jobs call? As little work as can be, so that what is timed is the rest."""

from __future__ import annotations

import asyncio

__all__ = [
    "after_1_ms",
    "all_at_once",
    "all_now",
    "at_once",
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
