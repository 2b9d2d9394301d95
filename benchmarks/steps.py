"""How does a job say what is to be done, so that every contestant can write it its own way?"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "CLUSTERS",
    "Batch",
    "CannotDo",
    "Crew",
    "Map",
    "Rate",
    "Retry",
    "Source",
    "Step",
    "expected",
]

CLUSTERS = {"dask": "distributed", "ray": "ray"}  # kinds of crews: which module they need
Source = Iterable[int] | AsyncIterable[int]  # async where a job says when the inputs come


class CannotDo(Exception):  # noqa: N818  # what a contestant says; nothing went wrong
    """The contestant has no way to do this job; the message is the reason."""


@dataclass(frozen=True)
class Rate:
    """At most so many calls may start in any `per` seconds."""

    starts: int
    per: float


@dataclass(frozen=True)
class Retry:
    """Up to so many calls; `delay` seconds before the second one, twice as many before the next."""

    attempts: int
    delay: float


@dataclass(frozen=True)
class Crew:
    """So many threads or processes, each of which gets up to `chunk` items at once.

    With `of_shards` a chunk is what a whole pipeline runs on, in one of them.
    """

    kind: str
    number: int
    chunk: int = 1
    of_shards: bool = False


@dataclass(frozen=True)
class Map:
    """Call `func` on each item, `limit` calls at once; with `many` it returns a list of items.

    Calls for items of equal keys follow each other in the order of the input.
    """

    func: Callable[[Any], Any]
    limit: int
    model: Callable[[int], list[int]]  # what one item becomes
    many: bool = False
    rate: Rate | None = None
    key: Callable[[int], int] | None = None
    retry: Retry | None = None
    crew: Crew | None = None  # who makes the calls; None: the event loop
    inner: bool = False  # each call is a run of its own, of ours, within the run
    more: tuple[tuple[str, Any], ...] = ()  # options of ours, in jobs that are ours alone

    @property
    def is_async(self) -> bool:
        """Whether a call has to be awaited."""
        return inspect.iscoroutinefunction(self.func)


@dataclass(frozen=True)
class Batch:
    """Call `func` on lists of `size` items, one call at once; it returns a list of items.

    With `wait`, a smaller batch does when its first item has waited so many seconds.
    """

    func: Callable[[list[Any]], Any]
    size: int
    model: Callable[[int], list[int]]
    wait: float | None = None


Step = Map | Batch


def expected(source: Iterable[int], steps: Iterable[Step]) -> list[int]:
    """Return what the steps make of `source`, in order."""
    items = list(source)
    for step in steps:
        items = [result for item in items for result in step.model(item)]
    return items
