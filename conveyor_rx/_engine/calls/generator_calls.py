"""How is a plain generator called? Within turns, step by step, without a task.

It never waits for anything but room, and so takes its steps as plain functions are called: inline.
What it gives without room waits with it; a failure goes the way of any plain function's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from contextvars import Context
from types import GeneratorType
from typing import Any, cast

from ..place import DEAD, Place
from ..run import REST
from .admission import Admission
from .attempts import Attempts
from .steps import NOTHING, Steps
from .stepwise_calls import StepwiseCalls

__all__ = ["GeneratorCalls"]

_END: Any = object()


class GeneratorCalls(StepwiseCalls):
    """The calls of one plain generator function in one run.

    Order: one goes on until it ends, has no room, or somebody downstream is ready. Cancellation:
    the line gives up a place; its generator is closed in a task, which is awaited.
    """

    _closing: asyncio.Task[None] | None = None  # closes those that were abandoned

    def __init__(self, *options: Any) -> None:  # those of `Admission`
        super().__init__(*options)
        self._active: deque[Steps] = deque()  # that go on at the next turn
        self._woken: deque[Steps] = deque()  # that were parked
        self._abandoned: deque[Steps] = deque()  # that are to be closed

    def step(self) -> None:
        if not self._active:
            Admission.step(self)  # `super()` costs more
            return
        steps = self._active.popleft()
        if self._active or self.queue or self.resuming:
            self.run.ready |= self.bit
        self._advance(steps)

    def purge(self) -> None:
        super().purge()
        self._active = deque(steps for steps in self._active if not steps.done())
        self._woken = deque(steps for steps in self._woken if not steps.done())
        self.resuming = deque(
            waiter for waiter in self.resuming if not (type(waiter) is Steps and waiter.done())
        )

    def found_room(self, steps: Steps) -> None:
        """Let a call go on that was parked, when the items from upstream have had their turn."""
        self._woken.append(steps)
        self.run.roomy[self] = None
        self.run.ready |= REST

    def share_room(self) -> None:
        """Let the calls go on that have been woken, as soon as there are slots."""
        self.resuming.extend(self._woken)
        self._woken.clear()
        self.run.ready |= self.bit

    def abandon(self, steps: Steps) -> None:
        """Close the generator of a call whose place is gone, at the loop's next turn."""
        if steps.is_parked:
            self._counts_again(steps)
        self._abandoned.append(steps)
        if not self.run.loop.is_running():
            self._close_rest(None)
        elif self._closing is None:
            self._closing = task = self.run.start(self._close_abandoned(), self.name)
            self.run.keep(task)
            task.add_done_callback(self._close_rest)

    # -- private

    def _failed_inline(self, place: Place, error: BaseException, *, delivered: bool) -> None:
        """Do what the policy says of a call that failed in a turn."""
        raise NotImplementedError

    def _start_steps(self, place: Place) -> None:
        """Call a plain generator function."""
        counters, reporter, context = self.counters, self.reporter, self.run.context.copy()
        if reporter is not None:
            context.run(reporter.call_started, place)
            if place.state == DEAD:  # a probe has closed the run
                counters.cancelled += place.weight
                return
        try:
            result = context.run(self.function, place.value)
        except (KeyboardInterrupt, SystemExit):
            counters.failed += place.weight
            raise
        except BaseException as error:
            self._failed_inline(place, error, delivered=False)
            return
        if type(result) is GeneratorType and place.state != DEAD:
            self._begin_steps(place, cast("Generator[Any]", result), context)
        else:
            attempts = Attempts(self, place, result=result)
            self._begin(place, self._step(place, attempts), attempts)

    def _begin_steps(self, place: Place, generator: Generator[Any], context: Context) -> None:
        """Go on with a call that has given a generator, at the next turn."""
        run = self.run
        self._running += 1
        run.running += 1
        self.counters.running += place.weight
        place.task = steps = Steps(self, place, generator, context)
        self._active.append(steps)
        run.ready |= self.bit

    def _resume_one(self) -> None:
        steps = self.resuming[0]
        if type(steps) is not Steps:
            super()._resume_one()
            return
        self.resuming.popleft()
        if self.resuming or self.queue:
            self.run.ready |= self.bit
        self._counts_again(steps)
        self._advance(steps)

    def _counts_again(self, steps: Steps) -> None:
        steps.is_parked = False
        self._running += not self.call.is_generator
        self.run.running += 1

    def _park(self, steps: Steps, value: Any, *, again: bool) -> None:
        """Let a call wait for room. It keeps its slot as `room` says."""
        steps.value = value
        steps.is_parked = True
        self._running += self.call.is_generator
        self.free_slot()
        self.line.park(steps.place, steps, first=again)

    def _advance(self, steps: Steps) -> None:
        """Take outputs until there are no more, there is no room, or others have their turn."""
        run, place, line, generator = self.run, steps.place, self.line, steps.generator
        value, steps.value = steps.value, NOTHING
        woken = value is not NOTHING
        before, run.turns_only, run.relay.task = run.turns_only, True, None  # as `emit` does
        steps.is_at_work = True
        while True:
            if value is NOTHING:
                try:
                    value = steps.context.run(next, generator, _END)
                except BaseException as error:
                    self._raised(steps, error)
                    break
            if value is _END or place.state == DEAD:
                self._ended(steps)
                break
            leaves = self._leaves(place, value)
            if not leaves and not (woken and line.has_room(place)):
                self._park(steps, value, again=woken)
                break
            woken = False
            self._put_out(steps, value, leaves)
            value = NOTHING
            if place.state == DEAD:
                self._close(steps)
                break
            if run.ready >= 2 * self.bit or run.paused or run.clock() > run.deadline:
                self._active.append(steps)
                run.ready |= self.bit
                break
        steps.is_at_work = False
        run.turns_only = before

    def _put_out(self, steps: Steps, value: Any, leaves: bool) -> None:
        place, reporter = steps.place, self.reporter
        steps.delivered = True
        try:
            if leaves and value is not None:
                self.counters.out += 1
                inputs = place.inputs
                if reporter is not None:
                    inputs = reporter.output(place, value, inputs)
                self.run.inputs = inputs
                self.line.out.on_next(value)
            else:
                self.emit(place, value, place.inputs)
        except BaseException:  # of an observer
            self._close(steps)
            raise

    def _raised(self, steps: Steps, error: BaseException) -> None:
        place = steps.place
        self._end(place, place.weight)
        if issubclass(type(error), (KeyboardInterrupt, SystemExit)):
            self._tell_end(place)
            self.counters.failed += place.weight
            raise error
        self._failed_inline(place, error, delivered=steps.delivered)

    def _ended(self, steps: Steps) -> None:
        place = steps.place
        if place.state == DEAD:
            self._close(steps)
            return
        self._completed(place)

    def _close(self, steps: Steps) -> None:
        """Close the generator of a call whose outputs nobody waits for."""
        place = steps.place
        try:
            steps.context.run(steps.generator.close)
        except BaseException as error:
            self.lost(place, error, 1)
            if not issubclass(type(error), (Exception, asyncio.CancelledError)):
                raise
        finally:
            self.counters.cancelled += place.weight
            self._tell_end(place)
            self._end(place, place.weight)

    async def _close_abandoned(self) -> None:
        while self._abandoned:
            await self.run.pace.turn()
            if self._abandoned:
                self._close(self._abandoned.popleft())
                self.run.drain()  # others may wait for its slot

    def _close_rest(self, task: asyncio.Task[None] | None) -> None:
        """Close what is left, if the task that does it was cancelled, or no loop runs."""
        self._closing = None
        while self._abandoned:
            self._close(self._abandoned.popleft())
        self.run.schedule()
