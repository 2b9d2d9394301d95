"""In which task is a call made? A new one, or one that has just made another.

A task costs more than most of what the library does for a call. So a task goes on with the call
that its result leads to, in the next stage, or else with the next that waits for a slot, unless the
last function left something behind in the task or in its context. A call that is handed over to a
task begins before anything else does, so that calls start in the order of arrival.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import Any, cast

from ..place import DEAD, WAITING, Place
from ..turns.pace import CREDIT, MOST
from .attempts import Attempts
from .generator_calls import GeneratorCalls

__all__ = ["TaskCalls"]

_Task: Any = asyncio.Task  # `eager_start` came with 3.12
Following = tuple["TaskCalls", Place]
"""The call that a task is to go on with."""


class TaskCalls(GeneratorCalls):
    """The calls of one task function in one run that are made in asyncio tasks.

    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    """

    admitted: Any = ()
    """What has a slot, and no task yet: nothing, where a task begins at once."""

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
        if run.relay.task is None:
            self._start_new(place)
        else:
            run.relay.hand_over(self, place)

    def _start_new(self, place: Place) -> None:
        """Make the call for a place in a new task."""
        run, relay = self.run, self.run.relay
        before, relay.making = relay.making, place
        task = _Task(
            self._call(place),
            loop=run.loop,
            name=self.name,
            context=run.context.copy(),
            eager_start=True,
        )
        place, relay.making = relay.making, before  # it may have gone on with another
        if not task.done():
            place.task = task
            if place.state != DEAD:
                return
            closer, relay.closer = relay.closer, None
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
        try:  # has the function left anything behind, in the task or in its context?
            goes_on = copy_context() == run.context and not task.cancelling()
        except Exception:  # of a value that does not like to be compared
            goes_on = False
        if run.compared_by_identity and goes_on:
            goes_on = all(variable.get() is value for variable, value in run.compared_by_identity)
        if not run.draining:
            now, pace = run.clock(), run.pace
            if has_suspended:  # the loop has woken it: what that costs is not its work
                if pace.end < now + MOST:
                    pace.end += CREDIT if is_plain else CREDIT * self._size(result)
            if now > pace.end and pace.is_late():
                goes_on = False
                run.turns_only = True  # what the result leads to waits for a turn, too
        if not is_plain or place.state != WAITING:
            self._end(place, place.weight)
            run.relay.task = task = task if goes_on else None
            self._settle(place, result)
            return run.relay.next_call(self, task, has_suspended, False)
        place.task = None  # as `_settle` does, in line for speed
        place.value = result
        counters = self.counters
        counters.running -= 1
        counters.ones += 1
        if not goes_on:
            self.free_slot()
            task = None
        run.relay.task = task
        self.out.on_next(place)
        return run.relay.next_call(self, task, has_suspended, goes_on)

    @staticmethod
    def _size(result: Any) -> int:
        """Tell how many outputs there may be."""
        return len(cast("list[Any]", result)) if type(result) is list else 1

    def take_admitted(self, has_slot: bool) -> Place:
        """Take the first of `admitted`: there are none."""
        raise NotImplementedError

    def has_turn(self, has_suspended: bool) -> bool:
        """Tell whether a call may take a new slot before what waits for a turn downstream."""
        run = self.run
        if self._running >= self._limit and not self.admitted:
            return False
        # A call that suspends, as the last one did, keeps nobody waiting.
        return has_suspended or run.draining or run.ready < 2 * self.bit
