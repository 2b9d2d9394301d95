"""Which result comes next? Places in a line: order, window and gate of one segment.

Each item that enters a segment takes a place at the end of the line; the place travels through the
segment's operators and carries the value. A result fills its place, None gives it up, and a list or
generator puts new places in front of its own before it gives that up: the indexed scan that
restores order, O(1) an item, for fan-out too. The line emits from its head while the head is
filled; the as-completed line (`_as_completed.py`) emits whatever is filled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from reactivex import Observable

from ._run import Run
from ._subscriber import Subscriber, cut_upstream, lift
from ._trampoline import DEPTH, Gate

__all__ = ["Line", "Place", "Stage", "enter", "leave"]

WAITING, FILLED, DEAD = range(3)  # the states of a place


class Place:
    """One place in a line, with the value that stands there now."""

    __slots__ = ("next", "number", "prev", "state", "task", "trace", "value", "weight")

    prev: Place
    next: Place
    trace: Any  # in a run that is observed: where the value comes from

    def __init__(self, value: Any, number: int, weight: int) -> None:
        self.value = value
        self.number = number  # which item of the segment's input it comes from, from 0
        self.weight = weight  # items that it holds: 1, or the size of a batch
        self.state = WAITING
        self.task: asyncio.Task[Any] | None = None  # the call that works for this place

    @property
    def dead(self) -> bool:
        """Whether the place was taken out of its line: nobody waits for its result any more."""
        return self.state == DEAD


class Stage(Protocol):
    """An operator within a segment, as its line sees it."""

    def purge(self) -> None:
        """Let go of the places that are dead."""


class Line(Subscriber):
    """The line of one segment, in input order; as a subscriber, the end of the segment.

    Order: outputs leave in the order of the inputs that they come from.
    Errors: a failure cuts off all that stands behind its place and everything upstream, then waits
    at the end of the line, so that all before it is delivered.
    Cancellation: `cut` cancels the call of each place.
    Pressure: it is a `Gate`, open while fewer than `limit` items stand in it, and emits only while
    the gate behind it is open.
    """

    bit = 0
    gate: Gate

    def __init__(self, run: Run) -> None:
        self.run = run
        self.limit = run.max_in_flight
        self.size = 0
        self.upstream_bit = 0
        self.stages: list[Stage] = []  # the operators between entry and end
        self.entry: Subscriber | None = None
        self.final = True  # no other line behind this one
        self.direct = True  # no foreign code behind it: that is to run in turns only
        self._count = 0
        self._ended = False
        self._ending: BaseException | None = None
        self._parked: dict[Place, asyncio.Future[None]] = {}
        self._ring = ring = Place(None, -1, 0)  # ring.next is the head, ring.prev the tail
        ring.prev = ring.next = ring

    # -- places

    def enter(self, value: Any, weight: int) -> Place:
        """Take a new place at the end."""
        place = Place(value, self._count, weight)
        self._count += 1
        self._append(place)
        return place

    def insert(self, value: Any, owner: Place) -> Place:
        """Take a new place in front of `owner`, for one of its outputs."""
        place = Place(value, owner.number, 1)
        place.next = owner
        place.prev = last = owner.prev
        last.next = owner.prev = place
        self.size += 1
        return place

    def give_up(self, place: Place) -> None:
        """Leave the line without a result."""
        self._unlink(place)
        self.run.ready |= self.bit

    def fail(self, place: Place, error: BaseException) -> None:
        """End the line at `place`: cut off what is behind it, then let `error` follow the rest."""
        self.run.failure = error
        behind = place.next
        self._unlink(place)
        self._kill_from(behind)
        self._finish(error)

    def has_room(self, owner: Place) -> bool:
        """Tell whether `owner` may put another output in the line; the head always may."""
        return self.size < self.limit or self._ring.next is owner or owner.dead

    async def room(self, owner: Place) -> None:
        """Wait until `owner` may put another output in the line."""
        while not self.has_room(owner):
            self._parked[owner] = future = self.run.loop.create_future()
            try:
                await future
            finally:
                self._parked.pop(owner, None)

    # -- the end of the segment

    def on_next(self, value: Place) -> None:
        value.state = FILLED
        if self._ring.next is value:
            self._hand_on(value)

    def end(self, error: BaseException | None) -> None:
        """Note that nothing more will enter; `error` is delivered behind all that has."""
        self._conclude(error)

    def step(self) -> None:
        place = self._next()
        if place is not None:
            if self.gate.size < self.gate.limit:
                self._emit(place)
        elif self._ended and self._ring.next is self._ring:
            self._ended = False
            error, self._ending = self._ending, None
            if error is None:
                self.out.on_completed()
            else:
                self.out.on_error(error)  # pyright: ignore[reportArgumentType]  # Rx says Exception; a CancelledError passes as well

    def cut(self) -> None:
        self._clear()
        self.stages = []
        self.entry = None

    # -- private

    def _hand_on(self, place: Place) -> None:
        """Emit `place` at once if that is possible, else when it is our turn."""
        if self.direct and self.run.depth < DEPTH and self.gate.size < self.gate.limit:
            self._emit(place)
        else:
            self.run.ready |= self.bit

    def _emit(self, place: Place) -> None:
        value, place.value = place.value, None
        self._unlink(place)
        if self._ended or self._next() is not None:
            self.run.ready |= self.bit
        self.out.on_next(value)

    def _append(self, place: Place) -> None:
        place.next = ring = self._ring
        place.prev = last = ring.prev
        last.next = ring.prev = place
        self.size += place.weight

    def _next(self) -> Place | None:
        head = self._ring.next
        return head if head.state == FILLED else None

    def _clear(self) -> None:
        self._kill_from(self._ring.next)
        self._ended = False
        self._ending = None

    def _finish(self, error: BaseException) -> None:
        for stage in self.stages:
            stage.purge()
        entry, self.entry = self.entry, None
        if entry is not None:
            cut_upstream(entry)
        self._conclude(error)

    def _conclude(self, error: BaseException | None) -> None:
        self._ended = True
        self._ending = error
        self.run.ready |= self.bit

    def _unlink(self, place: Place) -> None:
        place.prev.next = place.next
        place.next.prev = place.prev
        del place.prev, place.next
        place.state = DEAD
        full = self.size >= self.limit
        self.size -= place.weight
        if full and self.size < self.limit:
            self.run.ready |= self.upstream_bit
        if self._parked:
            self._unpark()

    def _unpark(self) -> None:
        """Wake the head, and as many others as now have room."""
        spare = self.limit - self.size
        head = self._parked.pop(self._ring.next, None)
        if head is not None and not head.done():
            head.set_result(None)
        while spare > 0 and self._parked:
            future = self._parked.pop(next(iter(self._parked)))
            if not future.done():
                future.set_result(None)
                spare -= 1

    def _kill_from(self, place: Place) -> None:
        """Take `place` and all behind it out of the line and cancel their calls."""
        parked, self._parked = self._parked, {}  # those to be killed need no room
        while place is not self._ring:
            following = place.next
            self._unlink(place)
            place.value = None
            if place.task is not None:
                self.run.cancel(place.task)
            place = following
        self._parked = {owner: future for owner, future in parked.items() if not owner.dead}
        if self._parked:
            self._unpark()


class _Entry(Subscriber):
    def __init__(self, line: Line, weigh: Callable[[Any], int] | None) -> None:
        self._line = line
        self._weigh = weigh
        line.entry = self

    def on_next(self, value: Any) -> None:
        weight = self._weigh(value) if self._weigh else 1
        self.out.on_next(self._line.enter(value, weight))

    def on_error(self, error: Exception) -> None:
        self._end(error)

    def on_completed(self) -> None:
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._line.entry is self:  # else: a call failed at the last batch, and that is the end
            self._line.end(error)


def enter(
    line: Line, weigh: Callable[[Any], int] | None = None
) -> Callable[[Observable[Any]], Observable[Any]]:
    """Give each item a place in `line`; a batch takes as much of the window as `weigh` says."""
    return lift(lambda: _Entry(line, weigh))


def leave(line: Line) -> Callable[[Observable[Any]], Observable[Any]]:
    """Turn filled places back into values, in the order of `line`."""
    return lift(lambda: line)
