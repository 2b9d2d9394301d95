"""In which task is a call made? A new one, or one that has just made another.

A task costs more than most of what the library does for a call. So a task goes on with the call
that its result leads to, in the next stage, or else with the next that waits for a slot, unless the
last function left something behind in the task or in its context. A call that is handed over to a
task begins before anything else does, so that calls start in the order of arrival.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import Any

from ._attempts import Attempts
from ._generator_calls import GeneratorCalls
from ._pace import CREDIT
from ._place import DEAD, WAITING, Place
from ._run import UNBOUNDED

__all__ = ["TaskCalls"]

_Task: Any = asyncio.Task  # `eager_start` came with 3.12
Following = tuple["TaskCalls", Place]
"""The call that a task is to go on with."""


class TaskCalls(GeneratorCalls):
    """The calls of one task function in one run that are made in asyncio tasks.

    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    """

    _goes_on = True
    """Whether tasks go on with further calls."""

    _plain: type | None = None
    """The type of a result that was one output, and is looked for first."""

    _plains: dict[int, type]
    """Such types, by their ids: a class may refuse to be hashed."""

    # -- private

    def _takes_steps(self, result: Any) -> bool:
        """Tell whether a result can't be passed on at once."""
        raise NotImplementedError

    def _settle(self, place: Place, result: Any) -> None:
        """Take the result of a call that went well at once."""
        raise NotImplementedError

    def _start_async(self, place: Place) -> None:
        run = self.run
        self._running += 1
        run.running += 1
        self.counters.running += place.weight
        task = run.spare
        if task is None:
            self._start_new(place)
        else:
            self._hand_over(place, task)

    def _hand_over(self, place: Place, task: asyncio.Task[Any]) -> None:
        """Let the spare task make the call for a place before anything else is done."""
        run = self.run
        run.spare = None
        place.task = task
        task.set_name(self.name)
        run.handed_over = self, place
        run.turns_only = True  # what follows in this turn is not to overtake it
        if run.called is not None:
            run.called = place
        if run.offered:
            run.turns_end = -1.0

    def _start_new(self, place: Place) -> None:
        """Make the call for a place in a new task."""
        run = self.run
        before, run.called = run.called, place
        task = _Task(
            self._call(place),
            loop=run.loop,
            name=self.name,
            context=run.context.copy(),
            eager_start=True,
        )
        place, run.called = run.called, before  # it may have gone on with another
        if not task.done():
            place.task = task
            if place.state != DEAD:
                return
            closer, run.closer = run.closer, None
            if closer is task:
                run.keep(task)
            else:  # what it has started has begun at once, and closed the run
                run.cancel(task)

    async def _call(self, place: Place) -> None:
        """Make a call of an async function, and then those that this task is to go on with."""
        try:
            stage, run = self, self.run
            pace = run.pace
            while place.state != DEAD and not run.paused:
                if stage.reporter is not None:
                    stage.reporter.call_started(place)
                    if place.state == DEAD:  # a probe has closed the run
                        continue
                tick = pace.ticks
                try:
                    result = await stage.function(place.value)
                except (KeyboardInterrupt, SystemExit) as end:
                    stage._process_ends(place, end)
                    raise
                except BaseException as error:
                    attempts = Attempts(stage, place, error=error)
                    break
                kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
                is_plain = kind is stage._plain or id(kind) in stage._plains
                if not is_plain and stage._takes_steps(result):
                    attempts = Attempts(stage, place, result=result)
                    break
                following = stage._done(place, result, is_plain, tick != pace.ticks)
                if following is None:
                    return
                result = None  # it may be large
                stage, place = following
            else:
                stage._not_begun(place)
                return
            await stage._go_on(place, attempts)
        except BaseException as error:  # of an observer, or a function called downstream
            self.run.break_off(error)
            return
        attempts.raise_end()

    def _process_ends(self, place: Place, end: BaseException) -> None:
        self._end(place, place.weight)
        self.counters.failed += place.weight
        self.run.crash(end)

    def _done(
        self, place: Place, result: Any, is_plain: bool, has_suspended: bool
    ) -> Following | None:
        """Pass on the result of a call, and return the call that its task is to go on with."""
        run = self.run
        if self.reporter is not None:
            self.reporter.call_gave(place, result)
        task: Any = place.task or asyncio.current_task()
        if has_suspended:
            run.pace.end += CREDIT
        try:
            goes_on = self._goes_on and copy_context() == run.context and not task.cancelling()
        except Exception:  # of a value that does not like to be compared
            goes_on = False
        if run.comparable:
            goes_on = goes_on and all(variable.get() is value for variable, value in run.comparable)
        if not is_plain or place.state != WAITING:
            self._end(place, place.weight)
            run.spare = task = task if goes_on else None
            self._settle(place, result)
            return self._following(task, has_suspended, False)
        place.task = None  # as `_settle` does, in line for speed
        place.value = result
        counters = self.counters
        counters.running -= 1
        counters.ones += 1
        if goes_on:
            run.spare = task
            self.out.on_next(place)
            return self._following(task, has_suspended, True)
        self._free_slot()
        self.out.on_next(place)
        return self._following(None, has_suspended, False)

    def _following(
        self, task: asyncio.Task[Any] | None, has_suspended: bool, has_slot: bool
    ) -> Following | None:
        """Choose which call `task` is to make next.

        It begins at once, before any other: calls start in the order of arrival. `has_suspended`
        says that its last call has, and `has_slot` that the slot of that is still taken.
        """
        run = self.run
        following, run.handed_over, run.spare = run.handed_over, None, None
        run.turns_only = False
        has_time = True
        if following is None and task is not None:
            # Within turns, a result that the consumer waits for may have ended their time.
            has_time = (has_suspended and not run.draining) or run.has_time()
            if has_time and (
                self._queue
                and run.cap == UNBOUNDED  # else the slot goes to whoever is most downstream
                and not self._resuming
                and (has_slot or (self._may_go_first(has_suspended) and self._take_slot()))
            ):
                place = self._queue.popleft()
                place.task = task
                if run.called is not None:
                    run.called = place
                self.counters.running += place.weight
                # Bits are higher downstream. If no other is set, the source can wait until a task
                # finds the queue empty.
                if run.ready > self._stock and not run.draining and not run.scheduled:
                    run.schedule()
                return self, place
        if has_slot:
            self._free_slot()
        if not run.ready or run.draining:
            return following
        if following is not None or not has_time:
            run.schedule()
            return following
        return run.drain_for(task)

    def _may_go_first(self, has_suspended: bool) -> bool:
        """Tell whether the next call may begin before what waits for a turn downstream."""
        run = self.run  # a call that suspends, as the last one did, keeps nobody waiting
        return has_suspended or run.draining or run.ready < 2 * self.bit
