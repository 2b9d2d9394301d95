"""How does a user of reactivex write it, naively: with its own operators and asyncio tasks?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from typing import Any

import reactivex as rx
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

from ..steps import Batch, CannotDo, Source, Step

__all__ = ["collect", "iterate"]


async def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
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
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return await _observable(source, steps, ordered).pipe(ops.to_list())


def _observable(source: Source, steps: Sequence[Step], ordered: bool) -> Any:
    is_async = isinstance(source, AsyncIterable)
    chain: Any = _from_async(source) if is_async else rx.from_iterable(source)
    for step in steps:
        if isinstance(step, Batch):
            chain = chain.pipe(_batches(step), _calls(step.func, 1), _flatten)
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


def _from_async(source: AsyncIterable[int]) -> Any:
    def subscribe(observer: Any, _: Any) -> Any:
        async def push() -> None:
            async for item in source:
                observer.on_next(item)
            observer.on_completed()

        return Disposable(asyncio.ensure_future(push()).cancel)

    return rx.create(subscribe)


def _batches(step: Batch) -> Callable[[Any], Any]:
    if step.wait is None:
        return ops.buffer_with_count(step.size)
    if step.wait == 0:
        raise CannotDo("cuts by the clock, which needs an interval")
    scheduler = AsyncIOScheduler(asyncio.get_running_loop())
    by_the_clock = ops.buffer_with_time_or_count(step.wait, step.size, scheduler)
    return rx.compose(by_the_clock, ops.filter(bool))  # there may be no item in an interval


def _calls(func: Callable[[Any], Any], limit: int) -> Callable[[Any], Any]:
    def call(item: Any) -> Any:
        return rx.defer(lambda _: rx.from_future(asyncio.ensure_future(func(item))))

    return rx.compose(ops.map(call), ops.merge(max_concurrent=limit))


def _flatten(chain: Any) -> Any:
    return chain.pipe(ops.flat_map(rx.from_iterable))
