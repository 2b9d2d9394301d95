"""How does an item get into a line? It takes a new place at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, cast

from ..place import WAITING, Place, allocate
from ..subscriber import Subscriber
from .line import Line

__all__ = ["Entry", "Giving"]


class Queue(Protocol):
    """The first stage of a segment."""

    def enqueue(self, places: list[Place]) -> None:
        """Take places that are to be called at later turns."""


class Giving(Protocol):
    """A source that is read by what is behind it."""

    bit: int
    given: int  # how many items there were


class Entry(Subscriber):
    """Where items come into the line of a segment, which a batch fills as far as `weigh` says."""

    reads = False  # whether it may `take` items itself

    def __init__(self, line: Line, weigh: Callable[[Any], int] | None = None) -> None:
        self.line = line
        self.run = line.run
        self.weigh = weigh

    def subscribed(self) -> Entry:
        self.line.entry = self
        return self

    def room(self) -> int:
        """Tell how many items `take` may have, where nothing stands in the line."""
        return 0

    def take(self, items: Iterator[Any], source: Giving, most: int) -> bool:
        """Take up to `most` items from a source, one after the other, and make their calls.

        Tell whether there are no more. It stops early when somebody else has something to do.
        """
        raise NotImplementedError

    def on_next(self, value: Any) -> None:
        line = self.line
        place: Place = allocate(Place)  # as `new_place` does, in line for speed
        place.value = value
        place.inputs = self.run.inputs
        place.weight = weight = self.weigh(value) if self.weigh else 1
        place.state = WAITING
        place.task = None
        place.next = ring = line.ring
        place.prev = last = ring.prev
        last.next = ring.prev = place
        line.size += weight
        self.out.on_next(place)

    def enqueue(self, values: Iterable[Any], number: int) -> None:
        """Put items of the source, from `number` on, in the line and in the queue behind."""
        line = self.line
        last = line.ring.prev
        places: list[Place] = []
        for value in values:
            place: Place = allocate(Place)
            place.value = value
            place.inputs = number
            place.weight = 1
            place.state = WAITING
            place.task = None
            place.prev = last
            last.next = last = place
            places.append(place)
            number += 1
        last.next, line.ring.prev = line.ring, last
        line.size += len(places)
        cast("Queue", self.out).enqueue(places)

    def on_error(self, error: Exception) -> None:
        self._end(error)

    def on_completed(self) -> None:
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self.line.entry is self:  # else: a call failed at the last batch, and that is the end
            self.line.end(error)
