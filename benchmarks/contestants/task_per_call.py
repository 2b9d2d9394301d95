"""How fast is a loop written by hand for the one job, with an asyncio task for each item?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any

from ..steps import CannotDo, Step
from ._by_hand import collect_by_hand

__all__ = ["collect", "iterate"]


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return await collect_by_hand(source, steps, ordered=ordered, start=_start)


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    raise CannotDo("written to collect, not to stream")


def _start(call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(call)
