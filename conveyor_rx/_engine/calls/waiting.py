"""Who waits at a turnstile, and who is next? Of those whose keys are free, the first to come."""

from __future__ import annotations

import heapq

from ..place import Place

__all__ = ["Waiting"]


class Waiting:
    """The items that wait at one turnstile. Those are `ready` whose keys are free."""

    __slots__ = ("_came", "_numbers", "_ready", "_waiting", "next")

    def __init__(self) -> None:
        self._came = 0
        self._numbers: dict[Place, int] = {}  # of items that wait or are called, as they came
        self._waiting: dict[Place, None] = {}
        self._ready: list[tuple[int, Place]] = []  # a heap
        self.next: Place | None = None  # of the ready ones, the one for which limits are asked

    def __contains__(self, place: Place) -> bool:
        return place in self._waiting

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    @property
    def has_ready(self) -> bool:
        """Whether some are ready beside the next one."""
        return bool(self._ready)

    def come(self, place: Place) -> None:
        """Let an item wait that comes now."""
        self._came += 1
        self._numbers[place] = self._came
        self._waiting[place] = None

    def come_again(self, place: Place) -> None:
        """Let an item wait that was let in, and could not be called: where it was."""
        self._waiting[place] = None

    def get_ready(self, place: Place) -> None:
        """Take note that the key of an item is free."""
        heapq.heappush(self._ready, (self._numbers[place], place))

    def take_first(self) -> Place:
        """Take the first of those that are ready; it waits until it `goes_in`."""
        return heapq.heappop(self._ready)[1]

    def go_in(self, place: Place) -> None:
        """Take out an item that is let in."""
        del self._waiting[place]

    def forget(self, place: Place) -> None:
        """Forget when an item came whose call has settled."""
        self._numbers.pop(place, None)

    def weights(self) -> tuple[int, int]:
        """Give how many items wait in all, and how many of them are ready; from any thread."""
        waiting, ready, asks = tuple(self._waiting), tuple(self._ready), self.next
        first = asks.weight if asks is not None else 0
        return sum(place.weight for place in waiting), first + sum(p.weight for _, p in ready)

    def purge(self) -> list[Place]:
        """Take out those whose places are dead, and give them."""
        gone = [place for place in self._waiting if place.dead]
        self._ready = [each for each in self._ready if not each[1].dead]
        heapq.heapify(self._ready)
        for place in gone:
            del self._waiting[place]
        return gone
