"""What is watched while a run is cancelled? Its tasks, and what they clean up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conveyor_rx import AsyncStream, SingleTask

WAYS = ("async for", "collect", "anext", "async with")


class Watch:
    """What user code is open, what of it was cancelled, and whether it could clean up in peace."""

    def __init__(self) -> None:
        self.open = self.started = self.cancelled = self.cleaned = 0

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count what is inside as running."""
        self.open += 1
        self.started += 1
        try:
            yield
        finally:
            self.open -= 1

    async def sleep(self, seconds: float, cleanup: float = 0.25) -> None:
        """Sleep; if cancelled, take some time to clean up."""
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            await asyncio.sleep(cleanup)
            self.cleaned += 1
            raise


def slow(watch: Watch, seconds: float = 1.0, cleanup: float = 0.25) -> SingleTask[Any, Any]:
    """Make a task whose calls take `seconds`, and `cleanup` more to be cancelled."""

    async def work(item: Any) -> Any:
        with watch.work():
            await watch.sleep(seconds, cleanup)
            return item

    return SingleTask(work)


async def consume(stream: AsyncStream[Any], way: str, got: list[Any]) -> None:
    """Read the stream to its end."""
    if way == "async for":
        async for item in stream:
            got.append(item)  # noqa: PERF401  # kept if it fails
    elif way == "collect":
        got += await stream.collect()
    elif way == "async with":
        async with stream:
            async for item in stream:
                got.append(item)
    else:
        while True:
            try:
                got.append(await anext(stream))
            except StopAsyncIteration:
                return
