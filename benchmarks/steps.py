"""How does a job say what is to be done, so that every contestant can write it its own way?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Batch", "CannotDo", "Map", "Step", "expected"]


class CannotDo(Exception):  # noqa: N818  # what a contestant says; nothing went wrong
    """The contestant has no way to do this job; the message is the reason."""


@dataclass(frozen=True)
class Map:
    """Call `func` on each item, `limit` calls at once; with `many` it returns a list of items."""

    func: Callable[[Any], Any]
    limit: int
    model: Callable[[int], list[int]]  # what one item becomes
    many: bool = False

    @property
    def is_async(self) -> bool:
        """Whether a call has to be awaited."""
        return inspect.iscoroutinefunction(self.func)


@dataclass(frozen=True)
class Batch:
    """Call `func` on lists of `size` items, one call at once; it returns a list of items."""

    func: Callable[[list[Any]], Any]
    size: int
    model: Callable[[int], list[int]]


Step = Map | Batch


def expected(source: Iterable[int], steps: Iterable[Step]) -> list[int]:
    """Return what the steps make of `source`, in order."""
    items = list(source)
    for step in steps:
        items = [result for item in items for result in step.model(item)]
    return items
