"""How long does the work take in one process, without any other?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ..steps import Map

__all__ = ["crew"]


@contextmanager
def crew(step: Map, *, ordered: bool) -> Iterator[Callable[[Iterable[int]], Iterator[int]]]:
    yield lambda source: map(step.func, source)
