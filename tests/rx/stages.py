"""Which stages and clocks do the tests of Rx use?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from reactivex.scheduler.eventloop import AsyncIOScheduler

from conveyor_rx import single_task
from tests.kit import Boom


class LoopClock(AsyncIOScheduler):
    """A scheduler that tells the time of the loop; reactivex's own tells that of the wall."""

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


def loop_clock() -> LoopClock:
    return LoopClock(asyncio.get_running_loop())


@single_task
async def add_one(x: int) -> int:
    await asyncio.sleep(1)
    return x + 1


@single_task
def double(x: int) -> int:
    return x * 2


def is_even(x: int) -> bool:
    return x % 2 == 0


def explode_at(bad: int) -> Callable[[int], int]:
    def mapper(x: int) -> int:
        if x == bad:
            raise Boom(x)
        return x

    return mapper
