"""How does a user of flowlet write it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from flowlet import pipe

from ..steps import Batch, CannotDo, Step

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
    chain: Any = pipe(source)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain.batch(step.size).flat_map(step.func)
            continue
        limit = step.limit if step.is_async else 1
        if ordered and limit > 1:
            raise CannotDo("gives results as they complete only")
        add = chain.flat_map if step.many else chain.map
        chain = add(step.func, concurrency=limit)
    return chain
