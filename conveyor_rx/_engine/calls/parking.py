"""How does a call wait without its slot? For room in the line, its next attempt, or a permit.

Meanwhile it does not count for `max_parallelism`, else the calls that would make room could not
start. A call of a generator task that waits for room keeps the slot of its stage: those start in
order, so the head always holds one. A plain function that happens to return a generator gives its
slot back, as the head may be waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from ..place import Place
from .caller import Caller, Part

if TYPE_CHECKING:
    from ..._functions.timeouts import Deadline

__all__ = ["permitted", "rests", "room"]


async def room(stage: Caller, place: Place, size: int) -> None:
    """Wait, with `size` items, until `place` may put another output in the line."""
    counters = stage.counters
    counters.running -= size
    counters.waiting_for_room += size
    try:
        while not stage.line.has_room(place):  # again, if it was taken while a slot was waited for
            await _parked(stage, place, partial(stage.line.room, place))
    finally:
        counters.waiting_for_room -= size
        counters.running += size


async def rests(
    stage: Caller, part: Part, seconds: float, size: int, deadline: Deadline | None
) -> bool:
    """Wait for the next attempt, with `size` items; tell whether it can begin before a deadline."""
    place = part.place
    if deadline is None:
        await _back_off(stage, place, seconds, size)
        return True
    if deadline.left <= seconds:
        return False
    try:
        async with asyncio.timeout(deadline.left):
            await _back_off(stage, place, seconds, size)
            await stage.run.wait_for_pause()
            await permitted(stage, part)
    except TimeoutError:
        return False
    return True


async def _back_off(stage: Caller, place: Place, seconds: float, size: int) -> None:
    """Wait before the next attempt for `size` items: so long, and then for a slot.

    Where calls are sequential, or must start in order, the call keeps its slot.
    """
    if stage.is_sequential:
        await asyncio.sleep(seconds)
        return
    counters = stage.counters
    counters.running -= size
    try:
        await _parked(stage, place, partial(_rest, stage, seconds, size))
    finally:
        counters.running += size


async def _rest(stage: Caller, seconds: float, size: int) -> None:
    """Sleep; what follows is to wait for a slot."""
    stage.counters.waiting_for_retry += size
    try:
        await asyncio.sleep(seconds)
    finally:
        stage.counters.waiting_for_retry -= size


async def permitted(stage: Caller, part: Part) -> None:
    """Wait, without a slot, until an attempt for `part` may start under the limits of the task."""
    place, permits = part.place, stage.permits
    if permits is None or permits.has(place):
        return
    again = permits.ask_again(place, part.item, keeps_slot=stage.is_sequential)
    if again is None:
        return
    counters = stage.counters
    counters.running -= part.size
    if permits.reason == "rate":
        counters.waiting_for_rate += part.size
    if not again.keeps_slot:
        stage.parks()
    try:
        _drain_for(stage, place)
        if place.dead:
            raise asyncio.CancelledError
        await again.granted
    finally:
        counters.running += part.size
        if permits.reason == "rate":
            counters.waiting_for_rate -= part.size
        if not again.granted.done() or again.granted.cancelled():
            permits.give_up(again)
            if not again.keeps_slot:
                stage.unparks()


async def _parked(stage: Caller, place: Place, event: Callable[[], Awaitable[None]]) -> None:
    """Wait for what `event` gives, and then for a slot."""
    run = stage.run
    stage.parks()
    granted = False
    try:
        if run.ready:
            _drain_for(stage, place)
        if place.dead:  # by what was done in between
            raise asyncio.CancelledError
        await event()
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
