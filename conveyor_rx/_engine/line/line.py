"""Which result comes next? Places in a line: order, window and gate of one segment.

Each item that enters a segment takes a place at the end of the line; the place travels through the
segment's operators and carries the value. A result fills its place, None gives it up, and a list or
generator puts new places in front of its own before it gives that up: the indexed scan that
restores order, O(1) an item, for fan-out too. The line emits from its head while the head is
filled; the as-completed line (`as_completed.py`) emits whatever is filled.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ..._inputs import Inputs
from ..place import DEAD, FILLED, WAITING, Place, allocate, new_place
from ..run import Run
from ..subscriber import Subscriber, cut_upstream
from ..turns.trampoline import Gate
from .rest import Window

if TYPE_CHECKING:
    from ..observing.segment import Segment

__all__ = ["Line", "Stage"]


class Stage(Protocol):
    """An operator within a segment, as its line sees it."""

    def purge(self) -> None:
        """Let go of the places that are dead."""


class Line(Window):
    """The line of one segment, in input order; as a subscriber, the end of the segment.

    Order: outputs leave in the order of the inputs that they come from.
    Errors: a failure cuts off all that stands behind its place and everything upstream, then waits
    at the end of the line, so that all before it is delivered.
    Cancellation: `cut` cancels the call of each place.
    Pressure: it is a `Gate`, open while fewer than `limit` items stand in it, and emits only while
    the gate behind it is open.
    """

    gate: Gate
    reads_ahead = False
    is_sorted = False  # nothing comes from an item before those of the head

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.upstream_bit = 0
        self.segment: Segment | None = None  # who is told what happens, in an observed run
        self.stages: list[Stage] = []  # the operators between entry and end
        self.entry: Subscriber | None = None
        self.final = True  # no other line behind this one
        self.direct = True  # no foreign code behind it: that is to run in turns only
        self._ended = False
        self._ending: BaseException | None = None

    # -- places

    def places(self) -> Iterator[Place]:
        """All that stand here, from the head on."""
        place = self.ring.next
        while place is not self.ring:
            yield place
            place = place.next

    def held(self) -> list[Inputs]:
        """Give what the values come from that stand here; where they are sorted, the first."""
        if not self.is_sorted:
            return [place.inputs for place in self.places()]
        head = self.ring.next
        return [head.inputs] if head is not self.ring else []

    def insert(self, value: Any, owner: Place, inputs: Inputs) -> Place:
        """Take a new place in front of `owner`, for one of its outputs, which is of `inputs`."""
        place = new_place(value, inputs, 1)
        self.size += 1
        place.next = owner
        place.prev = last = owner.prev
        last.next = owner.prev = place
        return place

    def insert_all(
        self, values: Iterator[Any], owner: Place, each: Iterator[Inputs] | None
    ) -> list[Place]:
        """Do so for all that are not None; they are of `each`, or all of the owner's inputs."""
        inputs = owner.inputs
        last = owner.prev
        places: list[Place] = []
        for value in values:
            if each is not None:
                inputs = next(each, None)
            if value is None:
                continue
            place: Place = allocate(Place)  # as `new_place` does, in line for speed
            place.value = value
            place.inputs = inputs
            place.weight = 1
            place.state = WAITING
            place.task = None
            place.prev = last
            last.next = last = place
            places.append(place)
        last.next, owner.prev = owner, last
        self.size += len(places)
        return places

    def give_up(self, place: Place) -> None:
        """Leave the line without a result, unless that is done: a probe may have closed the run."""
        if place.state == DEAD:
            return
        self._unlink(place)
        self.run.ready |= self.bit
        if self.segment is not None:
            self.segment.look()

    def fail(self, place: Place, error: BaseException) -> None:
        """End the line at `place`: cut off what is behind it, then let `error` follow the rest."""
        self.run.failure = error
        self.run.lose(place.inputs)
        behind = place.next
        self._unlink(place)
        self._kill_from(behind)
        self._finish(error)

    # -- the end of the segment

    def room_behind(self, place: Place) -> int:
        """Tell how many outputs of `place` may leave at once: none, if it is not next."""
        is_next = self.ring.next is place
        return self.gate.limit - self.gate.size if self.direct and is_next else 0

    def on_next(self, value: Place) -> None:
        if self.ring.next is not value:
            value.state = FILLED
        elif self.direct and not self.run.turns_only and self.gate.size < self.gate.limit:
            self._emit(value)
        else:
            value.state = FILLED
            self.run.ready |= self.bit

    def end(self, error: BaseException | None) -> None:
        """Note that nothing more will enter; `error` is delivered behind all that has."""
        self._conclude(error)

    def step(self) -> None:
        run, bit, gate = self.run, self.bit, self.gate
        head = self.ring.next
        while head.state == FILLED and gate.size < gate.limit:
            run.ready &= ~bit
            self._emit(head)
            if not run.ready & bit or run.ready >= 2 * bit or run.clock() > run.deadline:
                return
            head = self.ring.next
        if head.state == FILLED:
            return
        if self._ended and head is self.ring:
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

    def _emit(self, place: Place) -> None:
        value, place.value = place.value, None
        self.run.inputs = place.inputs
        last = place.prev  # as `_unlink` does, in line for speed
        last.next = following = place.next
        following.prev = last
        del place.prev, place.next
        place.state = DEAD
        before = self.size
        self.size = before - 1  # a batch never leaves: its outputs do, which take one each
        if before == self.limit:
            self.run.ready |= self.upstream_bit
        if self._parked:
            self._unpark()
        if following.state == FILLED or self._ended:
            self.run.ready |= self.bit
        self.out.on_next(value)

    def _clear(self) -> None:
        self._kill_from(self.ring.next)
        self._ended = False
        self._ending = None

    def _finish(self, error: BaseException) -> None:
        for stage in self.stages:
            stage.purge()
        entry, self.entry = self.entry, None
        if entry is not None:
            cut_upstream(entry, self.run)
        self._conclude(error)

    def _conclude(self, error: BaseException | None) -> None:
        self._ended = True
        self._ending = error
        self.run.ready |= self.bit
        if self.segment is not None:
            if error is None:
                self.segment.input_ended()
            else:
                self.segment.failed()

    def _unlink(self, place: Place) -> None:
        place.prev.next = place.next
        place.next.prev = place.prev
        del place.prev, place.next
        place.state = DEAD
        before = self.size
        self.size = after = before - place.weight
        if after < self.limit <= before:
            self.run.ready |= self.upstream_bit
        if self._parked:
            self._unpark()

    def _kill_from(self, place: Place) -> None:
        """Take `place` and all behind it out of the line and cancel their calls."""
        parked, self._parked = self._parked, OrderedDict()  # those to be killed need no room
        while place is not self.ring:
            following = place.next
            if self.segment is not None:
                self.segment.killed(place)
            self.run.lose(place.inputs)
            self._unlink(place)
            place.value = None
            work = place.task
            if isinstance(work, asyncio.Task):
                self.run.cancel(work)
            elif work is not None:
                work.cancel()
            place = following
        self._parked.update(item for item in parked.items() if not item[0].dead)
        if self._parked:
            self._unpark()
