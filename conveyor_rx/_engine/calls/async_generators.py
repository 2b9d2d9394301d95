"""How is an async generator called? In a task, which goes on with the next call of its stage.

The first attempt is here; what follows a failure is in `attempts.py`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from types import AsyncGeneratorType
from typing import Any, cast

from ..place import DEAD, Place
from ..run import UNBOUNDED
from .again import leaves_nothing
from .attempts import Attempts
from .attempts_in_tasks import begin, begins, go_on
from .caller import Caller, Launch
from .in_tasks import start_now
from .parking import room

__all__ = ["AsyncGenerators"]


class AsyncGenerators(Launch):
    """The calls of one async generator function."""

    __slots__ = ()

    def start(self, stage: Caller, place: Place) -> None:
        if sys.version_info < (3, 12):  # a task begins at the loop's next turn
            begin(stage, place, _generate(stage, place))
            return
        stage.begin_call(place)
        start_now(stage, place, _generate(stage, place))


async def _generate(stage: Caller, place: Place) -> None:
    """Make the first attempt at a call, and what follows; and then at others that wait."""
    try:
        pace = stage.run.pace
        while True:
            if not begins(stage, place):
                return
            tick = pace.ticks
            attempts = await _put_out_all(stage, place)
            if attempts is not None:
                break
            following = _completed(stage, place, has_suspended=tick != pace.ticks)
            if following is None:
                return
            place = following
        await go_on(stage, place, attempts)
    except BaseException as error:
        stage.run.break_off(error)
        return
    attempts.raise_end()


def _completed(stage: Caller, place: Place, *, has_suspended: bool) -> Place | None:
    """End a call that has put out all; return the place for which its task makes the next one."""
    run, relay, task = stage.run, stage.run.relay, asyncio.current_task()
    stage.completed(place)
    if _goes_on(stage, has_suspended=has_suspended) and stage.take_slot():
        following = stage.queue.popleft()
        stage.counters.running += following.weight
        following.task = task
        if relay.making is not None:
            relay.making = following
        if run.ready > stage.stock and not run.draining:
            run.schedule()
        return following
    if run.ready:
        run.drain()
    return None


def _goes_on(stage: Caller, *, has_suspended: bool) -> bool:
    """Tell whether the current task may make the next call of the stage, as `relay.py` says."""
    run = stage.run
    if sys.version_info < (3, 12) or not stage.queue or stage.resuming or run.cap != UNBOUNDED:
        return False
    if run.paused or not stage.has_turn(has_suspended) or not leaves_nothing(run, run.context):
        return False
    return run.has_time(is_woken=has_suspended)


async def _put_out_all(stage: Caller, place: Place) -> Attempts | None:
    """Call the function, and pass on its outputs; give the attempts to go on with, if any."""
    run, line, delivered = stage.run, stage.line, False
    pace = run.pace
    try:
        if pace.is_late():
            await pace.turn()
        if run.paused:
            await run.wait_for_pause()
        result = stage.function(place.value)
        if type(result) is not AsyncGeneratorType:
            return Attempts(stage, place, result=result)
        values = cast("AsyncGenerator[Any]", result)
        try:
            async for value in values:
                if not line.has_room(place):
                    await room(stage, place, place.weight)
                if place.state != DEAD:
                    delivered = True
                    _put_out(stage, place, value)
                    if pace.is_late():
                        await pace.turn()
                if place.state == DEAD:
                    raise asyncio.CancelledError
        except BaseException:
            await _stop(values)
            raise
    except BaseException as error:
        return Attempts(stage, place, error=error, delivered=delivered)
    return None


async def _stop(values: AsyncGenerator[Any]) -> None:
    """Close an async generator whose outputs are not wanted any more."""
    await values.aclose()


def _put_out(stage: Caller, place: Place, value: Any) -> None:
    """Pass on an output in the task of its call, which is at work for the engine meanwhile."""
    run, task = stage.run, place.task
    run.emitting.add(task)
    try:
        if value is not None and stage.leaves(place, value):
            before, run.turns_only = run.turns_only, True  # as `emit` does
            try:
                stage.let_out(place, value)
            except BaseException as error:  # no failure of the call
                run.crash(error)
                raise
            run.turns_only = before
        else:
            stage.emit(place, value, place.inputs)
        if run.ready:
            run.drain()
    finally:
        run.emitting.discard(task)
