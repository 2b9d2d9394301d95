"""What does one write by hand for Ray? Tasks of chunks, so many at once, read in order."""

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
    with cluster(crew.kind, crew.number) as ray:

        @ray.remote
        def call_all(items: list[int]) -> list[int]:
            return [step.func(item) for item in items]

        def start(source: Iterable[int]) -> Iterator[int]:
            sent: deque[Any] = deque()
            for chunk in chunks(source, crew.chunk):
                if len(sent) == AHEAD * crew.number:
                    yield from ray.get(sent.popleft())
                sent.append(call_all.remote(chunk))
            while sent:
                yield from ray.get(sent.popleft())

        yield start
