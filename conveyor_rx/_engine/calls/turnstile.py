"""Which item may be called now, where that takes more than a slot? One whose key is free."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from reactivex import Observable

from ..line.line import Line
from ..place import Place
from ..run import Run
from ..subscriber import Subscriber, lift
from .attempts_in_tasks import failed_inline
from .held_calls import HeldCalls
from .keys import Keys

__all__ = ["Turnstile", "turnstile"]


class Turnstile(Subscriber):
    """What stands before the calls of one task in one run: a worker that lets items in, one by one.

    It lets an item in when it can be called at once: its key is free, and there is a slot. So who
    waits here holds no slot. Order: as they came, but for those whose key is busy. Errors: a key
    that can't be had is a failure of the item. Cancellation: the items are let go. Pressure: none
    of its own: what waits here stands in the line, which is the gate.
    """

    bit = 0

    def __init__(
        self, run: Run, line: Line, calls: HeldCalls, keys: Keys, *, counts_input: bool
    ) -> None:
        self.run = run
        self.line = line
        self._calls = calls
        self._keys = keys
        self._counts_input = counts_input
        self._came = 0
        self._numbers: dict[Place, int] = {}  # of items that wait or are called, as they came
        self._waiting: dict[Place, None] = {}
        self._next: list[tuple[int, Place]] = []  # a heap: those that wait for nothing but a slot
        self._untold: list[Place] = []  # of these, whom nobody was told of
        self._refused: dict[Place, Exception] = {}  # items without a key, and why

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return not self._waiting

    def on_next(self, value: Place) -> None:
        calls = self._calls
        if self._counts_input:
            calls.counters.in_ += value.weight
        self._came += 1
        self._numbers[value] = self._came
        self._waiting[value] = None
        try:
            is_free = self._keys.take(value)
        except Exception as error:
            self._refused[value] = error
            is_free = True
        if is_free:
            self._may_go(value)
            if calls.reporter is not None:
                self._untold.append(value)
        elif calls.reporter is not None:
            calls.reporter.waits(value, "key")

    def step(self) -> None:
        run, calls = self.run, self._calls
        while self._next:
            if not calls.is_free():
                run.starved |= self.bit
                self._tell()
                return
            _, place = heapq.heappop(self._next)
            del self._waiting[place]
            self._let_in(place)
            if run.ready >= 2 * self.bit or run.clock() > run.deadline:
                break
        if self._next:
            run.ready |= self.bit
        elif not self._waiting:
            run.wake_starved()  # a batch may wait to be cut

    def settled(self, place: Place) -> None:
        """Free what the call for `place` had, unless that was done."""
        self._numbers.pop(place, None)
        following = self._keys.free(place)
        if following is not None:
            self._may_go(following)

    def take_back(self, place: Place) -> None:
        """Let an item wait again that was let in, and could not be called."""
        if place.dead:
            self._calls.counters.cancelled += place.weight
            self.settled(place)
        else:
            self._waiting[place] = None
            self._may_go(place)

    def purge(self) -> None:
        self._keys.purge()
        gone = [place for place in self._waiting if place.dead]
        self._next = [each for each in self._next if not each[1].dead]
        heapq.heapify(self._next)
        self._untold = []
        for place in gone:
            del self._waiting[place]
            self._refused.pop(place, None)
            self._calls.counters.cancelled += place.weight
            self.settled(place)

    def cut(self) -> None:
        self.purge()

    # -- private

    def _may_go(self, place: Place) -> None:
        heapq.heappush(self._next, (self._numbers[place], place))
        self.run.ready |= self.bit

    def _let_in(self, place: Place) -> None:
        calls = self._calls
        refused = self._refused.pop(place, None)
        if refused is not None:
            failed_inline(calls, place, refused, delivered=True)  # which is not tried again
        elif calls.broken is not None:
            calls.fail(place, calls.broken, place.weight, attempt=0)
        else:
            self.out.on_next(place)
        if calls.queue:  # it is late, or there is a pause
            calls.queue.clear()
            self.take_back(place)
        elif place not in calls.begun:  # a plain function, and it has ended
            self.settled(place)

    def _tell(self) -> None:
        """Tell of those that wait for a slot from now on."""
        reporter, untold, self._untold = self._calls.reporter, self._untold, []
        for place in untold:
            if reporter is not None and place in self._waiting:
                reporter.waits(place)


def turnstile(stage: Turnstile) -> Callable[[Observable[Any]], Observable[Any]]:
    """Let items in to be called, as `stage` says."""
    stage.line.stages.append(stage)
    stage.run.enroll(stage)
    return lift(lambda: stage, stage.run)
