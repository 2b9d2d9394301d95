"""How does a user of streamable write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from streamable import stream

from ..steps import Batch, Step

__all__ = ["collect", "iterate"]


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    chain: Any = stream(source)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain.group(step.size).map(step.func).flatten()
            continue
        limit = step.limit if step.is_async else 1  # more would be threads
        chain = chain.map(step.func, concurrency=limit, as_completed=not ordered and limit > 1)
        if step.many:
            chain = chain.flatten()
    return aiter(chain)


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]
