"""What does one write by hand for Dask? Futures of chunks, so many at once, read in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..steps import CannotDo, Map
from ._clusters import AHEAD, chunks, cluster

__all__ = ["crew"]


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], Iterator[int]]]:
    crew = step.crew
    assert crew is not None
    if not ordered:
        raise CannotDo("written for results in order")
    with cluster(crew.kind, crew.number) as client:

        def start(source: Iterable[int]) -> Iterator[int]:
            futures: deque[Any] = deque()
            for chunk in chunks(source, crew.chunk):
                if len(futures) == AHEAD * crew.number:
                    yield from futures.popleft().result()
                futures.append(client.submit(call_all, step.func, chunk, pure=False))
            while futures:
                yield from futures.popleft().result()

        yield start


def call_all(function: Callable[[int], int], items: list[int]) -> list[int]:
    return [function(item) for item in items]
