"""What does one write by hand? `Pool.imap` for processes; for threads loops that wait for them."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ..steps import Map

__all__ = ["crew"]

AHEAD = 4  # calls at once for each thread, as we have


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], Any]]:
    assert step.crew is not None
    number, chunk = step.crew.number, step.crew.chunk
    if step.crew.kind == "processes":
        with multiprocessing.get_context("spawn").Pool(number) as processes:
            imap = processes.imap if ordered else processes.imap_unordered
            yield lambda source: imap(step.func, source, chunk)
    else:
        with ThreadPoolExecutor(number) as threads:
            yield lambda source: _in_threads(threads, step, source, AHEAD * number)


async def _in_threads(
    pool: ThreadPoolExecutor, step: Map, source: Iterable[int], at_once: int
) -> AsyncIterator[int]:
    call, items = asyncio.get_running_loop().run_in_executor, enumerate(source)
    results: dict[int, int] = {}

    async def work() -> None:
        for number, item in items:
            results[number] = await call(pool, step.func, item)

    await asyncio.gather(*[work() for _ in range(at_once)])
    for number in range(len(results)):
        yield results[number]
