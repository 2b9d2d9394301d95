"""How does a user of aiostream write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from aiostream import pipe, stream

from ..steps import Batch, Step

__all__ = ["collect", "iterate"]


async def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    async with _chain(source, steps, ordered).stream() as streamer:
        async for item in streamer:
            yield item


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return [item async for item in _chain(source, steps, ordered)]


def _chain(source: Iterable[int], steps: Sequence[Step], ordered: bool) -> Any:
    chain: Any = stream.iterate(source)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain | pipe.chunks(step.size) | pipe.map(step.func, task_limit=1)
            chain = chain | pipe.concatmap(stream.iterate, task_limit=1)
        elif step.is_async:
            if step.rate is not None:  # no bursts: one call each so many seconds
                chain = chain | pipe.spaceout(step.rate.per / step.rate.starts)
            chain = chain | pipe.map(step.func, ordered=ordered, task_limit=step.limit)
            if step.many:
                chain = chain | pipe.concatmap(stream.iterate, task_limit=1)
        else:
            chain = chain | pipe.map(step.func)
    return chain
