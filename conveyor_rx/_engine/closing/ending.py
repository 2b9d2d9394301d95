"""Who waits until nothing of a run is left, and for how long? For its tasks; never for oneself.

A run knows the run that it was started in, and code knows the innermost run that it is called from,
through a context variable, in whatever task it is. So a closer can tell where it stands:

- Outside of any run, or in one that the closed run was started in: it waits until all has ended,
  even when it is cancelled meanwhile.
- A task of the closed run itself: it waits for the others, but not for those that wait as it does.
- Elsewhere inside the closed run (in a task that a call has started, in a run that a call reads):
  the run's own tasks may be waiting for it, so it does not wait.
- In a run that has nothing to do with the closed one: it waits, unless something in there waits in
  its turn for the run of the closer.

The second and the last go on when they are cancelled. And nobody waits any longer where all that
is left waits in its turn for the one who waits (`waits.py`): that is looked for when a wait
begins, at the ends of the last tasks, and from time to time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from .cancellation import raise_again
from .waits import Waited, Waiter, all_wait_for, wake

__all__ = ["GRACE", "Ending", "innermost", "living"]

innermost: ContextVar[Ending | None] = ContextVar("conveyor_rx_innermost", default=None)
"""That of the run which the current code is called from."""

GRACE = 30.0
"""Seconds after which a close that still waits names, once, the tasks that do not end."""

FIRST_LOOK = 0.05  # seconds after which a close looks for rings again, then twice that, and so on
FEW = 16  # tasks, of which each end is worth a look for rings
_Task = asyncio.Future[Any]


class Ending(Waited):
    """What is left of one run, and who waits for it to end.

    It holds nothing of the run but tasks that are ending: contexts that outlive the run lead here.
    """

    __slots__ = (
        "_alarm",
        "_awaited",
        "_closers",
        "_inner",
        "_outer",
        "closed",
        "failures",
        "loop",
        "origin",
        "parent",
        "tasks",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: Ending | None) -> None:
        self.loop = loop
        self.closed = False
        self.failures: Callable[[], Any] = lambda: None  # a weak reference to those of the run
        self.tasks: set[_Task] = set()  # that have to end, those of the runs in there included
        self.origin = origin = living(origin)
        if origin is not None:  # runs that start each other make no chain of those that are over
            origin.origin = living(origin.origin)
        self.parent: Ending | None = None  # the run that this one is a part of
        self._closers: set[_Task] = set()  # those of the tasks that have come to wait themselves
        # In the order in which they came: the first one is told of what failed.
        self._inner: dict[Waiter, None] = {}  # of closers, who wait for the others
        self._outer: dict[Waiter, None] = {}  # of those who wait for all
        self._awaited: list[Ending] = []  # what code in here waits for and has no part in
        self._alarm: asyncio.TimerHandle | None = None  # for those who have to wait too long

    def who_wait(self) -> list[Waiter]:
        return [w for ending in self._and_parents() for w in (*ending._outer, *ending._inner)]

    def adopt(self, child: Ending) -> None:
        """Count the tasks of `child` as tasks of this run."""
        child.parent = self

    def keep(self, task: _Task) -> None:
        """Count `task` until it has ended, and take note of the exception that it may end with."""
        if task.done() or task in self.tasks:
            return
        for ending in self._and_parents():
            ending.tasks.add(task)
        task.add_done_callback(self._ended)

    async def wait(self) -> None:
        """Wait until nothing is left, as far as the one who waits may: see above.

        Raises:
            asyncio.CancelledError: the waiting task was cancelled.
        """
        task = asyncio.current_task()
        assert task is not None
        cancelled = await _until_known(task)
        here = living(innermost.get())
        places = [] if here is None else list(here._and_origins())
        is_own = task in self.tasks
        is_outside = not is_own and (here is None or here in list(self._and_origins())[1:])
        try:
            if is_outside:
                await self.wait_for_all(cancelled)
                return
            raise_again(cancelled)
            if is_own:
                await self._wait_for_others(task)
            elif self not in places and not self._leads_to(places):
                await self._wait_as_long_as_it_may(places)
        finally:
            del cancelled, task  # their tracebacks lead here

    async def wait_for_all(self, cancelled: asyncio.CancelledError | None = None) -> None:
        """Wait until nothing is left, also when `cancelled` before or meanwhile.

        What waits for the current task in its turn is left to end after that.

        Raises:
            asyncio.CancelledError: the waiting task was cancelled; raised when all has ended.
        """
        try:
            while self._is_to_be_waited_for():
                try:
                    await self._change(self._outer)
                except asyncio.CancelledError as error:
                    cancelled = error if cancelled is None else cancelled
            raise_again(cancelled)
        finally:
            del cancelled  # its traceback leads here

    # -- private

    async def _wait_for_others(self, task: _Task) -> None:
        self._closers.add(task)
        del task  # a traceback may lead here, and it to that
        self._look()
        while len(self.tasks) > len(self._closers):
            await self._change(self._inner)

    async def _wait_as_long_as_it_may(self, places: list[Ending]) -> None:
        for place in places:
            place._awaited.append(self)
        try:
            while self._is_to_be_waited_for():
                await self._change(self._outer)
        finally:
            for place in places:
                place._awaited.remove(self)

    def _is_to_be_waited_for(self) -> bool:
        return bool(self.tasks) and not all_wait_for(asyncio.current_task(), self.tasks)

    async def _change(self, waiters: dict[Waiter, None]) -> None:
        """Wait until those who wait in `waiters` have nobody to wait for."""
        waiter = Waiter(self.loop, asyncio.current_task())
        waiters[waiter] = None
        if self._alarm is None:
            self._alarm = self.loop.call_later(FIRST_LOOK, self._look_again, FIRST_LOOK)
        try:
            await waiter
        finally:
            waiters.pop(waiter, None)
            del waiter  # a traceback may lead here, and it to the task

    def _ended(self, task: _Task) -> None:
        if not task.cancelled():
            task.exception()  # marks it as retrieved
        for ending in self._and_parents():
            ending.tasks.discard(task)
            ending._closers.discard(task)
            ending._look()

    def _look(self) -> None:
        """Wake those who have nobody to wait for any more."""
        if not self.tasks:
            wake(self._outer)
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None
        elif len(self.tasks) <= FEW:
            self._look_for_rings()
        if len(self.tasks) == len(self._closers):
            wake(self._inner)

    def _leads_to(self, ends: list[Ending]) -> bool:
        """Tell whether something in here waits for one of `ends`, by whatever detour."""
        seen: set[Ending] = set()
        ahead = [self]
        while ahead:
            ending = ahead.pop()
            if ending in ends:
                return True
            if ending not in seen:
                seen.add(ending)
                ahead += ending._awaited
        return False

    def _and_parents(self) -> Iterator[Ending]:
        ending: Ending | None = self
        while ending is not None:
            yield ending
            ending = ending.parent

    def _and_origins(self) -> Iterator[Ending]:
        ending: Ending | None = self
        while ending is not None:
            yield ending
            ending = living(ending.origin)

    def _look_for_rings(self) -> None:
        wake([waiter for waiter in self._outer if all_wait_for(waiter.closer, self.tasks)])

    def _look_again(self, waited: float) -> None:
        self._look_for_rings()
        if waited < GRACE:
            more = min(waited, GRACE - waited)
            self._alarm = self.loop.call_later(more, self._look_again, waited + more)
            return
        stuck = self.tasks - self._closers  # who has closed its own run may take its time
        waiting = {waiter.closer for waiter in (*self._outer, *self._inner) if not waiter.done()}
        if stuck and waiting:
            from .stuck import report_stuck

            report_stuck(self.loop, stuck, waiting, GRACE)


def living(ending: Ending | None) -> Ending | None:
    """Return the first run, from `ending` outwards, that is not over."""
    while ending is not None and ending.closed and not ending.tasks:
        ending = ending.origin
    return ending


async def _until_known(task: _Task) -> asyncio.CancelledError | None:
    """Wait until `task` is known to be one of its run's, and return how it was cancelled meanwhile.

    A call may close its run in its first step, and is one of the tasks to be waited for after that.
    """
    within = innermost.get()
    if within is not None and within.closed and task not in within.tasks:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            return error
    return None
