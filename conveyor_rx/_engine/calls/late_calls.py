"""How do calls start in order on Python 3.11, where a task begins at the loop's next turn?

There a task is not made for one call: another, that goes on with calls, would overtake it. It is
hired, and takes the first call that waits when it begins. While there are more, each that begins
hires two: a thousand calls that suspend begin within ten turns of the loop, and if they don't
suspend, the first task makes them all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from ..line.line import Line
from ..place import Place
from ..run import UNBOUNDED, Run
from .task_calls import TaskCalls

__all__ = ["LateCalls"]


class LateCalls(TaskCalls):
    """The calls of one task function in one run, in tasks that can't begin at once.

    Order: calls that have a slot, and no task yet, are made before any that come later. As long as
    there are such calls, there is a hired task that has not begun.
    """

    def __init__(self, run: Run, line: Line, *options: Any) -> None:  # those of `Admission`
        super().__init__(run, line, *options)
        self.admitted = deque[Place]()
        self._hired: set[asyncio.Task[None]] = set()  # those that have not begun

    def purge(self) -> None:
        super().purge()
        admitted, self.admitted = self.admitted, deque[Place]()
        for place in admitted:
            if place.dead:
                self._not_begun(place)
            else:
                self.admitted.append(place)

    def cut(self) -> None:
        super().cut()
        for task in self._hired:
            self.run.cancel(task)

    def take_admitted(self, has_slot: bool) -> Place:
        if has_slot:  # the next has one of its own
            self.free_slot()
        if self.run.ready and not self.run.draining:
            self.run.schedule()
        return self.admitted.popleft()

    # -- private

    def _start_async(self, place: Place) -> None:
        run = self.run
        self._running += 1
        run.running += 1
        self.counters.running += place.weight
        self.admitted.append(place)
        if run.relay.task is not None:
            run.relay.hand_over(self, self.admitted.popleft())
        elif not self._hired:
            self._hire()

    def _hire(self) -> None:
        task = self.run.start(self._work(), self.name)
        self._hired.add(task)
        task.add_done_callback(self._left)

    async def _work(self) -> None:
        """Make the first of the calls that wait, and those that this task is to go on with."""
        if len(self._hired) == 1 and self.run.pace.is_late():
            await self.run.pace.turn()
        try:
            place = self._first()
        except BaseException as error:
            self.run.break_off(error)
            return
        if place is not None:
            await self._call(place)

    def _first(self) -> Place | None:
        task = asyncio.current_task()
        assert task is not None
        self._hired.discard(task)
        if self._hired and not self.run.has_time():  # the last one to notice waits for the turn
            return None
        if not self.admitted:  # another task has made the call, and left its slot
            self._admit_one()
        if not self.admitted:
            return None
        place = self.admitted.popleft()
        place.task = task
        for _ in range(min(2, len(self.admitted) - len(self._hired))):
            self._hire()
        return place

    def _admit_one(self) -> None:
        has_turn = self.run.cap == UNBOUNDED and not self.resuming  # as `decide` says
        if self.queue and has_turn and self.take_slot():
            place = self.queue.popleft()
            self.counters.running += place.weight
            self.admitted.append(place)

    def _left(self, task: asyncio.Task[None]) -> None:
        """End the calls that wait, if `task` was cancelled from outside before it began."""
        if task in self._hired:
            self._hired.discard(task)
            while self.admitted:
                place = self.admitted.popleft()
                self._cancelled(place, place.weight, task)
