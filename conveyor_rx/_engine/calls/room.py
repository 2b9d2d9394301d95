"""How does a call wait until it may put another output in the line?

Meanwhile the call does not count for `max_parallelism`, else the calls that would make room could
not start. The call of a generator task keeps its slot: those start in order, so the head always
holds one. A plain function that happens to return a generator gives its slot back, as the head may
be waiting for it.
"""

from __future__ import annotations

import asyncio

from ..place import Place
from .caller import Caller

__all__ = ["room"]


async def room(stage: Caller, place: Place) -> None:
    """Wait until `place` may put another output in the line."""
    while not stage.line.has_room(place):  # again, if it was taken while a slot was waited for
        await _wait(stage, place)


async def _wait(stage: Caller, place: Place) -> None:
    run = stage.run
    stage.parks()
    if run.ready:
        _drain_for(stage, place)
    granted = False
    try:
        if place.dead:  # by what was done in between
            raise asyncio.CancelledError
        await stage.line.room(place)
        granted = stage.may_unpark()
        if not granted:
            stage.resuming.append(turn := run.loop.create_future())
            run.ready |= stage.bit
            _drain_for(stage, place)
            try:
                await turn
            finally:
                granted = turn.done() and not turn.cancelled()
    finally:
        if not granted:
            stage.unparks()


def _drain_for(stage: Caller, place: Place) -> None:
    """Drain in the task of the call for `place`, which is at work for the engine meanwhile."""
    run = stage.run
    run.emitting.add(place.task)
    try:
        run.drain()
    finally:
        run.emitting.discard(place.task)
