"""How does a user of streamable write it?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from streamable import _aiterators, stream

from ..steps import Batch, Map, Source, Step
from ._executor import executor_of

__all__ = ["collect", "crew", "iterate", "use_the_clock_of_the_loop"]

AT_ONCE = 0.001  # seconds: `within` must be above 0, and 1 µs is over before a second item is taken


def iterate(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> AsyncIterator[int]:
    chain: Any = stream(source)
    for step in steps:
        if isinstance(step, Batch):
            if isinstance(source, AsyncIterable):  # else no input is taken while the model works
                chain = chain.buffer(step.size)
            chain = _grouped(chain, step).map(step.func).flatten()
            continue
        if step.rate is not None:
            chain = chain.throttle(step.rate.starts, per=timedelta(seconds=step.rate.per))
        limit = step.limit if step.is_async else 1  # more would be threads
        chain = chain.map(step.func, concurrency=limit, as_completed=not ordered and limit > 1)
        if step.many:
            chain = chain.flatten()
    return aiter(chain)


async def collect(
    source: Source, steps: Sequence[Step], *, ordered: bool, window: int | None
) -> list[int]:
    return [item async for item in iterate(source, steps, ordered=ordered, window=window)]


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], Iterator[int]]]:
    with executor_of(step.crew) as executor:
        yield lambda source: iter(
            stream(source).map(step.func, concurrency=executor, as_completed=not ordered)
        )


def use_the_clock_of_the_loop() -> None:
    """Replace `time.perf_counter`, by which it measures how long to wait."""
    clock = SimpleNamespace(perf_counter=lambda: asyncio.get_running_loop().time())
    setattr(_aiterators, "time", clock)  # noqa: B010  # it has no such attribute for a checker


def _grouped(chain: Any, step: Batch) -> Any:
    if step.wait is None:
        return chain.group(step.size)
    chain = chain.group(step.size, within=timedelta(seconds=step.wait or AT_ONCE))
    # So that the next batch is gathered while the model works. Where none waits for more, it would
    # only be cut sooner, and so smaller.
    return chain.buffer(1) if step.wait else chain
