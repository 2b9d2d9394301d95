"""Who gets the room in a window that no item takes? The calls that wait for it.

Items have it first, so that what is pulled ahead does not depend on who is faster (F2). So it is
shared out when nobody else is ready: by the worker that is most upstream of all.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

from ..place import Place, new_place
from ..run import REST, Run
from ..subscriber import Subscriber

__all__ = ["Rest", "Waiter", "Window"]


class Waiter(Protocol):
    """Who waits for room: a future, or what is as one."""

    def done(self) -> bool:
        """Tell whether it waits no more."""
        ...

    def set_result(self, result: None, /) -> None:
        """Let it go on."""


class Window(Subscriber):
    """The places of one segment, of which at most `limit` stand in it, and who waits for room."""

    bit = 0

    def __init__(self, run: Run) -> None:
        self.run = run
        self.limit = run.max_in_flight
        self.size = 0
        # (The first of a plain dict that lost its first ones is found by looking at all of these.)
        self._parked: OrderedDict[Place, Waiter] = OrderedDict()
        self.ring = ring = new_place(None, None, 0)  # ring.next is the head, ring.prev the tail
        ring.prev = ring.next = ring

    def has_room(self, owner: Place) -> bool:
        """Tell whether `owner` may put another output in the line; the head always may."""
        return self.size < self.limit or self.ring.next is owner or owner.dead

    async def room(self, owner: Place) -> None:
        """Wait until `owner` may put another output in the line."""
        again = False
        while not self.has_room(owner):
            future: asyncio.Future[None] = self.run.loop.create_future()
            self.park(owner, future, first=again)
            again = True
            try:
                await future
            finally:
                self._parked.pop(owner, None)

    def park(self, owner: Place, waiter: Waiter, *, first: bool) -> None:
        """Let `owner` wait for room: before all others, if it has just been woken in vain."""
        self._parked[owner] = waiter
        if first:
            self._parked.move_to_end(owner, last=False)
        if self.size < self.limit or self.ring.next is owner:
            self._has_rest()

    def share_room(self) -> None:
        """Wake the head, and as many of those that wait for room as there is room for."""
        head = self._parked.pop(self.ring.next, None)
        if head is not None and not head.done():
            head.set_result(None)
        spare = self.limit - self.size
        while spare > 0 and self._parked:
            _, waiter = self._parked.popitem(last=False)
            if not waiter.done():
                waiter.set_result(None)
                spare -= 1

    # -- private

    def _unpark(self) -> None:
        """Wake the head; the others have what room the items from upstream leave."""
        head = self._parked.pop(self.ring.next, None)
        if head is not None and not head.done():
            head.set_result(None)
        if self._parked and self.size < self.limit:
            self._has_rest()

    def _has_rest(self) -> None:
        self.run.roomy[self] = None
        self.run.ready |= REST


class Rest:
    """A worker that lets the lines of one run share out the room that they have left."""

    bit = 0

    def __init__(self, run: Run) -> None:
        self._run = run

    def step(self) -> None:
        run = self._run
        lines, run.roomy = run.roomy, {}
        for line in sorted(lines, key=lambda line: line.bit, reverse=True):
            line.share_room()
