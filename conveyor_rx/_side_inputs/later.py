"""How is a value that is still to come had once, by runs on any loop and in any thread?

One of those who want it loads it, in a task of its own; the others wait for that.
"""

from __future__ import annotations

import abc
import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from types import CoroutineType
from typing import Any, cast
from weakref import WeakKeyDictionary

from ..stream import AsyncStream
from .loading import End, Loading, report

__all__ = ["Awaited", "FirstOf", "Later", "Made"]


class Later(abc.ABC):
    """A side input that is still to come; `name` is what messages call it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abc.abstractmethod
    async def get(self, run: object) -> Any:
        """Return the value, for `run`; raise what loading it raised."""


class _Shared(Later):
    """A value that is loaded once for all who want it.

    Who stops waiting leaves the loading to the others. Nobody else there: if the value can be had
    again, the loading is cancelled and awaited, else it goes on, for those who come later.
    """

    is_repeatable = True
    """Whether the value can be loaded again, after a failure or a cancellation."""

    def __init__(self, name: str, source: Any) -> None:
        super().__init__(name)
        self._source: Any = source  # let go of when the value is there
        self._lock = threading.Lock()
        self._loading: Loading | None = None

    async def get(self, run: object) -> Any:
        del run
        while True:
            end, loop = await self._end()
            if not end.cancelled:
                break
            if loop is asyncio.get_running_loop():
                raise asyncio.CancelledError  # by a stranger, as a call may be
            # Else its loop was shut down. That is not our end.
        try:
            if end.error is not None:
                raise end.error
            self._source = None
            return end.value
        finally:
            del end, self  # an error's traceback leads to this frame

    def __del__(self) -> None:
        if self._loading is not None:
            self._loading.cancel()

    @abc.abstractmethod
    def _load(self) -> Coroutine[Any, Any, Any]:
        """Return what loads the value, once more if need be."""

    @abc.abstractmethod
    def _spent(self, how: str) -> str:
        """Say what to do about a value that can't be had again; `how` says what became of it."""

    async def _end(self) -> tuple[End, asyncio.AbstractEventLoop]:
        with self._lock:
            loading = self._current()
            if loading.value is not None:
                return loading.value, loading.loop
            waiter = loading.waiter()
        try:
            return await waiter, loading.loop
        except asyncio.CancelledError:
            await self._leave(loading, waiter)
            raise

    def _current(self) -> Loading:
        """Return the loading to wait for, a new one if need be; the lock is held."""
        loading = self._loading
        if loading is not None and (loading.failed or loading.is_lost):
            if not self.is_repeatable:
                how = loading.failed or "was left behind by an event loop that doesn't run"
                raise RuntimeError(f"{self.name}, {self._spent(f'{how} in an earlier run')}")
            loading = None
        if loading is None:
            loading = self._loading = Loading(self._load(), self._lock)
        return loading

    async def _leave(self, loading: Loading, waiter: asyncio.Future[End]) -> None:
        """Wait no longer; see to it that nothing is loaded for nobody."""
        with self._lock:
            loading.waiters.discard(waiter)
            if loading.waiters or loading.task is None or not self.is_repeatable:
                return
            if self._loading is loading:
                self._loading = None
            waiter = loading.waiter()
        loading.cancel()
        while not waiter.done() and not loading.is_lost:
            try:
                await asyncio.wait({waiter})
            except asyncio.CancelledError:  # the caller raises the first one
                continue
        if waiter.done():
            report(waiter.result().error, loading.loop)


class Awaited(_Shared):
    """What a coroutine gives. It can be awaited once, so its loading outlives those that wait."""

    is_repeatable = False
    _source: CoroutineType[Any, Any, Any] | None

    def __del__(self) -> None:
        super().__del__()
        if self._source is not None and _is_new(self._source):
            self._source.close()  # no run came to need it

    def _load(self) -> Coroutine[Any, Any, Any]:
        if self._source is None or not _is_new(self._source):
            raise RuntimeError(f"{self.name}, {self._spent('was awaited elsewhere')}")
        return _await(self._source)

    def _spent(self, how: str) -> str:
        return (
            f"a coroutine, {how}, and a coroutine can be awaited only once; "
            "pass the coroutine function itself, to have it called in each run"
        )


class FirstOf(_Shared):
    """The first item of a stream; a run of its own."""

    _source: AsyncStream[Any]

    def __init__(self, name: str, stream: AsyncStream[Any]) -> None:
        super().__init__(name, stream._anew())  # pyright: ignore[reportPrivateUsage]  # not for users
        self.is_repeatable = stream._can_be_read_again  # pyright: ignore[reportPrivateUsage]  # not for users

    def _load(self) -> Coroutine[Any, Any, Any]:
        return _first_of(self._source._anew(), self.name)  # pyright: ignore[reportPrivateUsage]  # not for users

    def _spent(self, how: str) -> str:
        return (
            f"a stream, {how}, and its source can be read only once; "
            "pass a stream over data that can be read again, or a coroutine function"
        )


class _OfRun(_Shared):
    """What a factory gives, for one run."""

    _source: Callable[[], Any]

    def _load(self) -> Coroutine[Any, Any, Any]:
        return _make(self._source)

    def _spent(self, how: str) -> str:
        raise NotImplementedError  # it can be had again


class Made(Later):
    """What a factory gives: called once in each run that needs it."""

    def __init__(self, name: str, factory: Callable[[], Any]) -> None:
        super().__init__(name)
        self.factory = factory
        self._lock = threading.Lock()
        self._of_runs: WeakKeyDictionary[object, _OfRun] = WeakKeyDictionary()

    async def get(self, run: object) -> Any:
        with self._lock:
            of_run = self._of_runs.get(run)
            if of_run is None:
                of_run = self._of_runs[run] = _OfRun(self.name, self.factory)
        try:
            return await of_run.get(run)
        finally:
            del run, self, of_run  # an error's traceback leads to this frame


def _is_new(coroutine: CoroutineType[Any, Any, Any]) -> bool:
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


async def _await(coroutine: CoroutineType[Any, Any, Any]) -> Any:
    return await coroutine


async def _make(factory: Callable[[], Any]) -> Any:
    return await factory()


async def _first_of(stream: AsyncStream[Any], name: str) -> Any:
    async with aclosing(stream):
        async for value in cast("AsyncIterator[Any]", stream):
            return value
    raise RuntimeError(f"{name}, an AsyncStream, ended without an item")
