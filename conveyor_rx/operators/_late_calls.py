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

from ._line import Line
from ._place import Place
from ._run import UNBOUNDED, Run
from ._task_calls import Following, TaskCalls

__all__ = ["LateCalls"]


class LateCalls(TaskCalls):
    """The calls of one task function in one run, in tasks that can't begin at once.

    Order: calls that have a slot, and no task yet, are made before any that come later. As long as
    there are such calls, there is a hired task that has not begun.
    """

    def __init__(self, run: Run, line: Line, *options: Any) -> None:  # those of `Admission`
        super().__init__(run, line, *options)
        self._admitted: deque[Place] = deque()
        self._hired: set[asyncio.Task[None]] = set()  # those that have not begun

    def purge(self) -> None:
        super().purge()
        admitted, self._admitted = self._admitted, deque[Place]()
        for place in admitted:
            if place.dead:
                self._not_begun(place)
            else:
                self._admitted.append(place)

    def cut(self) -> None:
        super().cut()
        for task in self._hired:
            self.run.cancel(task)

    # -- private

    def _hand_over(self, place: Place, task: asyncio.Task[Any]) -> None:
        self._admitted.append(place)
        super()._hand_over(self._admitted.popleft(), task)

    def _start_new(self, place: Place) -> None:
        self._admitted.append(place)
        if not self._hired:
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
        if self._hired and not self.run.has_time():  # the last who finds that waits for the turn
            return None
        if not self._admitted:  # another task has made the call, and left its slot
            self._admit_one()
        if not self._admitted:
            return None
        place = self._admitted.popleft()
        place.task = task
        for _ in range(min(2, len(self._admitted) - len(self._hired))):
            self._hire()
        return place

    def _admit_one(self) -> None:
        has_turn = self.run.cap == UNBOUNDED and not self._resuming  # as in `_following`
        if self._queue and has_turn and self._take_slot():
            place = self._queue.popleft()
            self.counters.running += place.weight
            self._admitted.append(place)

    def _following(
        self, task: asyncio.Task[Any] | None, has_suspended: bool, has_slot: bool
    ) -> Following | None:
        run = self.run
        is_free = task is not None and self._admitted and run.handed_over is None
        has_turn = run.cap == UNBOUNDED and (has_slot or self._may_go_first(has_suspended))
        was_woken = has_suspended and not run.draining
        if not (is_free and has_turn and (was_woken or run.has_time())):
            return super()._following(task, has_suspended, has_slot)
        run.spare = None
        if has_slot:  # the next has one of its own
            self._free_slot()
        place = self._admitted.popleft()
        place.task = task
        if run.ready and not run.draining:
            run.schedule()
        return self, place

    def _left(self, task: asyncio.Task[None]) -> None:
        """End the calls that wait, if `task` was cancelled from outside before it began."""
        if task in self._hired:
            self._hired.discard(task)
            while self._admitted:
                place = self._admitted.popleft()
                self._cancelled(place, place.weight, task)
