"""How does a user of reactivex write it, naively: with its own operators and asyncio tasks?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import reactivex as rx
from reactivex import operators as ops

from ..steps import Batch, CannotDo, Step

__all__ = ["collect", "iterate"]


async def iterate(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    observable = _observable(source, steps, ordered)
    results: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    observable.subscribe(
        lambda item: results.put_nowait(("next", item)),
        lambda error: results.put_nowait(("error", error)),
        lambda: results.put_nowait(("end", None)),
    )
    while (message := await results.get())[0] == "next":
        yield message[1]
    if message[0] == "error":
        raise message[1]


async def collect(
    source: Iterable[int], steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return await _observable(source, steps, ordered).pipe(ops.to_list())


def _observable(source: Iterable[int], steps: Sequence[Step], ordered: bool) -> Any:
    chain: Any = rx.from_iterable(source)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain.pipe(ops.buffer_with_count(step.size), _calls(step.func, 1), _flatten)
            continue
        if not step.is_async:
            chain = chain.pipe(ops.map(step.func))
            continue
        if ordered and step.limit > 1:
            raise CannotDo("no operator overlaps calls and keeps the order")
        chain = chain.pipe(_calls(step.func, step.limit))
        if step.many:
            chain = chain.pipe(_flatten)
    return chain


def _calls(func: Callable[[Any], Any], limit: int) -> Callable[[Any], Any]:
    def call(item: Any) -> Any:
        return rx.defer(lambda _: rx.from_future(asyncio.ensure_future(func(item))))

    return rx.compose(ops.map(call), ops.merge(max_concurrent=limit))


def _flatten(chain: Any) -> Any:
    return chain.pipe(ops.flat_map(rx.from_iterable))
