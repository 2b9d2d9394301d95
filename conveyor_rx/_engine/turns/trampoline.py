"""Whose turn is it? The workers of one run, taken in turns on a stack of constant depth.

Emission re-enters: a result lets a line emit, which opens a gate, which wakes the source, and so
on. Here nobody calls anybody: a worker that could do something sets its bit in `ready`, and the
outermost `drain` gives one step to the most downstream worker that is ready, again and again. So
the stack stays flat whatever the number of items and stages, and what is nearest to the consumer
is always done first. (Trampolining as in Rx's CurrentThreadScheduler, with priorities.)

Only downstream may a worker hand on directly: that saves most turns. Every `DEPTH` stages, and for
what comes many at once, there is a turn all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Protocol

from .nesting import NESTED
from .pace import CREDIT, MOST, PATIENCE, pace_of
from .relay import Relay
from .youth import Youth

if TYPE_CHECKING:
    from .runners import Clock

__all__ = ["DEPTH", "Gate", "Trampoline", "Worker"]

_NOW = -1.0  # a deadline that is over
DEPTH = 16  # stages that hand on directly, before one waits for its turn


class Worker(Protocol):
    """Something that can do one step of work when its bit is set.

    `step` does one unit, sets its bit again if it could go on, and tolerates a turn for nothing.
    """

    bit: int

    def step(self) -> None: ...


class Gate(Protocol):
    """Where a flow goes on: open while `size < limit`.

    What opens it again sets the bits in `upstream_bit`: those of the workers that emit into it.
    """

    upstream_bit: int

    @property
    def size(self) -> int:
        """How much is in there."""
        ...

    @property
    def limit(self) -> int:
        """At how much it shuts."""
        ...


class Trampoline:
    """Give turns to workers, most downstream first, while there is time (`pace.py`).

    All turns are taken in `context`, so nothing that user code sets there leaks out.
    """

    __slots__ = (  # a dict of more than 30 names is a slow one
        "_going_on",
        "clock",
        "context",
        "deadline",
        "draining",
        "has_served",
        "loop",
        "nesting",
        "pace",
        "paused",
        "ready",
        "relay",
        "scheduled",
        "turns_context",
        "turns_only",
        "workers",
        "youth",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        self.loop = loop
        self.context = context
        self.workers: list[Worker] = []
        self.ready = 0
        self.turns_only = False  # what is handed on at this moment is to wait for a turn
        self.relay = Relay()  # while that holds a call, no turn is taken
        self.paused = False
        self.has_served = False  # the consumer that drains has what it waits for
        self.deadline = 0.0  # of the turns that are being taken
        self.pace = pace_of(loop)
        self.nesting = self.pace.nesting
        self.clock: Clock = self.pace.clock
        self.turns_context = context.copy()
        self.draining = False  # turns are being taken
        self.scheduled = False  # the loop's next turn will bring turns
        self.youth: Youth | None = None  # while it is young: its turns are short
        self._going_on: list[asyncio.Future[None]] = []  # of those that wait for the end of a pause

    def enroll(self, worker: Worker) -> None:
        """Add a worker downstream of all the others."""
        worker.bit = 1 << len(self.workers)
        self.workers.append(worker)

    def wake(self, worker: Worker) -> None:
        """Give `worker` a turn, from outside of any turn."""
        self.ready |= worker.bit
        self.drain()

    def drain(self) -> None:
        """Give turns until nobody is ready or the time is up."""
        if self.draining or self.paused or not self.ready or self.relay.call is not None:
            return
        pace = self.pace
        if self.clock() > pace.end and pace.is_late():
            self.schedule()
            return
        turns_only = self.turns_only  # for what led here
        self.draining = True
        try:
            self.turns_context.run(self._turns)
        finally:
            self.draining = False
            self.turns_only = turns_only
        if self.ready and not self.paused:
            self.schedule()

    def drain_within(self) -> None:
        """Drain on behalf of code that may be a call of another run, in turns of that one."""
        if self.nesting.depth >= NESTED:
            self.schedule()
        else:
            self.nesting.within(self.drain)

    def take_turn(self, work: Callable[[Any], None], value: Any) -> None:
        """Do `work` as a turn, in the context of turns, and drain."""
        if self.draining:
            work(value)
            return
        self.draining = True
        self.deadline = self.pace.end
        try:
            self.turns_context.run(work, value)
        finally:
            self.draining = False
        self.drain()

    def serve(self) -> None:
        """Take note that the consumer that drains could be served: it waits no longer for more."""
        if not self.has_served:
            self.has_served = True
            self.deadline = min(self.deadline, self.clock() + PATIENCE)

    def pause(self) -> None:
        """Start nothing new."""
        self.paused = True

    def go_on(self) -> None:
        """End a pause: whoever may have missed a turn gets one."""
        if self.paused:
            self.paused = False
            self.ready |= (1 << len(self.workers)) - 1
            waiting, self._going_on = self._going_on, []
            for future in waiting:
                if not future.done():
                    future.set_result(None)

    async def wait_for_pause(self) -> None:
        """Wait while the run is paused."""
        while self.paused:
            future: asyncio.Future[None] = self.loop.create_future()
            self._going_on.append(future)
            await future

    def end_turns(self) -> None:
        """Let the turns that are being taken end with this one."""
        self.deadline = _NOW

    def has_time(self, *, is_woken: bool = False) -> bool:
        """Tell whether who has made a call may go on with another.

        If the loop has woken its task, what that costs is not its work.
        """
        now, pace = self.clock(), self.pace
        if self.draining:
            return now <= self.deadline
        if is_woken and pace.end < now + MOST:
            pace.end += CREDIT
        return now <= pace.end or not pace.is_late()

    def schedule(self) -> None:
        """Drain at the loop's next turn."""
        if not self.scheduled and not self.loop.is_closed():
            self.scheduled = True
            self.loop.call_soon(self._resume)

    def resume(self) -> None:
        """Drain, as it was scheduled."""
        self.scheduled = False
        try:
            self.drain()
        except BaseException as error:
            self.crash(error)
            raise

    def crash(self, error: BaseException) -> None:
        """Take an exception that no worker claimed: one of the observer's own."""
        raise NotImplementedError

    def _resume(self) -> None:
        self.pace.ticks += 1
        if self.youth is not None:
            self.youth = self.youth.grown()
        if not self.pace.defers(self):
            self.resume()

    def _turns(self) -> None:
        workers, clock, relay, youth = self.workers, self.clock, self.relay, self.youth
        if youth is not None and youth.waits:
            return
        if not relay.searches:  # these are not for the task that passes on a result
            relay.task = None
        self.deadline = self.pace.end
        if youth is not None:
            self.deadline = min(self.deadline, clock() + youth.length)
        self.turns_only = False
        while (ready := self.ready) and not self.paused:
            worker = workers[ready.bit_length() - 1]
            self.ready = ready ^ worker.bit
            try:
                worker.step()
            except (KeyboardInterrupt, SystemExit) as end:
                self.crash(end)
                raise
            except BaseException as error:
                self.crash(error)
            if self.ready and clock() > self.deadline:
                if youth is not None and self.deadline != _NOW:
                    youth.waits = True
                return
