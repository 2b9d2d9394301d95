"""When was which batch cut, and why? What the tests of batches share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from conveyor_rx import AsyncStream, BatchTask, batch_task
from conveyor_rx.events import Event, observe
from tests.kit import now

__all__ = ["Cut", "arriving", "cuts_of", "taking", "timers"]

Cut = tuple[float, tuple[int, ...], str]  # when, of which items, why


async def arriving(times: list[float]) -> AsyncIterator[int]:
    """Give a number at each of these times."""
    for number, time in enumerate(times):
        await asyncio.sleep(time - now())
        yield number


async def cuts_of(stream: AsyncStream[Any]) -> list[Cut]:
    """Run the stream, and note each batch."""
    cuts: list[Cut] = []

    def note(event: Event) -> None:
        if event.kind == "batch_formed":
            cuts.append((event.time, event.inputs, event.reason))

    with observe(note):
        await stream.collect()
    return cuts


def taking(seconds: float, **options: Any) -> BatchTask[int, int]:
    """Make a batch task whose calls take so long."""

    @batch_task(**options)
    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep(seconds)
        return batch

    return work


def timers() -> int:
    """Count the timers of the virtual loop that are set."""
    loop: Any = asyncio.get_running_loop()
    return sum(not timer.cancelled() for _, _, timer in loop._timers._heap)
