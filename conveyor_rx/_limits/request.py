"""May this attempt start now? A request asks all limits of its task, together."""
# A request and its limits are one mechanism, and what they use of each other is not for users.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Sequence
from typing import Any

from .shared import SharedLimit

__all__ = ["Request"]


class _State(enum.Enum):
    NEW = enum.auto()  # holds nothing, and waits nowhere
    WAITING = enum.auto()
    GRANTED = enum.auto()
    OVER = enum.auto()


NEW, WAITING, GRANTED, OVER = _State  # each access by name of the class takes its time


class Request:
    """One attempt that wants to start, under several limits.

    `limits` are different ones. `item` is what their functions for `cost` get, once, here; it is
    not kept. `wake` is called on the event loop, without arguments, when the request could be
    granted, and then once more only after another `take` in vain: from a timer or from within
    whatever made room, in any context. It may call `take` directly. The limits hold it while the
    request waits.

    Raises:
        TypeError, ValueError: what `cost` gave, or an exception that it raised.

    >>> from conveyor_rx.limits import Limit
    >>> async def main() -> None:
    ...     limit = Limit(1)
    ...     first, second = (Request([limit], None, lambda: print("woken")) for _ in range(2))
    ...     print(first.take(), second.take(), limit)
    ...     first.release()
    ...     print(second.take(), limit)
    ...     second.release()
    >>> asyncio.run(main())
    True False <Limit of 1: 1 in use, 1 request waits>
    woken
    True <Limit of 1: 1 in use>
    """

    __slots__ = ("_asked", "_loop", "_state", "_tickets", "_wake", "is_woken")

    def __init__(
        self,
        limits: Sequence[SharedLimit],
        item: Any,  # whatever the task takes
        wake: Callable[[], object],
    ) -> None:
        self._asked = [(limit, limit._cost_of(item)) for limit in limits]
        self._wake: Callable[[], object] | None = wake
        self._state = NEW
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tickets: list[float] = []
        self.is_woken = False  # and has not asked since

    def take(self) -> bool:
        """Ask all limits; True if all have granted it, False if it waits now, or still.

        Its place in the queues is that of its first call.

        Raises:
            RuntimeError: another event loop uses one of the limits; or it was granted before.
        """
        if self._state is NEW:
            self._loop = loop = asyncio.get_running_loop()
            for limit, _ in self._asked:
                if limit._loop is not loop:
                    limit._serve(loop)
        elif self._state is not WAITING:
            raise RuntimeError("a request is taken once")
        else:
            loop = self._loop
            assert loop is not None
        now = loop.time()
        if not self.could_go(now):
            self._enqueue(now)
            return False
        self._tickets = [limit._grant(cost, now) for limit, cost in self._asked]
        was_waiting, self._state = self._state is WAITING, GRANTED
        if was_waiting:
            self._leave(now)
        return True

    def withdraw(self) -> None:
        """Leave all queues, for good. Those behind are woken if they can go now.

        Raises:
            RuntimeError: it was granted; then it is to be refunded, or released.
        """
        self.step_aside()
        self._state = OVER
        self._wake = None

    def step_aside(self) -> None:
        """Leave all queues. It may `take` again, at the end of them.

        Raises:
            RuntimeError: it was granted; then it is to be refunded, or released.
        """
        if self._state is GRANTED:
            raise RuntimeError("a request that was granted can't be withdrawn")
        if self._state is WAITING:
            self._state = NEW
            assert self._loop is not None
            self._leave(self._loop.time())

    def refund(self) -> None:
        """Give all back, as if it had not been granted: the attempt has not started.

        It may `take` again, at the end of the queues. If it will not, `withdraw` it.
        """
        now = self._end(NEW)
        for (limit, cost), ticket in zip(self._asked, self._tickets, strict=True):
            if limit._loop is self._loop:
                limit._refund(ticket, cost, now)
        self._look_after(now)

    def release(self, error: BaseException | None = None, *, cancelled: bool = False) -> None:
        """Take note that the attempt has ended: well, with `error`, or cancelled from outside.

        Raises:
            Exception: what a function for `slow_down_on` has raised, when all else is done.
        """
        now = self._end(OVER)
        self._wake = None
        trouble: Exception | None = None
        for (limit, _), ticket in zip(self._asked, self._tickets, strict=True):
            if limit._loop is not self._loop:
                continue  # it serves another one by now, and has forgotten this request
            try:
                if not cancelled:
                    limit._learn(ticket, error)
            except Exception as raised:
                trouble = raised
            limit._out -= 1
        self._look_after(now)
        if trouble is not None:
            raise trouble

    # -- for limits

    def could_go(self, now: float) -> bool:
        """Tell whether it is next everywhere, and all limits have room."""
        for limit, cost in self._asked:
            if (limit._queue and not limit._is_next(self)) or not limit._has_room(cost, now):
                return False
        return True

    def wake(self) -> None:
        """Tell the one who asks that `take` would succeed."""
        if self._wake is not None:
            self._wake()

    # -- inside

    def _enqueue(self, now: float) -> None:
        self.is_woken = False
        if self._state is NEW:
            self._state = WAITING
            for limit, cost in self._asked:
                limit._queue[self] = cost
        for limit, _ in self._asked:
            if limit._is_next(self):  # a timer may be needed
                limit._look(now)

    def _leave(self, now: float) -> None:
        was_first = [limit for limit, _ in self._asked if limit._is_next(self)]
        for limit, _ in self._asked:
            limit._queue.pop(self, None)  # of a limit that has moved to another loop: not there
        for limit in was_first:
            limit._look(now)

    def _end(self, state: _State) -> float:
        if self._state is not GRANTED:
            raise RuntimeError("only a request that was granted can be released or refunded, once")
        self._state = state
        assert self._loop is not None
        return self._loop.time()

    def _look_after(self, now: float) -> None:
        self._tickets = []
        for limit, _ in self._asked:
            if limit._queue and limit._loop is self._loop:
                limit._look(now)
