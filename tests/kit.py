"""What do tests of all sections share? Modes, the clock, the simplest stages and sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import AsyncStream, BaseTask, single_task

ROOT = Path(__file__).parents[1]  # of the checkout
MODES = ("ordered", "as_completed")
in_both_modes = pytest.mark.parametrize("mode", MODES)
watched_or_not = pytest.mark.parametrize("watched", [False, True])


class Boom(Exception):
    """The failure that a test asks for."""


# -- the loop


def now() -> float:
    """Tell the loop's time, which is virtual."""
    return asyncio.get_running_loop().time()


def others() -> set[asyncio.Task[Any]]:
    """Give the tasks that have not ended, without the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


# -- stages


@single_task
def same(item: Any) -> Any:
    return item


@single_task
async def nap(item: Any) -> Any:
    await asyncio.sleep(1)
    return item


class Own(BaseTask[Any, Any]):
    """A user's own stage, that passes on what comes."""

    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            yield item


# -- sources and readers


class Endless:
    """The numbers from 0 on; knows how many were pulled and whether its iterator was closed."""

    def __init__(self) -> None:
        self.pulled = 0
        self.closed = 0

    def __iter__(self) -> Iterator[int]:
        try:
            while True:
                self.pulled += 1
                yield self.pulled - 1
        finally:
            self.closed += 1


async def drain(stream: AsyncStream[Any], got: list[Any]) -> None:
    """Read `stream` to its end into `got`, which keeps what came before a failure."""
    async for item in stream:
        got.append(item)  # noqa: PERF401  # kept if it fails
