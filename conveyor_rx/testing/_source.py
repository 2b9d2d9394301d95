"""How does a test write down what comes when?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ._notation import parse

__all__ = ["MarbleSource", "source"]


def source(
    text: str,
    *,
    tick: float = 1.0,
    values: Mapping[Any, Any] | None = None,
    error: BaseException | None = None,
) -> MarbleSource:
    """Return an async iterable whose items come at the instants of a marble string.

    `tick` is in seconds, `values` maps what stands in the string to items, `error` is what a `#`
    raises (a `MarbleError` by default). Each iteration is a run of its own that starts with its
    first `__anext__`; a late caller gets at once what is due. A string without an end never ends.

        >>> run(timeline(source("1--2-3|", tick=0.1)))
        [(0.0, 1), (0.3, 2), (0.5, 3)]

    Raises:
        ValueError: no marble string.
    """
    return MarbleSource(text, tick, values, error)


class MarbleSource:
    """An async iterable with items at written instants, and counts of how it was used.

    `opened`, `pulled` and `closed` count the iterators made, the items given and the `aclose` calls
    that had something to close. An `__anext__` that overlaps another raises RuntimeError.
    """

    def __init__(
        self,
        text: str,
        tick: float,
        values: Mapping[Any, Any] | None,
        error: BaseException | None,
    ) -> None:
        self.diagram = parse(text, tick=tick, values=values, error=error)
        self.text = text
        self.opened = 0
        self.pulled = 0
        self.closed = 0

    def __repr__(self) -> str:
        return f"source({self.text!r})"

    def __aiter__(self) -> AsyncIterator[Any]:
        self.opened += 1
        return _Reading(self)


class _Reading(AsyncIterator[Any]):
    """One iteration of a source."""

    def __init__(self, source: MarbleSource) -> None:
        self._source = source
        self._next = 0
        self._start: float | None = None
        self._is_waiting = False
        self._is_over = False

    async def __anext__(self) -> Any:
        if self._is_waiting:
            raise RuntimeError(f"__anext__ of {self._source!r} overlaps itself")
        if self._is_over:
            raise StopAsyncIteration
        self._is_waiting = True
        try:
            return await self._take()
        finally:
            self._is_waiting = False

    async def _take(self) -> Any:
        marbles = self._source.diagram.marbles
        loop = asyncio.get_running_loop()
        if self._start is None:
            self._start = loop.time()
        if self._next == len(marbles):
            await loop.create_future()  # the string has no end
        marble = marbles[self._next]
        delay = self._start + marble.at - loop.time()
        if delay > 0:
            await asyncio.sleep(delay)
        self._next += 1  # only now: a caller that was cancelled while it waited may ask again
        if marble.kind == "item":
            self._source.pulled += 1
            return marble.value
        self._is_over = True
        if marble.kind == "error":
            raise marble.value
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the iteration."""
        if not self._is_over:
            self._source.closed += 1
        self._is_over = True
