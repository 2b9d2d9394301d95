"""Which call may begin now? The admission of one task alone, with calls that only are noted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from conveyor_rx._engine.calls.admission import Admission
from conveyor_rx._engine.calls.caller import Caller, Launch
from conveyor_rx._engine.counters import Counters
from conveyor_rx._engine.place import Place
from conveyor_rx._engine.run import Run
from tests.engine.parts import Room, enter, new_line, new_run


class Noted(Launch):
    """Makes no call: only notes that it began."""

    def __init__(self) -> None:
        self.begun: list[Any] = []

    def start(self, stage: Caller, place: Place) -> None:
        stage.begin_call(place)
        self.begun.append(place.value)


class Begun(Admission):
    """Notes the calls that begin; `end` ends one."""

    def __init__(self, run: Run, limit: int | None) -> None:
        line = new_line(run, Room())
        call: Any = SimpleNamespace(function=None, prepare=None, is_generator=False, elsewhere=None)
        launch = Noted()
        super().__init__(run, line, call, limit, Counters("task"), True, launch)
        run.enroll(self)
        self.begun = launch.begun

    def end(self) -> None:
        self.free_slot()
        self.run.drain()

    def arrive(self, *values: Any) -> list[Place]:
        places = enter(self.line, *values)
        for place in places:
            self.on_next(place)
        return places


async def test_as_many_calls_begin_as_there_are_slots() -> None:
    """F3: the others wait, and begin in the order of arrival as calls end."""
    run = new_run()
    task = Begun(run, 2)
    task.arrive("a", "b", "c", "d")
    run.drain()
    assert task.begun == ["a", "b"]
    task.end()
    assert task.begun == ["a", "b", "c"]
    task.end()
    assert task.begun == ["a", "b", "c", "d"]


async def test_without_a_limit_each_call_begins_at_once() -> None:
    """F3: only the window bounds them."""
    task = Begun(new_run(), None)
    task.arrive(*range(100))
    assert task.begun == [*range(100)]


async def test_a_new_arrival_does_not_overtake_one_that_waits() -> None:
    """O4: also if a slot is free by then."""
    run = new_run()
    task = Begun(run, 1)
    task.arrive("a", "b")
    task._running -= 1  # free, and nobody has had a turn yet
    run.running -= 1
    task.arrive("c")
    assert task.begun == ["a"]
    run.drain()
    assert task.begun == ["a", "b"]


async def test_the_cap_counts_the_calls_of_all_tasks() -> None:
    """F4: who finds no slot is woken when a call of another task ends."""
    run = new_run(max_parallelism=2)
    first, second = Begun(run, None), Begun(run, None)
    first.arrive("a")
    second.arrive("x", "y")
    run.drain()
    assert (first.begun, second.begun) == (["a"], ["x"])
    first.end()
    assert second.begun == ["x", "y"]


async def test_what_is_dead_is_let_go_and_counted() -> None:
    """E9: items that wait behind a failure are cancelled, not lost."""
    run = new_run()
    task = Begun(run, 1)
    _, _, third = task.arrive("a", "b", "c")
    task.line._kill_from(third)
    task.purge()
    assert task.counters.cancelled == 1
    task.end()
    assert task.begun == ["a", "b"]
    task.end()
    assert task.begun == ["a", "b"]
