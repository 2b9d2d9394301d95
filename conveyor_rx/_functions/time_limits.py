"""Which calls of a function take too long? Those that began the limit of time ago, and go on.

All have the same limit, so they are late in the order in which they began: one timer serves all of
them. It is set for the first, and again only when it has gone off. A timer for each call would cost
more than what the engine does for it.
"""

from __future__ import annotations

import asyncio
import weakref
from asyncio import CancelledError, current_task, get_running_loop
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any

__all__ = ["limited"]

allocate = object.__new__


def limited(
    function: Callable[..., Awaitable[Any]], seconds: float, late: Callable[[], TimeoutError]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return a function whose calls are cancelled and awaited if they are late.

    Such a call has failed with what `late` makes, also if it has suppressed the cancellation.
    """
    going: _Going | None = None  # on the loop of the latest call

    async def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal going
        loop, task = get_running_loop(), current_task()
        assert task is not None
        now = going
        if now is None or now.loop() is not loop:
            going = now = _Going(loop)
        this: _Call = allocate(_Call)  # Python 3.12 takes three times as long to call a class
        this.task = task
        this.end = now.clock() + seconds
        this.cancelling = task.cancelling()
        this.is_late = False
        calls = now.calls
        calls[this] = None
        if not now.is_set:
            now.set_timer(this)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            # Of a cancellation that is the limit's own, and of no other.
            is_ours = this.is_late and task.uncancel() <= this.cancelling
            if is_ours and issubclass(type(error), CancelledError):
                raise late() from error
            raise
        finally:
            if not this.is_late:
                del calls[this]
        if this.is_late:
            task.uncancel()
            raise late()
        return result

    return call


class _Call:
    """A call that goes on, and its task."""

    __slots__ = ("cancelling", "end", "is_late", "task")

    task: asyncio.Task[Any]
    end: float  # of its time
    cancelling: int  # requests to cancel the task that came before it began
    is_late: bool


class _Going:
    """The calls that go on, on one event loop, in the order in which they began."""

    __slots__ = ("calls", "clock", "is_set", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = weakref.ref(loop)
        self.clock = loop.time
        # (The first of a plain dict that lost its first ones is found by looking at all of these.)
        self.calls: OrderedDict[_Call, None] = OrderedDict()
        self.is_set = False  # the timer

    def set_timer(self, call: _Call) -> None:
        """Set the timer for `call`, the first one."""
        loop = self.loop()
        assert loop is not None
        self.is_set = True
        # In the context of the call, that may hold its run, the timer would be kept for too long.
        loop.call_at(call.end, self._goes_off, call.end, context=Context())

    def _goes_off(self, when: float) -> None:
        """End the calls that are late, and set the timer for the next one that may be."""
        self.is_set = False
        now = max(when, self.clock())
        while self.calls:
            call = next(iter(self.calls))
            if call.end > now:
                self.set_timer(call)
                return
            del self.calls[call]
            call.is_late = True
            call.task.cancel()
