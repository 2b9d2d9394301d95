"""Who is next under one limit? Requests wait in its queue; the first is woken when it can go."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Protocol

from .._sending.functions import all_sent

__all__ = ["SharedLimit", "Waiter", "settings_of"]


class Waiter(Protocol):
    """What waits in the queues of limits."""

    is_woken: bool

    def could_go(self, now: float) -> bool:
        """Tell whether all its limits would grant it."""
        ...

    def wake(self) -> None:
        """Have it ask again."""
        ...


def settings_of(limit: SharedLimit) -> dict[str, Any]:
    """Return what `limit` was made with, by the names of its options."""
    return limit._settings()  # pyright: ignore[reportPrivateUsage]  # not for users


def fresh(kind: type[SharedLimit], settings: dict[str, Any]) -> SharedLimit:
    """Make a limit of these settings: as which one is pickled."""
    return kind(**settings)


class SharedLimit:
    """What all kinds of limits have in common: one event loop at a time, and a queue.

    Whoever changes what a limit has room for, or who is first in its queue, calls `_look` after it.
    So the first one is always woken, or something is to come: a timer of this limit, a change of
    another one, or the end of an attempt.
    """

    def __init__(self) -> None:
        # The latest loop is kept when it is closed: its clock is compared with that of the next.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: OrderedDict[Waiter, float] = OrderedDict()  # with what each costs
        self._out: int = 0  # requests that were granted, and whose attempts have not ended
        self._is_looking = False
        self._looks_again = False

    def __repr__(self) -> str:
        count = len(self._queue)
        waiting = [f"{count} {'request waits' if count == 1 else 'requests wait'}"] if count else []
        title, *state = self._state()
        return f"<{type(self).__name__} of {title}: {', '.join([*state, *waiting])}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings: each process has a limit of its own, of which nothing is used yet.

        Raises:
            TypeError: a function among them has no name.
        """
        return fresh, (type(self), all_sent(self._settings(), f"the {type(self).__name__}"))

    @property
    def title(self) -> str:
        """What is allowed, in a few words."""
        return self._state()[0]

    # -- what kinds of limits differ in

    def _settings(self) -> dict[str, Any]:
        """Return what it was made with, by the names of its options."""
        raise NotImplementedError

    def _state(self) -> list[str]:
        """Say what is allowed, and how much of it is used."""
        raise NotImplementedError

    def _cost_of(self, item: Any) -> float:  # whatever the task takes
        """Say what an attempt with this item costs here."""
        return 1.0

    def _has_room(self, cost: float, now: float) -> bool:
        """Tell whether an attempt of this cost may start."""
        raise NotImplementedError

    def _grant(self, cost: float, now: float) -> float:
        """Let an attempt start; what this gives is handed to `_refund` or `_learn`."""
        self._out += 1
        return 0.0

    def _refund(self, ticket: float, cost: float, now: float) -> None:
        """Take back a grant that was not used."""
        self._out -= 1

    def _learn(self, ticket: float, error: BaseException | None) -> None:
        """Take note of how an attempt went, which is about to give back its permit."""

    def _wait(self, cost: float, now: float) -> None:
        """See to it that `_look` is called when time has made room for the first request."""

    def _rest(self) -> None:
        """Take note that nobody waits."""

    def _move(self, seconds: float) -> None:
        """Go on by a clock that is so far ahead of the last one."""

    # -- one loop at a time

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take note that `loop` is the one that uses this limit.

        Raises:
            RuntimeError: another loop does.
        """
        last = self._loop
        if last is loop:
            return
        if last is not None:
            if last.is_closed():  # what was left there never ends
                self._queue.clear()
                self._out = 0
                self._rest()
            elif self._queue or self._out:
                raise RuntimeError(
                    f"{self!r} is in use on another event loop: calls that share it run or wait "
                    "there. A limit serves one loop at a time; make one for each loop"
                )
            self._move(loop.time() - last.time())
        self._loop = loop

    def _now(self, method: str) -> float:
        """Give the time for a call of `method` by the user.

        Raises:
            RuntimeError: no loop runs here, or another one uses the limit.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                f"{type(self).__name__}.{method}() must be called on the event loop, and none runs "
                "in this thread; from a thread, use `loop.call_soon_threadsafe(...)`"
            ) from None
        self._serve(loop)
        return loop.time()

    # -- the queue

    def _is_next(self, request: Waiter) -> bool:
        """Tell whether nobody is before this request."""
        queue = self._queue
        return not queue or next(iter(queue)) is request

    def _look(self, now: float) -> None:
        """Wake the first request if it could go.

        What it does when it is woken may lead here again. That look is taken after this one, so
        that the stack stays flat.
        """
        if self._is_looking:
            self._looks_again = True
            return
        self._is_looking = True
        try:
            self._look_once(now)
            while self._looks_again:
                self._looks_again = False
                self._look_once(self._time())
        finally:
            self._is_looking = self._looks_again = False

    def _look_once(self, now: float) -> None:
        if not self._queue or self._loop is None or self._loop.is_closed():
            self._rest()
            return
        request, cost = next(iter(self._queue.items()))
        if not self._has_room(cost, now):
            self._wait(cost, now)
        elif not request.is_woken and request.could_go(now):
            request.is_woken = True
            request.wake()

    def _time(self) -> float:
        assert self._loop is not None
        return self._loop.time()
