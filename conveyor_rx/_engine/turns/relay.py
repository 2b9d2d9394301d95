"""Who makes the next call? The task that has just made one, as long as there is a call for it.

A new task costs more than most of what the engine does for a call. So a task is a runner that is
given one call after the other. While it passes on a result, a call that this leads to takes the
task ("event chasing" in Pekko's interpreter); else `decide` says what it does next.

The state of a relay:

| state      | `task` | `call` | `searches` | meaning                                             |
|------------|--------|--------|------------|-----------------------------------------------------|
| idle       | None   | None   | False      | a call that begins gets a new task                  |
| passing on | a task | None   | False      | its result goes downstream; the first call takes it |
| searching  | a task | None   | True       | turns are taken until one leads to a call           |
| found      | None   | a call | either     | no turn is taken until the task has begun the call  |
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from ..place import Place

if TYPE_CHECKING:
    from .runners import Runner, Turns

__all__ = ["OUT_OF_TIME", "OWN", "TURNS", "UNBOUNDED", "Relay", "decide"]

UNBOUNDED = sys.maxsize  # a limit that is none

OUT_OF_TIME, OWN, TURNS = range(3)
"""What a task does next: the cases of `decide`."""


class Relay:
    """The task of one run that could make the next call, or the call that it is to make."""

    __slots__ = ("call", "closer", "making", "searches", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.call: tuple[Any, Place] | None = None  # the stage, and the place that it is for
        self.searches = False
        self.making: Place | None = None  # while a task is being made: the place it has got to
        self.closer: asyncio.Task[Any] | None = None  # who has closed the run meanwhile

    def hand_over(self, stage: Runner, place: Place) -> None:
        """Let the task make this call, before anything else is done."""
        run = stage.run
        task, self.task = self.task, None
        assert task is not None
        task.set_name(stage.name)
        place.task = task
        self.call = stage, place
        run.turns_only = True  # what follows in this turn must not overtake it
        if self.making is not None:
            self.making = place
        if self.searches:
            run.end_turns()

    def next_call(
        self, stage: Runner, task: asyncio.Task[Any] | None, has_suspended: bool, has_slot: bool
    ) -> tuple[Any, Place] | None:
        """Return the call that `task` makes after one of `stage`, or None.

        `task` is None if it can't make another. `has_suspended` says that its last call has;
        `has_slot`, that the slot of that is still taken.
        """
        run = stage.run
        run.turns_only = False
        call = self.call
        if call is not None:  # its result has led to that, and the call has taken the task
            self.call = None
            if has_slot:
                stage.free_slot()
            if run.ready and not run.draining:
                run.schedule()
            return call
        self.task = None
        case = decide(stage, task, has_suspended, has_slot)
        if case == OWN:
            if stage.admitted:
                place = stage.take_admitted(has_slot)
            else:
                if not has_slot:
                    stage.take_slot()
                place = stage.queue.popleft()
                stage.counters.running += place.weight
            place.task = task
            if self.making is not None:
                self.making = place
            # Bits are higher downstream. If no other is set, the source can wait until a task finds
            # the queue empty.
            if run.ready > stage.stock and not run.draining and not run.scheduled:
                run.schedule()
            return stage, place
        if has_slot:
            stage.free_slot()
        if not run.ready or run.draining:
            return None
        if case == TURNS:
            return self._search(run, task)
        run.schedule()
        return None

    def _search(self, run: Turns, task: asyncio.Task[Any] | None) -> tuple[Any, Place] | None:
        """Take turns until one leads to a call that `task` can make, and return that."""
        self.task, self.searches = task, True
        run.drain()
        self.task, self.searches = None, False
        call, self.call = self.call, None
        return call


def decide(
    stage: Runner, task: asyncio.Task[Any] | None, has_suspended: bool, has_slot: bool
) -> int:
    """Decide what `task` does next, if its result has led to no call. It changes nothing.

    1. TURNS, if the task can't make another call: turns are taken without it.
    2. OUT_OF_TIME: the turns within which the task was made are over, as the consumer was served.
    3. OWN: the next call of the same stage, if it has its turn. It takes over the slot, if that is
       not yet given back. Under a cap the slot goes to the stage that is most downstream instead.
    4. TURNS: whatever call these lead to first.
    """
    run = stage.run
    if task is None:
        return TURNS
    if run.draining and run.clock() > run.deadline:
        return OUT_OF_TIME
    waits = (stage.queue and not stage.resuming) or stage.admitted
    if waits and run.cap == UNBOUNDED and (has_slot or stage.has_turn(has_suspended)):
        return OWN
    return TURNS
