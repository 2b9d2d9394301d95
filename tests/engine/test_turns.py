"""Who has the next turn? The trampoline alone, with workers that only note their steps."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable

from conveyor_rx._engine.turns.trampoline import Trampoline
from tests.engine.parts import Clock


class Noted:
    """A worker that notes its steps, and does something in each."""

    bit = 0

    def __init__(self, name: str, steps: list[str], do: Callable[[], None] = lambda: None) -> None:
        self.name, self.steps, self.do = name, steps, do

    def step(self) -> None:
        self.steps.append(self.name)
        self.do()


class Turns(Trampoline):
    """A trampoline that keeps what no worker has claimed."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop(), contextvars.copy_context())
        self.crashes: list[BaseException] = []

    def crash(self, error: BaseException) -> None:
        self.crashes.append(error)


def three(turns: Turns) -> tuple[list[str], list[Noted]]:
    steps: list[str] = []
    workers = [Noted(name, steps) for name in ("up", "middle", "down")]
    for worker in workers:
        turns.enroll(worker)
    return steps, workers


async def test_the_most_downstream_worker_comes_first() -> None:
    """F6: of those that are ready the one nearest to the consumer has the turn, again and again."""
    turns = Turns()
    steps, (up, middle, down) = three(turns)
    up.do = lambda: setattr(turns, "ready", turns.ready | down.bit)
    turns.ready = up.bit | middle.bit
    turns.drain()
    assert steps == ["middle", "up", "down"]
    assert turns.ready == 0


async def test_a_worker_that_is_woken_in_a_turn_waits_for_its_own() -> None:
    """F8: nobody calls anybody, so the stack stays where it is."""
    turns = Turns()
    steps, (up, _, down) = three(turns)
    depths: list[int] = []

    def wake_the_other() -> None:
        depths.append(len(inspect.stack(0)))
        if len(steps) < 100:
            turns.wake(down if steps[-1] == "up" else up)

    up.do = down.do = wake_the_other
    turns.wake(up)
    assert steps == ["up", "down"] * 50
    assert len(set(depths)) == 1


async def test_turns_end_with_their_time_and_go_on_at_the_loops_next_turn() -> None:
    """F7: a worker that is always ready leaves the loop its turn."""
    clock, turns = Clock(), Turns()
    turns.clock = turns.pace.clock = lambda: clock.time
    steps, (up, *_) = three(turns)

    def work() -> None:
        clock.time += 0.0004
        if len(steps) < 10:
            turns.ready |= up.bit

    up.do = work
    turns.wake(up)
    assert 0 < len(steps) < 6
    await asyncio.sleep(1)
    assert len(steps) == 10


async def test_a_pause_starts_nothing_and_its_end_wakes_all() -> None:
    """L4: what became ready in a pause has its turn after it."""
    turns = Turns()
    steps, (up, *_) = three(turns)
    turns.pause()
    turns.wake(up)
    assert steps == []
    waiting = asyncio.ensure_future(turns.wait_for_pause())
    await asyncio.sleep(0)
    turns.go_on()
    turns.drain()
    assert steps == ["down", "middle", "up"]
    await waiting


async def test_what_a_worker_raises_is_a_crash_and_the_others_have_their_turns() -> None:
    """E9: an exception that no call has claimed is told to the run."""
    turns = Turns()
    steps, (up, _, down) = three(turns)
    down.do = lambda: 1 / 0  # type: ignore[assignment,return-value]
    turns.ready = up.bit | down.bit
    turns.drain()
    assert steps == ["down", "up"]
    assert [type(error) for error in turns.crashes] == [ZeroDivisionError]
