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
from ._run import Run
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
            self.run.keep(task)

    # -- private

    def _start_async(self, place: Place) -> None:
        if self._admitted and self.run.spare is not None:  # that is for the first of them
            self._admitted.append(place)
            first = self._admitted.popleft()
            self.counters.running += place.weight - first.weight
            place = first
        super()._start_async(place)

    def _start_new(self, place: Place) -> None:
        if place.dead:
            self._not_begun(place)
            return
        self._admitted.append(place)
        if not self._hired:
            self._hire()

    def _hire(self) -> None:
        task = self.run.start(self._work())
        self._hired.add(task)
        task.add_done_callback(self._left)

    async def _work(self) -> None:
        """Make the first of the calls that wait, or what a task goes on with, if they are made."""
        task = asyncio.current_task()
        assert task is not None
        self._hired.discard(task)
        while self._admitted and self.run.paused:
            self._not_begun(self._admitted.popleft())
        if self.run.paused:
            return
        if self._admitted:
            place = self._admitted.popleft()
            place.task = task
            for _ in range(min(2, len(self._admitted) - len(self._hired))):
                self._hire()
            await self._call(place)
            return
        try:
            following = self._following(task if self._goes_on else None, self.run.ticks, False)
        except BaseException:  # the end of the process, from a function called downstream
            self.run.keep(task)
            raise
        if following is not None:
            stage, place, _ = following
            await stage._call(place)

    def _following(
        self, task: asyncio.Task[Any] | None, tick: int, has_slot: bool
    ) -> Following | None:
        run = self.run
        goes_on = task is not None and self._admitted and run.handed_over is None
        goes_on = goes_on and (has_slot or self._may_go_first(tick))
        if not goes_on or not run.has_time(tick):
            return super()._following(task, tick, has_slot)
        run.spare, run.turns_only = None, False
        if has_slot:  # the next has one of its own
            self._free_slot()
        place = self._admitted.popleft()
        place.task = task
        if run.ready and not run.draining:
            run.schedule()
        return self, place, run.ticks

    def _left(self, task: asyncio.Task[None]) -> None:
        """End the calls that wait, if `task` was cancelled from outside before it began."""
        if task in self._hired:
            self._hired.discard(task)
            while self._admitted:
                place = self._admitted.popleft()
                self._cancelled(place, place.weight)
