"""May another attempt start, under limits that are shared with other tasks and runs? One asks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from ..._limits.rate import RateLimit
from ..._limits.request import Request
from ..._limits.shared import SharedLimit
from ..place import Place

__all__ = ["Again", "Permits"]


class Calls(Protocol):
    """Those for which permits are asked."""

    def is_free(self) -> bool:
        """Tell whether a call could begin now."""
        ...

    def unparks(self) -> None:
        """Take note that a call goes on, in a slot."""


class Again(NamedTuple):
    """An attempt that is not the first one of its call, and waits until it may start."""

    place: Place
    request: Request
    granted: asyncio.Future[None]
    keeps_slot: bool


class Permits:
    """The requests of one stage in one run: at most one for an item that has not been called yet.

    `wake` is called when one of them could be granted.
    """

    __slots__ = ("_asking", "_granted", "_killed", "_limits", "_wake", "again")

    def __init__(self, limits: Sequence[SharedLimit], wake: Callable[[], None]) -> None:
        self._limits = limits
        self._wake = wake
        self._asking: Request | None = None  # of the item that is next
        self._granted: dict[Place, Request] = {}  # of the attempts that go on
        self._killed: set[Place] = set()  # of these, those that nobody waits for any more
        self.again: deque[Again] = deque()  # in the order in which they asked

    @property
    def reason(self) -> str:
        """What probes are told that an item waits for."""
        return "rate" if any(isinstance(limit, RateLimit) for limit in self._limits) else "slot"

    def ask_for(self, place: Place) -> None:
        """Begin to ask for an item; it raises what a function for the cost raises."""
        self._asking = Request(self._limits, place.value, self._wake)

    def take(self, place: Place) -> bool:
        """Take what the item needs that is asked for; if that can't be had yet, wait in line."""
        request = self._asking
        assert request is not None
        if not request.take():
            return False
        self._asking = None
        self._granted[place] = request
        return True

    def has(self, place: Place) -> bool:
        """Tell whether an attempt for `place` may start, or goes on."""
        return place in self._granted

    def ask_again(self, place: Place, item: Any, *, keeps_slot: bool) -> Again | None:
        """Ask for another attempt; return what waits for it, or None if it may start now."""
        request = Request(self._limits, item, self._wake)
        if not self.again and request.take():
            self._granted[place] = request
            return None
        granted = asyncio.get_running_loop().create_future()
        again = Again(place, request, granted, keeps_slot)
        self.again.append(again)
        return again

    def let_go_on(self, calls: Calls) -> bool:
        """Let attempts start that are not the first ones of their calls; tell if there was a slot.

        Where one has to wait for its permit, those that come after it have to wait, too.
        """
        while self.again:
            again = self.again[0]
            if again.granted.done():  # it was cancelled
                self.give_up(again)
                continue
            if not again.keeps_slot and not calls.is_free():
                return False
            if not again.request.take():
                break
            self.again.popleft()
            self._granted[again.place] = again.request
            again.granted.set_result(None)
            if not again.keeps_slot:
                calls.unparks()
        return True

    def give_up(self, again: Again) -> None:
        """Take note that an attempt is not wanted any more; then it is the turn of the next."""
        if again in self.again:
            self.again.remove(again)
            self._wake()
        again.request.withdraw()

    def ended(self, place: Place, error: BaseException | None = None) -> None:
        """Give back what an attempt for `place` had, which has ended so; unless that was done.

        Raises:
            Exception: what a function for `slow_down_on` has raised.
        """
        request = self._granted.pop(place, None)
        if request is not None:
            request.release(error, cancelled=place in self._killed)
            self._killed.discard(place)

    def not_begun(self, place: Place) -> None:
        """Give back what the attempt for `place` had, as if nothing had been taken."""
        request = self._granted.pop(place, None)
        if request is not None:
            request.refund()
            request.withdraw()

    def step_aside(self) -> None:
        """Let others go first: nothing can start here at this time."""
        self.need_slot()
        for again in self.again:
            again.request.step_aside()

    def need_slot(self) -> None:
        """Let others go before what can't start now for want of a slot."""
        if self._asking is not None:
            self._asking.step_aside()
        if self.again and not self.again[0].keeps_slot:  # as all of them
            for again in self.again:
                again.request.step_aside()

    def stop_asking(self) -> None:
        """Take note that the item which is asked for is gone."""
        request, self._asking = self._asking, None
        if request is not None:
            request.withdraw()

    def purge(self) -> None:
        """Take note of the attempts that are being cancelled."""
        self._killed.update(place for place in self._granted if place.dead)

    def pause(self, seconds: float) -> None:
        """Let nothing start under the rates of this stage for so long, as a server asks for."""
        for limit in self._limits:
            if isinstance(limit, RateLimit):
                limit.pause(seconds)
