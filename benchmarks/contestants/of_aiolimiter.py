"""How does a user of aiolimiter write it? By hand, with a task for each call."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from aiolimiter import AsyncLimiter

from ..steps import CannotDo, Map, Step
from ._by_hand import collect_by_hand

__all__ = ["collect", "iterate"]


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    limited = [_limited(step) for step in steps]
    return await collect_by_hand(source, limited, ordered=ordered, start=asyncio.create_task)


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    raise CannotDo("written to collect, not to stream")


def _limited(step: Step) -> Step:
    if not isinstance(step, Map) or step.rate is None:
        return step
    return dataclasses.replace(step, func=_slowly(step.func, step), rate=None)


def _slowly(func: Callable[[Any], Any], step: Map) -> Callable[[Any], Any]:
    assert step.rate is not None
    limiter = AsyncLimiter(step.rate.starts, step.rate.per)

    async def call(item: int) -> int:
        async with limiter:
            return await func(item)

    return call
