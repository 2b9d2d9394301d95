"""How fast is a loop written by hand for the one job, with an asyncio task for each item?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Sequence
from typing import Any

from ..steps import CannotDo, Map, Source, Step
from ._by_hand import collect_by_hand
from ._by_hand_with_options import collect_one_map, with_rate

__all__ = ["collect", "iterate"]


async def collect(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    (step, *rest) = steps
    if not rest and isinstance(step, Map) and (step.key or step.retry):
        return await collect_one_map(source, step, ordered=ordered, start=_start)
    assert not isinstance(source, AsyncIterable)
    steps = [with_rate(step) if isinstance(step, Map) else step for step in steps]
    return await collect_by_hand(source, steps, ordered=ordered, start=_start)


def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    raise CannotDo("written to collect, not to stream")


def _start(call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(call)
