"""How does async work go on beside code that is not async? On an event loop in its own thread."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from ._errors.tracebacks import hides, without_engine

__all__ = ["END", "LoopThread"]

__tracebackhide__ = hides  # for pytest

Work: TypeAlias = "Callable[[LoopThread], Coroutine[Any, Any, None]]"
Close: TypeAlias = "Callable[[BaseException | None], Coroutine[Any, Any, None]]"

END: Any = object()
"""What is received when the work has ended, and nothing of it is left but this thread."""

# On Windows a signal does not interrupt who waits for a lock: look again and again.
PATIENCE = 0.1 if sys.platform == "win32" else None

_open: set[LoopThread] = set()  # those that have begun and not ended: the exit waits for them


class LoopThread:
    """One piece of work, on an event loop and in a thread of its own.

    `work` is given this object, gives values by it, and waits until it is asked for more. `close`
    makes the work return soon; it is given the exception that is being raised meanwhile, if any.
    Tasks that are left when the work returns are cancelled, as by `asyncio.run`.

    It begins with `start`, and must be told to end: nothing here waits for it to be dropped. The
    exit of the interpreter does that for those that are left.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, work: Work, close: Close, context: Context) -> None:
        self.is_stopped = False
        self._close: Close | None = close
        self._is_dropped = False
        self._is_over = False
        self._error: BaseException | None = None
        self._given: SimpleQueue[Any] = SimpleQueue()  # safe in `__del__` and in signal handlers
        self._asked = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._process = os.getpid()
        self._has_loop = threading.Event()
        # A daemon, for the interpreter waits for all others before it calls what `atexit` knows.
        self._thread = threading.Thread(
            target=self._run, args=(work, context), name="conveyor_rx", daemon=True
        )

    # -- from the thread of the one who waits

    def start(self) -> None:
        """Begin; no more than once.

        Raises:
            RuntimeError: no thread can be started.
        """
        _open.add(self)
        try:
            self._thread.start()  # first: where there are no threads, there is but one loop as well
            self._loop = asyncio.new_event_loop()
        except BaseException:
            _open.discard(self)
            raise
        finally:
            self._has_loop.set()

    def ask(self) -> None:
        """Ask the work for more."""
        self._soon(self._asked.set)

    def receive(self) -> Any:
        """Wait for what the work gives next, or for `END`."""
        while True:
            try:
                return self._given.get(timeout=PATIENCE)
            except Empty:
                pass

    def stop(self, during: BaseException | None = None) -> None:
        """Have the work end, without waiting for that. From any thread, at any time."""
        self._soon(self._stop, during)

    def drop(self) -> None:
        """Do as `stop`; what fails from here on is told to the loop's exception handler."""
        self._is_dropped = True
        self.stop()

    def wait(self, during: BaseException | None = None) -> None:
        """Wait until the thread has ended, and raise what the work ended with, once.

        If `during` is being raised, that goes before a failure. Whoever interrupts this wait, by
        Ctrl-C, has the work's own clean-up cancelled.
        """
        try:
            self.join()
        except BaseException:
            self._soon(_interrupt)
            raise
        error, self._error = self._error, None
        try:
            if error is not None and (during is None or not isinstance(error, Exception)):
                raise error
        finally:
            del during, error  # their tracebacks lead to this frame

    def join(self) -> None:
        """Wait until the thread has ended."""
        while self.is_in_this_process and self._thread.is_alive():
            self._thread.join(PATIENCE)

    @property
    def is_current(self) -> bool:
        """Whether the caller is in this thread, and would wait for itself."""
        return threading.current_thread() is self._thread

    @property
    def is_in_this_process(self) -> bool:
        """Whether this is no copy, in a process that was forked: no thread goes along there."""
        return self._process == os.getpid()

    # -- from the work

    def give(self, value: Any) -> None:
        """Hand `value` over to whoever receives."""
        self._given.put(value)

    async def asked(self) -> None:
        """Wait until more is asked for, or this is to stop."""
        await self._asked.wait()
        self._asked.clear()

    # -- private

    def _soon(self, callback: Callable[..., object], *args: object) -> None:
        if self.is_in_this_process:  # the loop's pipe is shared with the other one
            try:
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(callback, *args)
            except RuntimeError:  # it is closed
                pass

    def _run(self, work: Work, context: Context) -> None:
        self._has_loop.wait()
        if self._loop is None:  # `start` was interrupted
            return
        loop = self._loop
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(self._main(work), context=context)
        except BaseException as error:  # a call's KeyboardInterrupt or SystemExit, or `_interrupt`
            self._error = without_engine(error)
        finally:
            self._close = None
            _open.discard(self)
            self._given.put(END)

    async def _main(self, work: Work) -> None:
        try:
            try:
                await work(self)
            finally:
                if self._closing is not None:
                    await self._closing
        except Exception as error:
            if self._is_dropped:
                message = "a failure while a run was being closed, and nobody to raise it to"
                asyncio.get_running_loop().call_exception_handler(
                    {"message": message, "exception": error}
                )
            else:
                self._error = without_engine(error)
        finally:
            self._is_over = True

    def _stop(self, during: BaseException | None) -> None:
        if self._closing is not None or self._is_over or self._close is None:
            return
        self.is_stopped = True
        self._closing = asyncio.get_running_loop().create_task(self._close(during))
        self._asked.set()


def _interrupt() -> None:
    """End a loop as Ctrl-C ends one: its tasks are cancelled, once more."""
    raise KeyboardInterrupt


@atexit.register
def _end_all() -> None:
    for thread in list(_open):
        thread.drop()
    for thread in list(_open):
        thread.join()
