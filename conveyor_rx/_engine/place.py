"""What is a place? What moves through the operators of a segment, and carries the value."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from .._inputs import Inputs

__all__ = ["DEAD", "FILLED", "WAITING", "Place", "Work", "allocate", "new_place"]

WAITING, FILLED, DEAD = range(3)  # the states of a place


class Work(Protocol):
    """A call that has begun, and is in no task."""

    def get_name(self) -> str:
        """Return the name of its stage, as a task does."""
        ...

    def cancel(self) -> None:
        """End it: its place is dead."""


class Place:
    """One place in a line, with the value that stands there now."""

    __slots__ = ("call", "inputs", "next", "prev", "reporter", "state", "task", "value", "weight")

    value: Any
    inputs: Inputs  # which of the source's items it comes from
    weight: int  # items that it holds: 1, or the size of a batch
    state: int
    task: asyncio.Task[Any] | Work | None  # the call that works for this place
    prev: Place
    next: Place
    # In a run that is observed:
    call: int  # the number, in its stage, of the call that works for it, or has made its value
    reporter: Any  # of that stage, while the call goes on

    @property
    def dead(self) -> bool:
        """Whether the place was taken out of its line: nobody waits for its result any more."""
        return self.state == DEAD


allocate = object.__new__


def new_place(value: Any, inputs: Inputs, weight: int) -> Place:
    """Make a place that waits."""
    place: Place = allocate(Place)  # Python 3.12 takes three times as long to call a class
    place.value = value
    place.inputs = inputs
    place.weight = weight
    place.state = WAITING
    place.task = None
    return place
