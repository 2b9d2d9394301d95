"""Which item may be called now, where that takes more than a slot? Its key is free, and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..line.line import Line
from ..place import Place
from ..run import Run
from ..subscriber import Subscriber
from .attempts_in_tasks import failed_inline
from .held_calls import HeldCalls
from .keys import Keys
from .permits import Permits
from .waiting import Waiting

__all__ = ["Turnstile"]


class Turnstile(Subscriber):
    """What stands before the calls of one task in one run: a worker that lets items in, one by one.

    It lets an item in when it can be called at once: its key is free, there is a slot, and the
    limits that the task shares with others allow it. So who waits here holds no slot. Order: as
    they came, but for those whose key is busy. Errors: an item whose key or cost can't be had has
    failed. Cancellation: the items are let go. Pressure: none of its own: what waits here stands in
    the line, which is the gate.
    """

    bit = 0

    def __init__(
        self,
        run: Run,
        line: Line,
        calls: HeldCalls,
        key: Callable[[Any], Any] | None,
        *,
        counts_input: bool,
    ) -> None:
        self.run = run
        self.line = line
        self._calls = calls
        self._keys = None if key is None else Keys(key)
        self._permits: Permits | None = None
        self._counts_input = counts_input
        self._waiting = Waiting()
        self._is_cut = False
        self._untold: list[Place] = []  # of those that are ready, whom nobody was told of
        self._refused: dict[Place, BaseException] = {}  # items without a key or a cost, and why
        calls.counters.add_holder(self)
        if calls.call.limits:
            calls.permits = self._permits = Permits(calls.call.limits, self._woken)
            run.on_pause.append(self._permits.step_aside)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return self._waiting.is_empty

    def waiting_for(self) -> Mapping[str, int]:
        """Give how many items wait here for their keys, and for a rate; the rest is for a slot."""
        permits = self._permits
        waiting, ready = self._waiting.weights()
        # One is asked for only once there are side inputs, and there was a slot.
        asks_for_rate = permits is not None and permits.reason == "rate" and self._waiting.next
        return {
            "key": waiting - ready,
            "rate": ready if asks_for_rate and self._calls.has_free_slot else 0,
        }

    def on_next(self, value: Place) -> None:
        calls = self._calls
        if self._counts_input:
            calls.counters.in_ += value.weight
        self._waiting.come(value)
        is_free = True
        try:
            if self._keys is not None:
                is_free = self._ask_user(self._keys.take, value)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self._refused[value] = error
        if value.dead:  # the function has closed the run
            self.purge()
            self._refused.pop(value, None)
            self.settled(value)
        elif is_free:
            self._get_ready(value)
        elif calls.reporter is not None:
            calls.reporter.waits(value, "key")

    def refuse(self, place: Place, error: BaseException) -> None:
        """Let an item fail that can't be called, when it is its turn."""
        self._waiting.come(place)
        self._refused[place] = error
        self._get_ready(place)

    def step(self) -> None:
        run, calls, waiting = self.run, self._calls, self._waiting
        if self._permits is not None and not self._permits.let_go_on(calls):
            self._need_slot()
            return
        has_let_in = False
        while waiting.next is not None or waiting.has_ready:
            if not calls.is_free():
                self._need_slot()
                return
            place = waiting.next or self._take_next()
            if place.dead or not self._is_granted(place):
                return
            waiting.next = None
            waiting.go_in(place)
            self._let_in(place)
            has_let_in = True
            if run.ready >= 2 * self.bit or run.clock() > run.deadline:
                break
        if waiting.has_ready:
            run.ready |= self.bit
        elif has_let_in and waiting.is_empty:
            run.wake_starved()  # a batch may wait to be cut

    def settled(self, place: Place) -> None:
        """Free what the call for `place` had, unless that was done."""
        self._waiting.forget(place)
        if self._permits is not None:
            self._permits.ended(place)
        following = self._keys.free(place) if self._keys is not None else None
        if following is not None:
            self._get_ready(following)
        if self._is_cut:
            self._part()

    def take_back(self, place: Place) -> None:
        """Let an item wait again that was let in, and could not be called."""
        if self._permits is not None:
            self._permits.not_begun(place)
        if place.dead:
            self._calls.counters.cancelled += place.weight
            self.settled(place)
        else:
            self._waiting.come_again(place)
            self._get_ready(place)

    def purge(self) -> None:
        if self._keys is not None:
            self._keys.purge()
        if self._permits is not None:
            self._permits.purge()
            if self._waiting.next is not None and self._waiting.next.dead:
                self._waiting.next = None
                self._permits.stop_asking()
                self._woken()  # some that came later stand in front of what has failed
        self._untold = []
        for place in self._waiting.purge():
            self._refused.pop(place, None)
            self._calls.counters.cancelled += place.weight
            self.settled(place)

    def cut(self) -> None:
        self.purge()
        self._is_cut = True
        self._part()

    # -- private

    def _part(self) -> None:
        """Part from the calls and the permits when no call goes on: they hold each other."""
        if not self._calls.begun:
            self._calls.part()
            self._permits = None

    def _get_ready(self, place: Place) -> None:
        self._waiting.get_ready(place)
        self.run.ready |= self.bit
        if self._calls.reporter is not None:
            self._untold.append(place)

    def _take_next(self) -> Place:
        """Take the first of those that are ready, and begin to ask for it."""
        place, permits = self._waiting.take_first(), self._permits
        if permits is not None and place not in self._refused and not self._calls.broken:
            try:
                self._ask_user(permits.ask_for, place)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # of a function for its cost
                self._refused[place] = error
            else:
                self._waiting.next = place
            if place.dead:  # the function has closed the run
                self._waiting.next = None
                permits.stop_asking()
                self._refused.pop(place, None)
        return place

    def _ask_user(self, ask: Callable[[Place], Any], place: Place) -> Any:
        """Do what calls a function of the user's: in a context of its own, as calls are."""
        return self.run.context.copy().run(ask, place)

    def _is_granted(self, place: Place) -> bool:
        permits = self._permits
        if permits is None or self._waiting.next is None or permits.take(place):
            return True
        self._tell(permits.reason)
        return False

    def _let_in(self, place: Place) -> None:
        calls = self._calls
        refused = self._refused.pop(place, None)
        if refused is not None:
            if calls.reporter is not None:  # as `refusal.py` tells of it
                calls.reporter.call_started(place)
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

    def _need_slot(self) -> None:
        """Wait until a call ends; somebody else may have what limits allow meanwhile."""
        self.run.starved |= self.bit
        if self._permits is not None:
            self._permits.need_slot()
        self._tell("slot")

    def _woken(self) -> None:
        """Ask the limits again at the next turn, if there will be one."""
        if self.run.paused:
            assert self._permits is not None
            self._permits.step_aside()
        else:
            self.run.ready |= self.bit
            self.run.schedule()

    def _tell(self, reason: str) -> None:
        """Tell what those wait for from now on that are ready."""
        reporter, untold, self._untold = self._calls.reporter, self._untold, []
        for place in untold:
            if reporter is not None and place in self._waiting:
                reporter.waits(place, reason)
