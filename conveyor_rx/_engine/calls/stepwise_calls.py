"""How is a call made that takes several steps? Each of them in a task of its own.

The first step of an async generator is here. All others (retries, handlers, halving, what a
function has returned) are in `attempts.py`. Such a task begins at the loop's next turn, so that
the stack stays flat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from functools import partial
from types import AsyncGeneratorType
from typing import Any, cast

from ..closing.cancellation import cancellation_of
from ..place import DEAD, Place
from .admission import Admission
from .attempts import Attempts
from .caller import Caller

__all__ = ["StepwiseCalls"]


class StepwiseCalls(Admission, Caller):
    """The calls of one task function in one run that take several steps.

    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    """

    # -- private

    def _start_generator(self, place: Place) -> None:
        self._begin(place, self._generate(place))

    def _begin(
        self, place: Place, call: Coroutine[Any, Any, None], attempts: Attempts | None = None
    ) -> None:
        self._running += 1
        self.run.running += 1
        self.counters.running += place.weight
        self._start_task(place, call, place.weight, attempts)

    def _start_task(
        self,
        place: Place,
        call: Coroutine[Any, Any, None],
        left: int,
        attempts: Attempts | None,
    ) -> None:
        """Start a task that begins at the loop's next turn, so that the stack stays flat."""
        place.task = task = self.run.start(call, self.name)
        if place.dead:
            self.run.keep(task)
        task.add_done_callback(partial(self._lost, place, left, attempts))

    def _end(self, place: Place, size: int) -> None:
        """Free the slot, and count `size` items as running no more.

        This comes before a result is passed on, for then the place may be called again.
        """
        place.task = None
        self.counters.running -= size
        self.free_slot()

    def _lost(
        self, place: Place, left: int, attempts: Attempts | None, task: asyncio.Task[Any]
    ) -> None:
        """Take note that `task` was cancelled from outside before it began."""
        if task.cancelled() and place.task is task:
            if attempts is not None:
                attempts.let_go()
            self._cancelled(place, left, task)

    def _cancelled(self, place: Place, left: int, task: asyncio.Task[Any]) -> None:
        """End a call that was cancelled from outside before it began."""
        self._tell_end(place)
        self._end(place, left)
        if place.dead:
            self.counters.cancelled += left
        else:
            self.fail(place, cancellation_of(task), left, attempt=0)
        self.run.schedule()

    def _tell_end(self, place: Place) -> None:
        """Tell, if somebody listens, of the end of a call that took several steps."""
        if self.reporter is not None:
            self.reporter.is_over(place)
            self.reporter.segment.look()

    def _not_begun(self, place: Place) -> None:
        """Undo the start of a call whose task comes to run when it is unwanted, or not yet."""
        self._end(place, place.weight)
        if place.state == DEAD:
            self.counters.cancelled += place.weight
        else:
            super()._not_begun(place)

    async def _generate(self, place: Place) -> None:
        """Make the first attempt at a call of an async generator function, and what follows."""
        try:
            if place.state == DEAD or self.run.paused:
                self._not_begun(place)
                return
            if self.reporter is not None:
                self.reporter.call_started(place)
            attempts = await self._put_out_all(place)
            if attempts is None:
                self._completed(place)
                if self.run.ready:
                    self.run.drain()
                return
            await self._go_on(place, attempts)
        except BaseException as error:
            self.run.break_off(error)
            return
        attempts.raise_end()

    async def _put_out_all(self, place: Place) -> Attempts | None:
        """Call the function, and pass on its outputs; give the attempts to go on with, if any."""
        run, line, delivered = self.run, self.line, False
        pace = run.pace
        try:
            if pace.is_late():
                await pace.turn()
            if run.paused:
                await run.wait_for_pause()
            result = self.function(place.value)
            if type(result) is not AsyncGeneratorType:
                return Attempts(self, place, result=result)
            values = cast("AsyncGenerator[Any]", result)
            try:
                async for value in values:
                    if not line.has_room(place):
                        await self.room(place)
                    if place.state != DEAD:
                        delivered = True
                        self._put_out_one(place, value)
                        if pace.is_late():
                            await pace.turn()
                    if place.state == DEAD:
                        raise asyncio.CancelledError
            except BaseException:
                await self._stop(values)
                raise
        except BaseException as error:
            return Attempts(self, place, error=error, delivered=delivered)
        return None

    async def _stop(self, values: AsyncGenerator[Any]) -> None:
        """Close an async generator whose outputs are not wanted any more."""
        await values.aclose()

    def _put_out_one(self, place: Place, value: Any) -> None:
        """Pass on an output in the task of its call, which is at work for the engine meanwhile."""
        run, task = self.run, place.task
        run.emitting.add(task)
        try:
            if value is not None and self._leaves(place, value):
                self._let_out(place, value)
            else:
                self.emit(place, value, place.inputs)
            if run.ready:
                run.drain()
        finally:
            run.emitting.discard(task)

    def _leaves(self, place: Place, value: Any) -> bool:
        """Tell whether an output needs no place in the line. Who does lets items go first."""
        line = self.line
        if line.ring.next is not place:
            return False
        return value is None or (line.stages[-1] is self and line.room_behind(place) > 0)

    def _let_out(self, place: Place, value: Any) -> None:
        """Pass on an output that needs no place."""
        run, reporter = self.run, self.reporter
        self.counters.out += 1
        before, run.turns_only = run.turns_only, True  # as `emit` does
        try:
            run.inputs = reporter.output(place, value, place.inputs) if reporter else place.inputs
            self.line.out.on_next(value)
        except BaseException as error:  # no failure of the call
            run.crash(error)
            raise
        run.turns_only = before

    def _completed(self, place: Place) -> None:
        """Take note that all outputs of a call have been passed on."""
        if self.reporter is not None:
            self.reporter.settled(place, place.inputs, "completed")
        self.counters.completed += place.weight
        self.line.give_up(place)
        self._tell_end(place)
        self._end(place, place.weight)

    async def _step(self, place: Place, attempts: Attempts) -> None:
        """Make one attempt, in a task of its own."""
        try:
            await self._go_on(place, attempts)
        except BaseException as error:
            self.run.break_off(error)
            return
        attempts.raise_end()

    async def _go_on(self, place: Place, attempts: Attempts) -> None:
        """Go the slow way: make one attempt, and let another task make the next."""
        again = False
        try:
            if place.state == DEAD:
                self.counters.cancelled += attempts.left
            else:
                again = await attempts.attempt()
        finally:
            if not again:
                attempts.let_go()
                self._tell_end(place)
                self._end(place, attempts.left)
        if again:
            self._start_task(place, self._step(place, attempts), attempts.left, attempts)
        if not attempts.ends_task:
            self.run.drain()
