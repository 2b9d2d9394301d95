"""What does a `for` loop read of a run in another thread? Results, a few at once, on demand."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextvars import Context
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from ._errors.tracebacks import hides
from ._loop_thread import END, LoopThread
from ._streams.cursor import Cursor
from ._streams.start import outside_of_runs
from .stream import AsyncStream

__all__ = ["Results", "new_thread"]

__tracebackhide__ = hides  # for pytest

T_co = TypeVar("T_co", covariant=True)

GROUP = 16  # results that cross the threads at once, at most: as many as may wait in a run
BUSY = "these results are being read in another thread at this moment; one thread reads at a time"
FORKED = "these results come from a run in the process that this one was forked from; begin anew"
INSIDE = "a call of a run can't wait for the results of this very run, which would wait for it"


def new_thread(work: Any, stream: AsyncStream[Any], context: Context) -> LoopThread:
    """Make the thread in which `work(stream, thread)` reads `stream`."""
    return LoopThread(partial(work, stream), partial(_close, stream), context)


class Results(Iterator[T_co]):
    """The results of one run, for a `for` loop; `iterate` makes them.

    Any thread may read, one at a time. `with` closes them at the end of its block.
    """

    def __init__(self, stream: AsyncStream[T_co]) -> None:
        self._stream: AsyncStream[T_co] | None = stream
        self._context = outside_of_runs()
        self._thread: LoopThread | None = None
        self._group: deque[T_co] = deque()  # what has crossed the threads, and was not taken yet
        self._reading = threading.Lock()

    def __next__(self) -> T_co:
        if not self._reading.acquire(blocking=False):
            thread = self._thread
            raise RuntimeError(INSIDE if thread is not None and thread.is_current else BUSY)
        try:
            return (self._group or self._next_group()).popleft()
        finally:
            self._reading.release()

    def close(self) -> None:
        """End the run: cancel its calls and wait for them, close generators and source.

        Idempotent, and legal at any time, from any thread: whoever waits for a result there gets
        the end. Where a call of the run calls it, it does not wait.

        Raises:
            Exception: a call, the source or an Rx operator failed in its clean-up; several at once
                as an ExceptionGroup.
        """
        self._end(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(error)

    def __del__(self) -> None:
        thread: LoopThread | None = self.__dict__.get("_thread")
        if thread is not None:
            thread.drop()

    # -- private

    def _next_group(self) -> deque[T_co]:
        stream, self._stream = self._stream, None
        thread = self._thread
        if stream is not None:
            thread = self._thread = new_thread(_serve, stream, self._context)
            del stream  # an exception's traceback leads here
            go_on = thread.start
        elif thread is None:
            raise StopIteration
        else:
            _check_place(thread)
            go_on = thread.ask
        try:
            go_on()
            group = thread.receive()
        except BaseException as error:  # Ctrl-C, for example
            self._end(error)
            raise
        if group is END or self._thread is not thread:  # closed meanwhile
            self._thread = None
            thread.wait()
            raise StopIteration
        self._group = deque(group)
        return self._group

    def _end(self, during: BaseException | None) -> None:
        self._stream, self._group = None, deque()
        thread = self._thread
        if thread is not None:
            thread.stop(during)
            if not thread.is_current:
                self._thread = None
                thread.wait(during)


async def _serve(stream: AsyncStream[Any], thread: LoopThread) -> None:
    """Give results in groups of those that are there: to cross the threads takes a while."""
    results = cast("Cursor[Any]", aiter(stream))
    try:
        while not thread.is_stopped:
            thread.give(await results.several(GROUP))
            await thread.asked()
    except StopAsyncIteration:
        pass
    finally:
        del stream  # an exception's traceback leads here


async def _close(stream: AsyncStream[Any], during: BaseException | None) -> None:
    kind, traceback = (None, None) if during is None else (type(during), during.__traceback__)
    await stream.__aexit__(kind, during, traceback)


def _check_place(thread: LoopThread) -> None:
    if not thread.is_in_this_process:
        raise RuntimeError(FORKED)
    if thread.is_current:
        raise RuntimeError(INSIDE)
