"""How does a user of pipestage write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from pipestage import stream

from ..steps import Batch, Step

__all__ = ["collect", "iterate"]


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    return aiter(_chain(source, steps, ordered))


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return await _chain(source, steps, ordered).collect()


def _chain(source: Iterable[int], steps: Sequence[Step], ordered: bool) -> Any:
    chain: Any = stream(source)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain.batch(step.size).flat_map(step.func)
        else:
            limit = step.limit if step.is_async else 1
            add = chain.flat_map if step.many else chain.map
            chain = add(step.func, concurrency=limit, ordered=ordered)
    return chain
