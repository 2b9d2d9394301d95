"""Which result comes next? One line alone, with places that a test fills and a room behind it."""

from __future__ import annotations

import asyncio

from tests.engine.parts import Room, enter, new_line, new_run
from tests.kit import Boom


async def test_results_leave_in_the_order_of_their_places() -> None:
    """O1: what is filled early waits for those before it."""
    run, room = new_run(), Room()
    line = new_line(run, room)
    first, second, third = enter(line, 1, 2, 3)
    line.on_next(third)
    line.on_next(second)
    run.drain()
    assert room.got == []
    line.on_next(first)
    run.drain()
    assert room.got == [1, 2, 3]
    assert (line.size, [*line.places()]) == (0, [])


async def test_outputs_are_put_in_front_of_their_owner() -> None:
    """O1, V2: the outputs of one input stand where it stood, in their order."""
    run, room = new_run(), Room()
    line = new_line(run, room)
    owner, behind = enter(line, 1, 2)
    outputs = [line.insert(value, owner, None) for value in (10, 11)]
    line.on_next(behind)
    for place in outputs[::-1]:
        line.on_next(place)
    line.give_up(owner)
    run.drain()
    assert room.got == [10, 11, 2]


async def test_a_failure_lets_through_what_stands_before_it_and_nothing_behind() -> None:
    """E1: it keeps its place, also if what is before it comes later."""
    run, room = new_run(), Room()
    line = new_line(run, room)
    first, second, third = enter(line, 1, 2, 3)
    line.on_next(third)
    line.fail(second, error := Boom())
    run.drain()
    assert third.dead
    assert room.got == []
    line.on_next(first)
    run.drain()
    assert room.got == [1, error]


async def test_the_end_comes_behind_all_that_has_entered() -> None:
    """L1: the end is told once, when the line is empty."""
    run, room = new_run(), Room()
    line = new_line(run, room)
    (only,) = enter(line, 1)
    line.end(None)
    run.drain()
    assert room.got == []
    line.on_next(only)
    run.drain()
    run.wake(line)
    assert room.got == [1, "|"]


async def test_a_line_waits_for_room_behind_it() -> None:
    """F2: with the gate behind it shut it keeps what is filled."""
    run, room = new_run(), Room(limit=1)
    line = new_line(run, room)
    for place in enter(line, 1, 2):
        line.on_next(place)
    run.drain()
    assert room.got == [1]
    room.limit = 2
    run.wake(line)
    assert room.got == [1, 2]


async def test_a_line_that_was_full_wakes_what_is_upstream() -> None:
    """F2: the window is a gate: the first place that gets free opens it."""
    run, room = new_run(max_in_flight=2), Room()
    line = new_line(run, room)
    line.upstream_bit = 1 << 10
    first, second = enter(line, 1, 2)
    assert line.size == line.limit
    line.give_up(second)
    assert run.ready & line.upstream_bit
    run.ready = 0
    line.give_up(first)
    assert not run.ready & line.upstream_bit
    run.ready = 0


async def test_only_the_head_may_go_beyond_the_window() -> None:
    """F2, V2: the head always has room for an output, the others wait for it."""
    run, room = new_run(max_in_flight=2), Room()
    line = new_line(run, room)
    head, other = enter(line, 1, 2)
    assert line.has_room(head)
    assert not line.has_room(other)
    waiting = asyncio.ensure_future(line.room(other))
    await asyncio.sleep(1)
    assert not waiting.done()
    line.give_up(head)
    await asyncio.sleep(0)
    assert waiting.done()
    await waiting
    run.ready = 0
