"""Which call may begin now? Items that wait for a free slot, for side inputs or for their turn.

A slot is one of `limit`; `max_parallelism` counts over the whole run. What is to be called, and
how, is the subclass's business: see `flat_map.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._functions.calls import Call
from ..._inputs import Inputs
from ..._stats import Counters
from ..line.line import Line, Waiter
from ..place import Place
from ..run import Run
from ..subscriber import Subscriber
from ..turns.relay import UNBOUNDED
from .preparation import Preparation, unprepared

if TYPE_CHECKING:
    from ..observing.reporter import Reporter

__all__ = ["Admission"]


class Admission(Subscriber):
    """The items of one task in one run that come to be called.

    Order: calls start in the order of arrival; a new arrival never overtakes one that waits.
    Pressure: none of its own: what waits here stands in the line, which is the gate.
    """

    bit = 0
    # (Defaults of the class: an object of more than 30 attributes is a slow one.)
    _preparation: Preparation | None = None  # gets the side inputs, before the first call
    _broken: BaseException | None = None  # why there are none
    _start: Callable[[Any, Place], None]
    """Make the call for a place, as a slot is free. (Unbound: a method would be a cycle.)"""

    def __init__(
        self,
        run: Run,
        line: Line,
        call: Call,
        limit: int | None,
        counters: Counters,
        counts_input: bool,
    ) -> None:
        """Make at most `limit` calls at once (None: no limit); `Batches` counts its own input."""
        self.run = run
        self.line = line
        self.call = call
        self.function = call.function
        self.reporter: Reporter | None = None  # who is told what happens, in an observed run
        self.counters = counters
        self.name = counters.stage  # of its tasks, too
        self._slots = limit or UNBOUNDED
        # As many as the slots, but none before the side inputs are there.
        self._limit = 0 if call.prepare is not None else self._slots
        self._counts_input = 1 if counts_input else 0
        self._running: int = 0
        self.queue: deque[Place] = deque()
        self.stock = 0  # the bit of a source that can wait until the queue is empty
        self.resuming: deque[Waiter] = deque()
        if call.prepare is not None:
            self._preparation = Preparation(call.prepare)

    def on_next(self, value: Place) -> None:
        self.counters.in_ += self._counts_input
        run = self.run
        if self.queue or self._running >= self._limit or run.running >= run.cap or run.turns_only:
            self.queue.append(value)
            if self.reporter is not None:
                self.reporter.waits(value)
            if self._running < self._limit or not self._limit:  # else the end of a call wakes us
                run.ready |= self.bit
        else:
            self._start(self, value)

    def on_next_all(self, values: list[Place]) -> None:
        self.counters.in_ += self._counts_input * len(values)
        self.queue.extend(values)
        if self.reporter is not None:
            for value in values:
                self.reporter.waits(value)
        if self._running < self._limit or not self._limit:  # else the end of a call wakes us
            self.run.ready |= self.bit

    def enqueue(self, places: list[Place]) -> None:
        """Take places from a source that has more in stock, to be called at later turns."""
        self.counters.in_ += len(places)
        self.queue.extend(places)
        self.stock = self.line.upstream_bit
        if self.reporter is not None:
            self.reporter.read_ahead(places)
        self.run.ready |= self.bit

    def step(self) -> None:
        run = self.run
        if self._preparation is not None:
            if self.queue:
                self._preparation.begin(self)
        elif run.running >= run.cap:
            run.starved |= self.bit
        elif self.resuming and (self.call.is_generator or self._running < self._limit):
            self._resume_one()
        elif self._broken is not None and self.queue:
            place = self.queue.popleft()
            self.fail(place, self._broken, place.weight, attempt=0)
        else:
            self._start_waiting()
        if self.reporter is not None and (self._running >= self._limit or run.running >= run.cap):
            self.reporter.have_no_slot(self.queue)

    def purge(self) -> None:
        waiting, self.queue = self.queue, deque[Place]()
        for place in waiting:
            if place.dead:
                self.counters.cancelled += place.weight
            else:
                self.queue.append(place)

    def cut(self) -> None:
        self.purge()
        if self._preparation is not None:  # let go of side inputs that were not needed
            self.call = self.call._replace(function=unprepared, prepare=None)
            self.function = unprepared
            self._preparation.cut(self.run)
            self._preparation = None

    async def room(self, place: Place) -> None:
        """Wait until `place` may put another output in the line.

        Meanwhile the call does not count for `max_parallelism`, else the calls that would make
        room could not start. The call of a generator task keeps its slot: those start in order, so
        the head always holds one. A plain function that happens to return a generator gives its
        slot back, as the head may be waiting for it.
        """
        while not self.line.has_room(place):  # again, if it was taken while a slot was waited for
            await self._wait_for_room(place)

    def take_slot(self) -> bool:
        """Take a slot, if there is one, in a run without a cap."""
        if self._running >= self._limit:
            return False
        self._running += 1
        self.run.running += 1
        return True

    def free_slot(self) -> None:
        """Take note that a call has ended."""
        run = self.run
        self._running -= 1
        run.running -= 1
        if run.starved or self.queue or self.resuming:
            self._freed()

    def fail(
        self, place: Place, error: BaseException, size: int, *, attempt: int, inputs: Inputs = None
    ) -> None:
        """End the run at `place` with `error`."""
        raise NotImplementedError

    def prepared(
        self, function: Callable[[Any], Any] | None, failure: BaseException | None
    ) -> None:
        """Begin calls of `function`, or fail them all with `failure`."""
        self._preparation = None
        self._broken = failure
        if function is not None:
            self.function = function
            self._limit = self._slots
        self.run.wake(self)

    # -- private

    def _not_begun(self, place: Place) -> None:
        """Take back a place whose call was started, and is not to begin yet."""
        waiting = {*self.queue, place}
        self.queue = deque(other for other in self.line.places() if other in waiting)
        self.run.ready |= self.bit

    def _freed(self) -> None:
        run = self.run
        run.ready |= run.starved
        run.starved = 0
        if self.queue or self.resuming:
            run.ready |= self.bit

    def _start_waiting(self) -> None:
        """Start calls while there are slots, until it is somebody else's turn."""
        run, bit = self.run, self.bit
        while self.queue and self._running < self._limit:
            self._start(self, self.queue.popleft())
            if run.ready >= bit or run.running >= run.cap or run.clock() > run.deadline:
                break
        if self.queue and self._running < self._limit:
            run.ready |= bit

    async def _wait_for_room(self, place: Place) -> None:
        keeps_slot = self.call.is_generator
        run = self.run
        self._running += keeps_slot
        self.free_slot()
        if run.ready:
            self._drain_for(place)
        granted = False
        try:
            if place.dead:  # by what was done in between
                raise asyncio.CancelledError
            await self.line.room(place)
            granted = self._takes_back(keeps_slot)
            if not granted:
                self.resuming.append(turn := self.run.loop.create_future())
                run.ready |= self.bit
                self._drain_for(place)
                try:
                    await turn
                finally:
                    granted = turn.done() and not turn.cancelled()
        finally:
            if not granted:
                self._running += not keeps_slot
                self.run.running += 1

    def _takes_back(self, keeps_slot: bool) -> bool:
        """Take the slot that was given back, if nobody else could have it."""
        run = self.run
        if run.cap != UNBOUNDED or self.resuming:
            return False  # under a cap it goes to whoever is most downstream; in a pause, to nobody
        if keeps_slot:
            run.running += 1
            return True
        return self.take_slot()

    def _drain_for(self, place: Place) -> None:
        """Drain in the task of the call for `place`, which is at work for the engine meanwhile."""
        self.run.emitting.add(place.task)
        try:
            self.run.drain()
        finally:
            self.run.emitting.discard(place.task)

    def _resume_one(self) -> None:
        turn = self.resuming.popleft()
        if not turn.done():
            self._running += not self.call.is_generator
            self.run.running += 1
            turn.set_result(None)
        if self.resuming or self.queue:
            self.run.ready |= self.bit
