"""In which task is a call made? A new one, or one that has just made another.

A task costs more than most of what the library does for a call. So a task goes on with the call
that its result leads to, in the next stage, or else with the next that waits for a slot, unless the
last function left something behind in the task or in its context. A call that is handed over to a
task begins before anything else does, so that calls start in the order of arrival.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, cast

from ..place import DEAD, WAITING, Place
from ..turns.pace import CREDIT, MOST
from .again import leaves_nothing, tries_again
from .attempts import Attempts
from .attempts_in_tasks import go_on
from .caller import Caller, Launch

__all__ = ["InTasks", "make_calls", "start_now"]

_Task: Any = asyncio.Task  # `eager_start` came with 3.12
Following = tuple[Caller, Place]
"""The call that a task is to go on with."""


class InTasks(Launch):
    """The calls of one async function, where a task can begin within the call that makes it.

    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    """

    __slots__ = ()

    def start(self, stage: Caller, place: Place) -> None:
        stage.begin_call(place)
        relay = stage.run.relay
        if relay.task is None:
            start_now(stage, place, make_calls(stage, place))
        else:
            relay.hand_over(stage, place)


def start_now(stage: Caller, place: Place, call: Coroutine[Any, Any, None]) -> None:
    """Make the call for a place in a new task, which begins at once."""
    run, relay = stage.run, stage.run.relay
    before, relay.making = relay.making, place
    task = _Task(
        call,
        loop=run.loop,
        name=stage.name,
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


async def make_calls(stage: Caller, place: Place) -> None:
    """Make a call of an async function, and then those that this task is to go on with."""
    try:
        run = stage.run
        pace = run.pace
        attempt, context = 1, run.context  # or as probes have left it, where the function begins
        while place.state != DEAD and not run.paused:
            if stage.reporter is not None:
                if attempt == 1:
                    stage.reporter.call_started(place)
                else:
                    stage.reporter.attempt_begins(place, place.inputs, attempt)
                if place.state == DEAD:  # a probe has closed the run
                    continue
                context = copy_context()
            tick = pace.ticks
            try:
                result = await stage.function(place.value)
            except (KeyboardInterrupt, SystemExit) as end:
                stage.end_call(place, place.weight)
                stage.counters.failed += place.weight
                run.crash(end)
                raise
            except BaseException as error:
                has_suspended = tick != pace.ticks
                if leaves_nothing(run, context) and tries_again(
                    stage, place, error, attempt, has_suspended=has_suspended
                ):
                    attempt += 1
                    continue
                attempts = Attempts(stage, place, error=error, count=attempt)
                break
            kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
            is_plain = kind is stage.plain or id(kind) in stage.plains
            if not is_plain and stage.takes_steps(result, place.weight):
                attempts = Attempts(stage, place, result=result, count=attempt)
                break
            following = _done(stage, place, result, is_plain, tick != pace.ticks)
            if following is None:
                return
            result, attempt = None, 1  # it may be large
            stage, place = following
        else:
            stage.take_back(place)
            return
        await go_on(stage, place, attempts)
    except BaseException as error:  # of an observer, or a function called downstream
        stage.run.break_off(error)
        return
    attempts.raise_end()


def _done(
    stage: Caller, place: Place, result: Any, is_plain: bool, has_suspended: bool
) -> Following | None:
    """Pass on the result of a call, and return the call that its task is to go on with."""
    run = stage.run
    if stage.reporter is not None:
        stage.reporter.call_gave(place, result)
    task: Any = place.task or asyncio.current_task()
    try:  # has the function left anything behind, in the task or in its context?
        goes_on = copy_context() == run.context and not task.cancelling()
    except Exception:  # of a value that does not like to be compared
        goes_on = False
    if run.compared_by_identity and goes_on:
        goes_on = all(variable.get() is value for variable, value in run.compared_by_identity)
    if not run.draining:
        now, pace = run.clock(), run.pace
        if has_suspended and pace.end < now + MOST:
            # The loop has woken it: what that costs is not its work.
            pace.end += CREDIT if is_plain else CREDIT * _size(result)
        if now > pace.end and pace.is_late():
            goes_on = False
            run.turns_only = True  # what the result leads to waits for a turn, too
    if not is_plain or place.state != WAITING:
        stage.end_call(place, place.weight)
        run.relay.task = task = task if goes_on else None
        stage.settle(place, result)
        return run.relay.next_call(stage, task, has_suspended, False)
    place.task = None  # as `settle` does, in line for speed
    place.value = result
    counters = stage.counters
    counters.running -= 1
    counters.ones += 1
    if not goes_on:
        stage.free_slot()
        task = None
    run.relay.task = task
    stage.out.on_next(place)
    return run.relay.next_call(stage, task, has_suspended, goes_on)


def _size(result: Any) -> int:
    """Tell how many outputs there may be."""
    return len(cast("list[Any]", result)) if type(result) is list else 1
