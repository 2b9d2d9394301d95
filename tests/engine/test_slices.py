"""How long may runs work before the loop has its turn? The pace of a loop alone."""

from __future__ import annotations

import asyncio

from conveyor_rx._engine.turns.pace import SLICE, pace_of
from tests.engine.parts import Clock


async def test_the_first_who_finds_a_slice_used_up_has_another_one() -> None:
    """F7: the loop is asked for its turn then; the second one has to wait for it."""
    clock = Clock()
    pace = pace_of(asyncio.get_running_loop())
    assert not pace.is_late()
    clock.time += SLICE / 2
    assert not pace.is_late()
    clock.time += SLICE
    assert pace.is_late()
    await asyncio.sleep(0)
    assert not pace.is_late()
    await asyncio.sleep(1)


async def test_runs_that_wait_are_resumed_in_their_order() -> None:
    """F7: the runs of one loop share its slices, first come, first served."""
    clock = Clock()
    pace = pace_of(asyncio.get_running_loop())
    resumed: list[str] = []

    class Scheduled:
        def __init__(self, name: str) -> None:
            self.name = name

        def resume(self) -> None:
            resumed.append(self.name)
            clock.time += 2 * SLICE

    assert not pace.defers(Scheduled("has time"))
    clock.time += 2 * SLICE
    assert [pace.defers(Scheduled(name)) for name in "abc"] == [True, True, True]
    seen: list[list[str]] = []
    for _ in range(4):
        await asyncio.sleep(0)
        seen.append([*resumed])
    assert resumed == ["a", "b", "c"]
    assert ["a"] in seen  # one slice each, and between two the loop has its turn
    await asyncio.sleep(1)


async def test_a_task_waits_for_time_behind_those_before_it() -> None:
    """F7: tasks go on in their order, and where each uses up a slice the loop has turns between."""
    clock = Clock()
    pace = pace_of(asyncio.get_running_loop())
    went_on: list[int] = []

    async def work(number: int) -> None:
        await pace.turn()
        went_on.append(number)
        clock.time += 2 * SLICE

    assert not pace.is_late()
    clock.time += 2 * SLICE
    assert pace.is_late()
    tasks = [asyncio.ensure_future(work(number)) for number in (1, 2, 3)]
    seen: list[int] = []
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        seen.append(len(went_on))
    assert went_on == [1, 2, 3]
    assert {1, 2} <= {*seen}
    await asyncio.sleep(1)


async def test_a_loop_has_one_pace() -> None:
    """F7: all runs of a loop have the same."""
    loop = asyncio.get_running_loop()
    assert pace_of(loop) is pace_of(loop)
