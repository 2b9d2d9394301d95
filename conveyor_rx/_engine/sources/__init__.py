"""How is data of any kind read? As an Observable that emits while a gate is open.

What counts as many items: iterables, async iterables and Observables. `str`, bytes-like objects,
mappings, tables, records and whatever is not iterable are one item.

    kinds.py            which of these a value is
    base.py             what a source is
    iterable.py         iterables
    async_iterable.py   async iterables, and streams
    observable.py       Observables
    demand.py           what paces streams that are read inside of an Observable
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from operator import length_hint
from typing import Any, cast

from reactivex import Observable

from ..run import Run
from .base import Source
from .demand import Demand, demand
from .iterable import IterableSource
from .kinds import check_data, is_iterable

__all__ = [
    "NO_DATA",
    "Demand",
    "Source",
    "check_data",
    "demand",
    "is_iterable",
    "length_of",
    "source_of",
]


class _NoData:
    """In place of data: the first task is called once, without an item."""

    def __repr__(self) -> str:
        return "no_data"


NO_DATA: Any = _NoData()

_BUILT_IN = ("array", "builtins", "collections")  # the modules of Python's own collections


def length_of(data: Any) -> int | None:
    """Return how many items `data` has; None if it doesn't say, or if asking may be work.

    A lazy collection (a query set) may load a table to count it: only sequences are asked, and
    collections and iterators that are built in.
    """
    if not is_iterable(data):
        return None if isinstance(data, AsyncIterable | Observable) else 1
    kind = cast("type[object]", type(data))
    is_built_in = kind.__module__ in _BUILT_IN
    try:
        if is_built_in and not hasattr(kind, "__len__"):
            hint = length_hint(data, -1)
            return hint if hint >= 0 else None
        return len(data) if is_built_in or issubclass(kind, Sequence) else None
    except Exception:  # it has no length, or one that fails; that is no reason to fail the run
        return None


def source_of(data: Any, run: Run) -> Source:
    """Give the source that reads `data`, whatever it is."""
    if isinstance(data, AsyncIterable):
        from .async_iterable import AsyncSource

        return AsyncSource(run, cast("AsyncIterable[Any]", data))
    if isinstance(data, Observable):
        from .observable import ObservableSource

        return ObservableSource(run, cast("Observable[Any]", data))
    if is_iterable(data):
        return IterableSource(run, data)
    source = IterableSource(run, (data,))
    source.kind = "item"
    return source
