"""Which pipelines do the tests of a run's life use, and what do their sources see?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BatchTask, Pipeline, SingleTask
from tests.kit import Own, others


async def settle() -> None:
    """Let happen what can happen without waiting for anything: the virtual clock moves last."""
    await asyncio.sleep(0.001)


class Work:
    """An async function that takes `latency` and counts what it starts and ends."""

    def __init__(self, latency: float = 1.0, cleanup: float = 0.0) -> None:
        self.latency = latency
        self.cleanup = cleanup
        self.started: list[Any] = []
        self.ended: list[Any] = []

    async def __call__(self, item: Any) -> Any:
        self.started.append(item)
        try:
            await asyncio.sleep(self.latency)
            return item
        finally:
            try:
                await asyncio.sleep(self.cleanup)  # may be cancelled in its turn
            finally:
                self.ended.append(item)


class Numbers:
    """An async source without an end that counts what was pulled and closed."""

    def __init__(self, pause: float = 0.0, end: int | None = None, cleanup: float = 0.0) -> None:
        self.pause = pause
        self.end = end
        self.cleanup = cleanup
        self.opened = self.pulled = self.closed = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        self.opened += 1
        try:
            while self.end is None or self.pulled < self.end:
                if self.pause:
                    await asyncio.sleep(self.pause)
                self.pulled += 1
                yield self.pulled - 1
        finally:
            if self.cleanup:
                await asyncio.sleep(self.cleanup)
            self.closed += 1


def identity(item: Any) -> Any:
    return item


async def fans_out(item: int) -> AsyncIterator[int]:
    for n in range(3):
        await asyncio.sleep(0.25)
        yield item * 10 + n


def stages() -> dict[str, Pipeline[Any, Any]]:
    """Give a pipeline of each kind of stage."""
    return {
        "async": Pipeline().add(SingleTask(Work())),
        "def": Pipeline().add(SingleTask(identity)),
        "generator": Pipeline().add(SingleTask(fans_out)),
        "sequential": SingleTask(Work()) | SingleTask(Work(), concurrency_limit=1),
        "batch": SingleTask(Work()) | BatchTask(Work(), 2, 3) | SingleTask(Work()),
        "rx": SingleTask(Work()) | ops.map(identity) | SingleTask(Work()),
        "own": SingleTask(Work()) | Own() | SingleTask(Work()),
        "empty": Pipeline(),
    }


KINDS = tuple(stages())
of_each_stage = pytest.mark.parametrize("kind", KINDS)


async def is_over(stream: AsyncStream[Any]) -> bool:
    """Tell whether the stream gives nothing more, and says so to who begins to read it anew."""
    for _ in range(3):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    with pytest.raises(RuntimeError, match="call the pipeline again"):
        await stream.collect()
    with pytest.raises(RuntimeError, match="call the pipeline again"):
        aiter(stream)
    return not others()
