"""How is a plain generator called? Within turns, step by step, without a task.

It never waits for anything but room, and so takes its steps as plain functions are called: inline.
What it gives without room waits with it; a failure goes the way of any plain function's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from contextvars import Context
from functools import partial
from types import GeneratorType
from typing import Any, cast

from ..line.rest import Waiter
from ..place import DEAD, Place
from ..run import REST
from .attempts import Attempts
from .attempts_in_tasks import begin_attempts, failed_inline
from .caller import Caller, Launch, Stepping
from .steps import NOTHING, Steps

__all__ = ["PlainGenerators", "stepping_of"]

_END: Any = object()


class PlainGenerators(Launch):
    """The calls of one plain generator function."""

    __slots__ = ()

    def start(self, stage: Caller, place: Place) -> None:
        counters, reporter, context = stage.counters, stage.reporter, stage.run.context.copy()
        if reporter is not None:
            context.run(reporter.call_started, place)
            if place.state == DEAD:  # a probe has closed the run
                counters.cancelled += place.weight
                return
        try:
            result = context.run(stage.function, place.value)
        except (KeyboardInterrupt, SystemExit):
            counters.failed += place.weight
            raise
        except BaseException as error:
            failed_inline(stage, place, error, delivered=False)
            return
        if type(result) is GeneratorType and place.state != DEAD:
            generator = cast("Generator[Any]", result)
            stepping_of(stage).begin(stage, place, generator, context)
        else:
            begin_attempts(stage, place, Attempts(stage, place, result=result))


def stepping_of(stage: Caller) -> Stepping:
    """Return who lets the generators of a stage go on."""
    if stage.stepping is None:
        stage.stepping = Generators()
    return stage.stepping


class Generators:
    """The generators of one stage in one run.

    Order: one goes on until it ends, has no room, or somebody downstream is ready. Cancellation:
    the line gives up a place; its generator is closed in a task, which is awaited.
    """

    __slots__ = ("_abandoned", "_closing", "_woken", "active")

    def __init__(self) -> None:
        self.active: deque[Steps] = deque()  # that go on at the next turn
        self._woken: deque[Steps] = deque()  # that were parked
        self._abandoned: deque[Steps] = deque()  # that are to be closed
        self._closing: asyncio.Task[None] | None = None  # closes those

    def begin(
        self, stage: Caller, place: Place, generator: Generator[Any], context: Context
    ) -> None:
        stage.begin_call(place)
        place.task = steps = Steps(self, stage, place, generator, context)
        self.active.append(steps)
        stage.run.ready |= stage.bit

    def step(self, stage: Caller) -> None:
        steps = self.active.popleft()
        if self.active or stage.queue or stage.resuming:
            stage.run.ready |= stage.bit
        self._advance(stage, steps)

    def purge(self, stage: Caller) -> None:
        self.active = deque(steps for steps in self.active if not steps.done())
        self._woken = deque(steps for steps in self._woken if not steps.done())
        stage.resuming = deque(
            waiter for waiter in stage.resuming if not (type(waiter) is Steps and waiter.done())
        )

    def found_room(self, stage: Caller, steps: Steps) -> None:
        self._woken.append(steps)
        stage.run.roomy[stage] = None
        stage.run.ready |= REST

    def share_room(self, stage: Caller) -> None:
        stage.resuming.extend(self._woken)
        self._woken.clear()
        stage.run.ready |= stage.bit

    def resume(self, stage: Caller, waiter: Waiter) -> bool:
        if type(waiter) is not Steps:
            return False
        self._unparks(stage, waiter)
        self._advance(stage, waiter)
        return True

    def abandon(self, stage: Caller, steps: Steps) -> None:
        if steps.is_parked:
            self._unparks(stage, steps)
        self._abandoned.append(steps)
        if not stage.run.loop.is_running():
            self._close_rest(stage, None)
        elif self._closing is None:
            self._closing = task = stage.run.start(self._close_abandoned(stage), stage.name)
            stage.run.keep(task)
            task.add_done_callback(partial(self._close_rest, stage))

    # -- private

    def _advance(self, stage: Caller, steps: Steps) -> None:
        """Take outputs until there are no more, there is no room, or others have their turn."""
        run, place, line, generator = stage.run, steps.place, stage.line, steps.generator
        value, steps.value = steps.value, NOTHING
        woken = value is not NOTHING
        before, run.turns_only, run.relay.task = run.turns_only, True, None  # as `emit` does
        steps.is_at_work = True
        while True:
            if value is NOTHING:
                try:
                    value = steps.context.run(next, generator, _END)
                except BaseException as error:
                    self._raised(stage, steps, error)
                    break
            if value is _END or place.state == DEAD:
                self._ended(stage, steps)
                break
            leaves = stage.leaves(place, value)
            if not leaves and not (woken and line.has_room(place)):
                self._park(stage, steps, value, again=woken)
                break
            woken = False
            self._put_out(stage, steps, value, leaves)
            value = NOTHING
            if place.state == DEAD:
                _close(stage, steps)
                break
            if run.ready >= 2 * stage.bit or run.paused or run.clock() > run.deadline:
                self.active.append(steps)
                run.ready |= stage.bit
                break
        steps.is_at_work = False
        run.turns_only = before

    def _park(self, stage: Caller, steps: Steps, value: Any, *, again: bool) -> None:
        """Let a call wait for room. What it holds meanwhile, `parking.py` says."""
        steps.value = value
        steps.is_parked = True
        weight = steps.place.weight
        stage.counters.running -= weight
        stage.counters.waiting_for_room += weight
        stage.parks()
        stage.line.park(steps.place, steps, first=again)

    def _unparks(self, stage: Caller, steps: Steps) -> None:
        steps.is_parked = False
        weight = steps.place.weight
        stage.counters.waiting_for_room -= weight
        stage.counters.running += weight
        stage.unparks()

    def _put_out(self, stage: Caller, steps: Steps, value: Any, leaves: bool) -> None:
        place = steps.place
        steps.delivered = True
        try:
            if leaves and value is not None:
                stage.let_out(place, value)
            else:
                stage.emit(place, value, place.inputs)
        except BaseException:  # of an observer
            _close(stage, steps)
            raise

    def _raised(self, stage: Caller, steps: Steps, error: BaseException) -> None:
        place = steps.place
        stage.end_call(place, place.weight)
        if issubclass(type(error), (KeyboardInterrupt, SystemExit)):
            stage.tell_end(place)
            stage.counters.failed += place.weight
            raise error
        failed_inline(stage, place, error, delivered=steps.delivered)

    def _ended(self, stage: Caller, steps: Steps) -> None:
        if steps.place.state == DEAD:
            _close(stage, steps)
        else:
            stage.completed(steps.place)

    async def _close_abandoned(self, stage: Caller) -> None:
        while self._abandoned:
            await stage.run.pace.turn()
            if self._abandoned:
                _close(stage, self._abandoned.popleft())
                stage.run.drain()  # others may wait for its slot

    def _close_rest(self, stage: Caller, task: asyncio.Task[None] | None) -> None:
        """Close what is left, if the task that does it was cancelled, or no loop runs."""
        self._closing = None
        while self._abandoned:
            _close(stage, self._abandoned.popleft())
        stage.run.schedule()


def _close(stage: Caller, steps: Steps) -> None:
    """Close the generator of a call whose outputs nobody waits for."""
    place = steps.place
    try:
        steps.context.run(steps.generator.close)
    except BaseException as error:
        stage.lost(place, error, 1)
        if not issubclass(type(error), (Exception, asyncio.CancelledError)):
            raise
    finally:
        stage.counters.cancelled += place.weight
        stage.tell_end(place)
        stage.end_call(place, place.weight)
