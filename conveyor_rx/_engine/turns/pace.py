"""How long may the runs of one event loop work before the loop has its turn? One slice for all.

Nobody knows whether the loop has had its turn since a slice began, and to ask at each turn would
cost too much. So whoever finds a slice used up asks the loop for a callback, and has another slice.
If that is used up, too, before the loop calls, all that is left to do waits in line here: runs for
their turns, tasks to go on. Each time the loop calls, the first of them have a slice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from time import perf_counter  # `monotonic` ticks every 15.6 ms on Windows before Python 3.13
from typing import Protocol

from .nesting import Nesting

__all__ = ["CREDIT", "MOST", "PATIENCE", "SLICE", "Pace", "pace_of"]

SLICE = 0.001  # seconds of work, of all runs together, after which the event loop has its turn
CREDIT = 0.00001  # more for each result of a task that was woken: what it may cost to pass it on
MOST = 0.003  # that a slice lasts from now on, with all that was credited
PATIENCE = 0.00005  # seconds that a consumer lets others go on, once it could be served
TICKETS = 16  # tasks that are woken at once, of which those go on that still find time
_NAME = "_conveyor_rx_pace"
_RESERVED = float("-inf")  # the end of a slice that has not begun


class Scheduled(Protocol):
    """A run that waits in line."""

    def resume(self) -> None:
        """Take turns until the slice is used up."""


class _Ticket:
    """The place in line of one task."""

    __slots__ = ("called",)

    called: asyncio.Future[None]


class Pace:
    """The slices of one event loop."""

    __slots__ = (
        "_asked",
        "_loop",
        "_runs",
        "_tasks",
        "_to_tasks",
        "clock",
        "end",
        "nesting",
        "ticks",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.clock: Callable[[], float] = perf_counter
        self.ticks = 0  # turns of the event loop that were noted
        self.end = _RESERVED  # of the slice
        self.nesting = Nesting(loop)
        self._asked = False  # the loop will call
        self._runs: deque[Scheduled] = deque()
        self._tasks: deque[_Ticket] = deque()
        self._to_tasks = False  # they had the last slice

    def is_late(self) -> bool:
        """Tell whoever is about to work whether the loop is to have its turn first."""
        now = self.clock()
        if now <= self.end:
            return False
        if self._asked:
            return True
        self._asked = True
        self.end = now + SLICE
        self._loop.call_soon(self._turned)
        return False

    def defers(self, run: Scheduled) -> bool:
        """Let `run` wait in line, if it has to, and tell whether it does."""
        if not self._runs and not self.is_late():
            return False
        self._runs.append(run)
        return True

    async def turn(self) -> None:
        """Wait, behind other tasks that do, until there is time to go on."""
        if not self._tasks and not self.is_late():
            return
        ticket = _Ticket()
        self._tasks.append(ticket)
        try:
            while True:
                ticket.called = self._loop.create_future()
                await ticket.called
                if self.end == _RESERVED:
                    self.end = self.clock() + SLICE
                    return
                if not self.is_late():
                    return
        finally:
            self._tasks.remove(ticket)

    # -- private

    def _turned(self) -> None:
        self.ticks += 1
        now = self.clock()
        is_busy = now > self.end  # then its turns are worth to be noted
        self.end = now + SLICE
        if not self._runs and not self._tasks and not is_busy:
            self._asked = False
            return
        try:
            self._serve()
        finally:
            if not self._loop.is_closed():
                self._loop.call_soon(self._turned)  # after the tasks that were woken

    def _serve(self) -> None:
        """Give the slice to the runs and to the tasks that wait, by turns."""
        self._to_tasks = bool(self._tasks) and not (self._to_tasks and self._runs)
        if self._to_tasks:
            self.end = _RESERVED
            for ticket in islice(self._tasks, TICKETS):
                if not ticket.called.done():
                    ticket.called.set_result(None)
            return
        for _ in range(len(self._runs)):
            self._runs.popleft().resume()
            if self.clock() > self.end:
                return


def pace_of(loop: asyncio.AbstractEventLoop) -> Pace:
    """Return the pace of `loop`.

    A virtual loop brings its own clock for the time that work takes, so that runs replay.
    """
    pace: Pace | None = getattr(loop, _NAME, None)
    if pace is None:
        pace = Pace(loop)
        setattr(loop, _NAME, pace)
    pace.clock = getattr(loop, "work_clock", perf_counter)
    return pace
