"""How does one write retries by hand, as most do? In a loop within the slot, which it keeps."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from ..steps import CannotDo, Map, Retry, Step
from ._by_hand import collect_by_hand

__all__ = ["collect", "iterate"]


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    retrying = [_retrying(step) for step in steps]
    return await collect_by_hand(source, retrying, ordered=ordered, start=asyncio.create_task)


def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    raise CannotDo("written to collect, not to stream")


def _retrying(step: Step) -> Step:
    if not isinstance(step, Map) or step.retry is None:
        return step
    return dataclasses.replace(step, func=_in_attempts(step.func, step.retry), retry=None)


def _in_attempts(func: Callable[[Any], Any], retry: Retry) -> Callable[[Any], Any]:
    async def call(item: int) -> int:
        delay = retry.delay
        for _ in range(retry.attempts - 1):
            try:
                return await func(item)
            except Exception:
                await asyncio.sleep(delay)
                delay *= 2
        return await func(item)

    return call
