"""How is one value loaded, and told to those who wait for it on loops and threads of their own?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, NamedTuple

from .._engine.closing.waits import Waited
from .._loops import call_on, running_loop

__all__ = ["End", "Loading", "report", "tell"]


class End(NamedTuple):
    """How a loading ended. Who waits gets it; it is not kept, for an error leads to much."""

    value: Any = None
    error: BaseException | None = None
    cancelled: bool = False  # from outside


def tell(waiter: asyncio.Future[Any], result: Any = None) -> bool:
    """Give `waiter` its result, on its own loop; return whether that is possible."""
    loop = waiter.get_loop()
    if loop is running_loop():
        _set(waiter, result)
        return True
    return call_on(loop, _set, waiter, result)


class Loading(Waited):
    """A task that loads a value, and those who wait for it, each on a loop of its own."""

    def __init__(self, load: Coroutine[Any, Any, Any], lock: threading.Lock) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiters: set[asyncio.Future[End]] = set()
        self.value: End | None = None
        self.failed = ""  # how, if it did
        self._lock = lock
        # Not `loop.create_task`: a task factory could make it start here, under the lock.
        self.task: asyncio.Task[Any] | None = asyncio.Task(load, loop=self.loop)
        self.task.add_done_callback(self._ended)

    @property
    def is_lost(self) -> bool:
        """Whether nothing more will come of it: its loop does not run any more."""
        if self.loop is asyncio.get_running_loop():
            return False
        return self.value is None and not self.loop.is_running()

    def waiter(self) -> asyncio.Future[End]:
        """Return what is told of the end, on the running loop; the lock is held."""
        waiter: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        return waiter

    def who_wait(self) -> list[asyncio.Future[End]]:
        return list(self.waiters)

    def cancel(self) -> None:
        """Cancel the task, from any thread, unless somebody has."""
        task = self.task
        if task is not None and not task.cancelling():
            call_on(self.loop, task.cancel)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        end = _end_of(task)
        with self._lock:
            self.task = None  # it holds the context of a run
            waiters, self.waiters = self.waiters, set()
            if end.cancelled:
                self.failed = "was cancelled"
            elif end.error is not None:
                self.failed = f"failed with {type(end.error).__name__}"
            else:
                self.value = end
        for waiter in waiters:
            tell(waiter, end)
        if not waiters:
            report(end.error, self.loop)


def report(error: BaseException | None, loop: asyncio.AbstractEventLoop) -> None:
    """Tell of a failure that no run waits for any more."""
    if isinstance(error, Exception):
        message = "a side input failed when no run waited for it any more"
        loop.call_exception_handler({"message": message, "exception": error})


def _set(waiter: asyncio.Future[Any], result: Any) -> None:
    if not waiter.done():
        waiter.set_result(result)


def _end_of(task: asyncio.Task[Any]) -> End:
    if not task.cancelled():
        error = task.exception()
        return End(error=error) if error is not None else End(task.result())
    if task.cancelling():
        return End(cancelled=True)
    try:
        return End(task.result())
    except asyncio.CancelledError as error:  # of the user's own code; this frame leads to much
        traceback = error.__traceback__
        return End(error=error.with_traceback(traceback and traceback.tb_next))
