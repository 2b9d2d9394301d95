"""Who has a slot? Calls that run: at most `limit` of a stage, and `max_parallelism` of a run.

A call that ends gives its slot to the next one of its stage, or to whoever waits most downstream.
"""

from __future__ import annotations

from ..place import Place
from ..subscriber import Subscriber
from ..turns.relay import UNBOUNDED
from .caller import Caller

__all__ = ["Slots"]


class Slots(Subscriber, Caller):
    """The slots of one task in one run."""

    _limit: int  # of calls at once
    _running: int  # calls that have a slot

    def parks(self) -> None:
        self._running += self.call.is_generator
        self.free_slot()

    def unparks(self) -> None:
        self._running += not self.call.is_generator
        self.run.running += 1

    def may_unpark(self) -> bool:
        run = self.run
        if run.cap != UNBOUNDED or self.resuming:
            return False  # under a cap it goes to whoever is most downstream; in a pause, to nobody
        if self.call.is_generator or self._running < self._limit:
            self.unparks()
            return True
        return False

    def has_turn(self, has_suspended: bool) -> bool:
        run = self.run
        if self._running >= self._limit and not self.admitted:
            return False
        # A call that suspends, as the last one did, keeps nobody waiting.
        return has_suspended or run.draining or run.ready < 2 * self.bit

    def take_slot(self) -> bool:
        if self._running >= self._limit:
            return False
        self._running += 1
        self.run.running += 1
        return True

    def free_slot(self) -> None:
        run = self.run
        self._running -= 1
        run.running -= 1
        if run.starved or self.queue or self.resuming:
            self._freed()

    def take_admitted(self, has_slot: bool) -> Place:
        if has_slot:  # the next has one of its own
            self.free_slot()
        if self.run.ready and not self.run.draining:
            self.run.schedule()
        return self.admitted.popleft()

    def begin_call(self, place: Place) -> None:
        self._running += 1
        self.run.running += 1
        self.counters.running += place.weight

    def end_call(self, place: Place, size: int) -> None:
        """Free the slot, and count `size` items as running no more.

        This comes before a result is passed on, for then the place may be called again.
        """
        place.task = None
        self.counters.running -= size
        self.free_slot()

    # -- private

    def _freed(self) -> None:
        self.run.wake_starved()
        if self.queue or self.resuming:
            self.run.ready |= self.bit
