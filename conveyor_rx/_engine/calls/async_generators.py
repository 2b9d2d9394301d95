"""How is an async generator called? In a task of its own, for all that it gives.

Its first attempt is here; what follows a failure is in `attempts.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import AsyncGeneratorType
from typing import Any, cast

from ..place import DEAD, Place
from .attempts import Attempts
from .attempts_in_tasks import begin, begins, go_on
from .caller import Caller, Launch
from .parking import room

__all__ = ["AsyncGenerators"]


class AsyncGenerators(Launch):
    """The calls of one async generator function."""

    __slots__ = ()

    def start(self, stage: Caller, place: Place) -> None:
        begin(stage, place, _generate(stage, place))


async def _generate(stage: Caller, place: Place) -> None:
    """Make the first attempt at a call, and what follows."""
    try:
        run = stage.run
        if not begins(stage, place):
            return
        attempts = await _put_out_all(stage, place)
        if attempts is None:
            stage.completed(place)
            if run.ready:
                run.drain()
            return
        await go_on(stage, place, attempts)
    except BaseException as error:
        stage.run.break_off(error)
        return
    attempts.raise_end()


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
