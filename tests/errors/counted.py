"""Which stages are counted, and what do their numbers come to?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, BatchTask, SingleTask, StageStats

KINDS = ("async", "eager", "def", "generator", "async generator", "list", "lazy", "batch")
REASONS = [name for name in StageStats._fields if name.startswith("waiting_for_")]
NUMBERS = [name for name in StageStats._fields if name not in ("stage", *REASONS)]
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def stage_of(kind: str, work: Callable[[Any], Any] = lambda item: item, **options: Any) -> Any:
    """Make a stage of `kind` that gives what `work` gives; batches are of two items."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        return work(item)

    async def call_eagerly(item: Any) -> Any:
        return work(item)

    def generate(item: Any) -> Iterator[Any]:
        yield work(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0.5)
        yield work(item)

    async def call_batch(batch: list[Any]) -> Any:
        await asyncio.sleep(0.5)
        return [work(item) for item in batch]

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "eager": call_eagerly,
        "def": lambda item: work(item),
        "generator": generate,
        "async generator": generate_async,
        "list": lambda item: [work(item)],
        "lazy": lambda item: generate(item),
    }
    if kind == "batch":
        return BatchTask(call_batch, 1, 2, task_name=kind, **options)
    return SingleTask(functions[kind], task_name=kind, **options)


def numbers(stats: StageStats) -> dict[str, int]:
    """Return the numbers of `stats` that are not zero, but for what items wait for."""
    return {name: value for name in NUMBERS if (value := getattr(stats, name))}


def reasons(stats: StageStats) -> dict[str, int]:
    """Return how many items wait for what, where there are any."""
    return {
        name.removeprefix("waiting_for_"): value
        for name in REASONS
        if (value := getattr(stats, name))
    }


def of(stream: AsyncStream[Any]) -> list[dict[str, int]]:
    return [numbers(each) for each in stream.stats]


def balances(stats: StageStats) -> bool:
    ended = stats.completed + stats.failed + stats.skipped + stats.dropped + stats.cancelled
    waiting = reasons(stats).values()
    waits = min(waiting, default=0) >= 0 and stats.waiting == sum(waiting)
    return waits and stats.in_ == ended + stats.running + stats.waiting


def is_at_rest(stats: StageStats) -> bool:
    return balances(stats) and stats.running == stats.waiting == 0


def fail_at(*items: Any) -> Callable[[Any], Any]:
    """Return a function that fails for these items and gives the others as they are."""

    def work(item: Any) -> Any:
        if item in items:
            raise ValueError(item)
        return item

    return work
