"""What does the relay see of a run, and of a stage whose calls are made in tasks? Types only."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from ..counters import Counters
from ..place import Place

__all__ = ["Clock", "Runner", "Turns"]


class Clock(Protocol):
    """A clock, in seconds."""

    def __call__(self) -> float: ...


class Turns(Protocol):
    """The turns of a run, as its relay sees them."""

    ready: int
    scheduled: bool
    draining: bool
    turns_only: bool
    clock: Clock
    deadline: float  # of the turns that are being taken
    cap: int  # calls that may run at once, in all stages

    def drain(self) -> None:
        """Take turns now."""

    def schedule(self) -> None:
        """Take turns soon."""

    def end_turns(self) -> None:
        """Let the turns that are being taken end with this one."""


class Runner(Protocol):
    """A stage whose calls are made in tasks."""

    @property
    def run(self) -> Turns:
        """The run that the stage belongs to."""
        ...

    name: str
    queue: deque[Place]  # what waits for a slot
    resuming: deque[Any]  # calls that go before what is in the queue
    admitted: Any  # what has a slot, and no task yet (on 3.11 only)
    stock: int  # the bit of a source that can wait until the queue is empty
    counters: Counters

    def has_turn(self, has_suspended: bool) -> bool:
        """Tell whether a call may take a new slot before others have their turn."""
        ...

    def take_slot(self) -> bool:
        """Take a slot, if there is one."""
        ...

    def take_admitted(self, has_slot: bool) -> Place:
        """Take the first of `admitted`, which has a slot of its own."""
        ...

    def free_slot(self) -> None:
        """Give back the slot of a call."""
