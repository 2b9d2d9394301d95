"""Which call may begin now? Items that wait for a free slot, for side inputs or for their turn.

How a call is made is the business of the stage's `launch`, and what becomes of its result that of
the subclass, `FlatMap`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._functions.calls import Call
from ..counters import Counters
from ..line.line import Line
from ..line.rest import Waiter
from ..place import DEAD, Place
from ..run import Run
from ..turns.relay import UNBOUNDED
from .caller import Launch, Stepping
from .slots import Slots

if TYPE_CHECKING:
    from ..observing.reporter import Reporter
    from .permits import Permits
    from .preparation import Preparation

__all__ = ["Admission"]


class Admission(Slots):
    """The items of one task in one run that come to be called.

    Order: calls start in the order of arrival; a new arrival never overtakes one that waits.
    Pressure: none of its own: what waits here stands in the line, which is the gate.
    """

    bit = 0
    # (Defaults of the class: an object of more than 30 attributes is a slow one.)
    _preparation: Preparation | None = None  # gets the side inputs, before the first call
    _broken: BaseException | None = None  # why there are none
    stepping: Stepping | None = None
    is_sequential = False
    permits: Permits | None = None
    admitted: Any = ()

    def __init__(
        self,
        run: Run,
        line: Line,
        call: Call,
        limit: int | None,
        counters: Counters,
        counts_input: bool,
        launch: Launch,
    ) -> None:
        """Make at most `limit` calls at once (None: no limit); `Batches` counts its own input."""
        self.run = run
        self.line = line
        self.call = call
        self.function = call.function
        self.launch = launch
        self.reporter: Reporter | None = None
        self.counters = counters
        self.name = counters.stage
        self._slots = limit or UNBOUNDED
        # As many as the slots, but none before the side inputs are there.
        self._limit = 0 if call.prepare is not None else self._slots
        self._counts_input = 1 if counts_input else 0
        self._running: int = 0
        self.queue: deque[Place] = deque()
        self.stock = 0
        self.resuming: deque[Waiter] = deque()
        if launch.is_late:
            self.admitted = deque[Place]()
        if call.prepare is not None:
            from .preparation import Preparation

            self._preparation = Preparation(call.prepare)
        if call.elsewhere is not None:
            counters.add_holder(call.elsewhere)

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
            self.launch.start(self, value)

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
        run, stepping = self.run, self.stepping
        if stepping is not None and stepping.active:
            stepping.step(self)
            return
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
        if self.queue:
            waiting, self.queue = self.queue, deque[Place]()
            for place in waiting:
                if place.dead:
                    self.counters.cancelled += place.weight
                else:
                    self.queue.append(place)
        self.launch.purge(self)
        if self.stepping is not None:
            self.stepping.purge(self)

    def cut(self) -> None:
        self.purge()
        self.launch.cut(self)
        if self.call.elsewhere is not None:
            ended = self.call.elsewhere.close()
            if ended is not None:
                self.run.ending.keep(ended)
            self.call = self.call.replace(elsewhere=None)
        if self._preparation is not None:  # let go of side inputs that were not needed
            from .preparation import unprepared

            self.call = self.call.replace(function=unprepared, prepare=None)
            self.function = unprepared
            self._preparation.cut(self.run)
            self._preparation = None

    def share_room(self) -> None:
        """Let the generators go on that have been woken, as soon as there are slots."""
        if self.stepping is not None:
            self.stepping.share_room(self)

    def has_slot(self) -> bool:
        """Tell whether a call could begin now: for a batch that is due, and may grow as well."""
        run = self.run
        if self._preparation is not None:
            return not self.queue
        has_slot = self._running < self._limit and run.running < run.cap
        return has_slot and not (self.queue or self.resuming)

    def take_back(self, place: Place) -> None:
        self.end_call(place, place.weight)
        if place.state == DEAD:
            self.counters.cancelled += place.weight
            return
        waiting = {*self.queue, place}
        self.queue = deque(other for other in self.line.places() if other in waiting)
        self.run.ready |= self.bit

    def prepared(
        self, function: Callable[[Any], Any] | None, failure: BaseException | None
    ) -> None:
        """Begin calls of `function`, or fail them all with `failure`."""
        self._preparation = None
        self._broken = failure
        if function is not None:
            self.function = function
            self._limit = self._slots
        self.run.wake_starved()
        self.run.wake(self)

    # -- private

    def _start_waiting(self) -> None:
        """Start calls while there are slots, until it is somebody else's turn."""
        run, bit, launch = self.run, self.bit, self.launch
        while self.queue and self._running < self._limit:
            launch.start(self, self.queue.popleft())
            if run.ready >= bit or run.running >= run.cap or run.clock() > run.deadline:
                break
        if self.queue and self._running < self._limit:
            run.ready |= bit

    def _resume_one(self) -> None:
        waiter = self.resuming.popleft()
        if self.resuming or self.queue:
            self.run.ready |= self.bit
        elif self.run.starved:  # there may be another slot
            self.run.wake_starved()
        if self.stepping is not None and self.stepping.resume(self, waiter):
            return
        if not waiter.done():
            self.unparks()
            waiter.set_result(None)
