"""How are async iterables read? By a task, while the gate is open; streams in their own run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterable, Callable
from functools import partial
from typing import Any, Protocol, cast

from reactivex import Observable

from ..pull import Pull
from ..run import Run
from ..subscriber import Subscriber
from .base import Source

__all__ = ["AsyncSource"]


class _Stream(AsyncIterable[Any], Protocol):
    """What is read of an AsyncStream here, which stands above this module."""

    def _anew(self) -> _Stream: ...

    def _begin(self) -> None: ...

    def drain(self) -> None: ...


class AsyncSource(Source):
    """Order: the iterable's. Pressure and cancellation: see `Pull`.

    A stream is read in a run of its own, which begins at once: its source may be a hot Observable.
    To stop, that is drained, and read to its end: so what it had pulled is not lost.
    """

    kind = "async iterable"

    def __init__(self, run: Run, iterable: AsyncIterable[Any]) -> None:
        super().__init__(run)
        self._iterable = iterable
        self._stream: _Stream | None = None  # the iterable, if it is one
        self._pull: Pull | None = None
        self._is_stopped = False
        self._is_over = False

    def step(self) -> None:
        if not self.is_subscribed or self._is_over:
            return
        if self._is_stopped:
            self._end_early()
            return
        if self._pull is None:
            self._pull = Pull(
                self.run,
                lambda: self._iterable,
                _Items(self),
                name="source of a stream",
                where="in the source",
            )
            self._pull.gate = self.gate
            self._pull.begin()
        self._pull.step()

    def begin(self) -> None:
        if isinstance(self._iterable, Observable) and hasattr(self._iterable, "_anew"):
            stream = cast("_Stream", self._iterable)._anew()  # pyright: ignore[reportPrivateUsage]  # the engine's
            self._iterable = self._stream = stream
            begin = stream._begin  # pyright: ignore[reportPrivateUsage]  # the engine's
            _begin_soon(partial(self.run.context.copy().run, begin))

    def stop(self) -> None:
        self._is_stopped = True
        if self._pull is not None and self._stream is None:
            self._pull.stop()

    def cut(self) -> None:
        self._is_over = True
        if self._pull is not None:
            self._pull.cut()
        self._iterable = cast("AsyncIterable[Any]", None)
        self._stream = None

    def _end_early(self) -> None:
        if self._stream is not None:
            self._is_stopped = False
            self._stream.drain()
            self.run.ready |= self.bit
        elif self._pull is not None:
            self._pull.interrupt()
        else:
            self._is_over = True
            self._iterable = cast("AsyncIterable[Any]", None)
            self.out.on_completed()


class _Items(Subscriber):
    def __init__(self, source: AsyncSource) -> None:
        self._source = source

    def on_next(self, value: Any) -> None:
        self._source.emit(value)

    def on_error(self, error: Exception) -> None:
        self._source.fail(error)

    def on_completed(self) -> None:
        self._source.out.on_completed()


class _Beginnings(threading.local):
    waiting: deque[Callable[[], None]] | None = None


_beginnings = _Beginnings()


def _begin_soon(begin: Callable[[], None]) -> None:
    """Call `begin`, but not within another: streams of streams need no deep stack."""
    if _beginnings.waiting is not None:
        _beginnings.waiting.append(begin)
        return
    _beginnings.waiting = waiting = deque([begin])
    try:
        while waiting:
            waiting.popleft()()
    finally:
        _beginnings.waiting = None
