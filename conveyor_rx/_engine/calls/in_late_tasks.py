"""How do calls start in order on Python 3.11, where a task begins at the loop's next turn?

There a task is not made for one call: another, that goes on with calls, would overtake it. It is
hired, and takes the first call that waits when it begins. While there are more, each that begins
hires two: a thousand calls that suspend begin within ten turns of the loop, and if they don't
suspend, the first task makes them all.
"""

from __future__ import annotations

import asyncio
from functools import partial

from ..place import Place
from ..run import UNBOUNDED
from .attempts_in_tasks import end_unbegun
from .caller import Caller, Launch
from .in_tasks import make_calls

__all__ = ["InLateTasks"]


class InLateTasks(Launch):
    """The calls of one async function, in tasks that can't begin at once.

    Order: calls that have a slot, and no task yet, are made before any that come later. As long as
    there are such calls, there is a hired task that has not begun.
    """

    __slots__ = ("_hired",)

    is_late = True

    def __init__(self) -> None:
        self._hired: set[asyncio.Task[None]] = set()  # those that have not begun

    def start(self, stage: Caller, place: Place) -> None:
        stage.begin_call(place)
        relay, admitted = stage.run.relay, stage.admitted
        admitted.append(place)
        if relay.task is not None:
            relay.hand_over(stage, admitted.popleft())
        elif not self._hired:
            self._hire(stage)

    def purge(self, stage: Caller) -> None:
        admitted = [*stage.admitted]
        stage.admitted.clear()
        for place in admitted:
            if place.dead:
                stage.take_back(place)
            else:
                stage.admitted.append(place)

    def cut(self, stage: Caller) -> None:
        for task in self._hired:
            stage.run.cancel(task)

    # -- private

    def _hire(self, stage: Caller) -> None:
        task = stage.run.start(self._work(stage), stage.name)
        self._hired.add(task)
        task.add_done_callback(partial(self._left, stage))

    async def _work(self, stage: Caller) -> None:
        """Make the first of the calls that wait, and those that this task is to go on with."""
        pace = stage.run.pace
        if len(self._hired) == 1 and pace.is_late():
            await pace.turn()
        try:
            place = self._first(stage)
        except BaseException as error:
            stage.run.break_off(error)
            return
        if place is not None:
            await make_calls(stage, place)

    def _first(self, stage: Caller) -> Place | None:
        task = asyncio.current_task()
        assert task is not None
        self._hired.discard(task)
        if self._hired and not stage.run.has_time():  # the last one to notice waits for the turn
            return None
        if not stage.admitted:  # another task has made the call, and left its slot
            _admit_one(stage)
        if not stage.admitted:
            return None
        place: Place = stage.admitted.popleft()
        place.task = task
        for _ in range(min(2, len(stage.admitted) - len(self._hired))):
            self._hire(stage)
        return place

    def _left(self, stage: Caller, task: asyncio.Task[None]) -> None:
        """End the calls that wait, if `task` was cancelled from outside before it began."""
        if task in self._hired:
            self._hired.discard(task)
            while stage.admitted:
                place = stage.admitted.popleft()
                end_unbegun(stage, place, place.weight, task)


def _admit_one(stage: Caller) -> None:
    has_turn = stage.run.cap == UNBOUNDED and not stage.resuming  # as `decide` says
    if stage.queue and has_turn and stage.take_slot():
        place = stage.queue.popleft()
        stage.counters.running += place.weight
        stage.admitted.append(place)
