"""Who reads a stream, and how often? One task at a time, with any iterators, one run."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from .._engine.outlets.reader import BUSY, Reader
from .._errors.tracebacks import hides
from .start import turn_to_begin

__all__ = ["Cursor", "Reading", "Task", "current_task"]

__tracebackhide__ = hides  # for pytest

T = TypeVar("T")
Task = asyncio.Task[Any]
_one_begins = threading.Lock()  # held for a moment once a run, by whatever thread


def current_task() -> Task | None:
    """Return the task that runs now; None outside of any."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class Reading:
    """The one run of a stream that is iterated or collected, and the iterators that read it.

    They take turns within one task. While it goes on, and one of them is alive, other tasks are
    refused, not only when both read at the same moment: which items each would get is chance.
    """

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.closed = False  # before the run was begun
        self.iterators = 0  # those that have read and are alive
        self._task: weakref.ref[Task] | None = None  # whose they are
        self._is_beginning = False

    def __str__(self) -> str:
        """Say how far the reading is, and what to do next."""
        if self.reader is None and self.closed:
            return "closed unread: call the pipeline again"
        if self.reader is None:
            return 'not read yet: use "async for" or "await stream.collect()"'
        if self.reader.is_over:
            return "has been read: call the pipeline again"
        return "being read"

    @property
    def has_begun(self) -> bool:
        """Whether the run was begun, or will never be."""
        return self.closed or self.reader is not None

    def check_unread(self) -> None:
        """Refuse a new reader of a stream that has told its end, or was closed.

        Raises:
            RuntimeError: it has.
        """
        if self.reader is not None and self.reader.is_over:
            raise RuntimeError("this stream has been read; call the pipeline again")
        if self.reader is None and self.closed:
            raise RuntimeError("this stream was closed unread; call the pipeline again")

    async def turn(self) -> None:
        """Wait for a turn to begin the run, if it has not begun."""
        if not self.has_begun:
            await turn_to_begin()

    def admit(self, task: Task | None, begin: Callable[[], Reader]) -> Reader:
        """Return the reader for `task`; `begin` makes the first one.

        Raises:
            RuntimeError: an iterator of another task reads.
        """
        reader = self.reader
        if reader is None:
            reader = self._begin(begin)
        owner = self._task() if self.iterators and self._task is not None else None
        elsewhere = owner is not None and owner is not task and not owner.done()
        if elsewhere and not reader.is_over:
            raise RuntimeError(BUSY)
        return reader

    def enter(self, task: Task | None, begin: Callable[[], Reader]) -> Reader:
        """Do as `admit`, for an iterator that will `leave`."""
        reader = self.admit(task, begin)
        self.iterators += 1
        self._task = weakref.ref(task) if task is not None else None
        return reader

    def leave(self) -> None:
        """Note that an iterator is gone; after the last one, start nothing new until the next."""
        self.iterators -= 1
        if not self.iterators and self.reader is not None:
            self.reader.pause()

    async def aclose(self, during: BaseException | None = None) -> None:
        """End the run, while `during` is being raised; if it has not begun, it never will.

        Raises:
            RuntimeError: it goes on, on another event loop.
        """
        if self.reader is None:
            self.closed = True
        else:
            await self.reader.aclose(during)

    def _begin(self, begin: Callable[[], Reader]) -> Reader:
        with _one_begins:
            if self._is_beginning:  # in another thread
                raise RuntimeError(BUSY)
            self._is_beginning = True
        try:
            self.reader = self.reader or begin()
            return self.reader
        finally:
            self._is_beginning = False


class Cursor(AsyncIterator[T]):
    """One `async for` over a stream. `begin` makes the run, and holds the stream."""

    def __init__(self, reading: Reading, begin: Callable[[], Reader]) -> None:
        reading.check_unread()
        self._reading = reading
        self._begin = begin
        self._reader: Reader | None = None

    def __anext__(self) -> Any:
        # Nothing is raised here and now: `anext(iterator, default)` would crash the interpreter.
        if self._reader is None:
            return self._first(current_task())
        return self._reader.next(self)

    async def several(self, limit: int) -> list[T]:
        """Return the next result, and what else is there then, up to `limit` in all.

        Raises: as `__anext__` does.
        """
        first = await self.__anext__()
        return [first, *(self._reader.more(limit - 1) if self._reader is not None else ())]

    async def aclose(self) -> None:
        if self._reader is not None:  # else it is not ours to close
            await self._reading.aclose()

    def __del__(self) -> None:
        if getattr(self, "_reader", None) is not None:
            self._reading.leave()

    async def _first(self, task: Task | None) -> T:
        try:
            await self._reading.turn()
            if self._reader is None:
                self._reader = self._reading.enter(task, self._begin)
            return await self._reader.next(self)
        finally:
            del self, task  # an exception's traceback leads here
