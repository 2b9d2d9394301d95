"""When is a side input had, and who shares it? Values, coroutines and futures: S1."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reactivex as rx

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import run, timed_task, timeline
from tests.kit import in_both_modes
from tests.side_inputs.tasks import Slow, add, kinds, plain_add

# -- values


@in_both_modes
@pytest.mark.parametrize("how", ["with_inputs", "keyword", "called", "called by keyword", "extra"])
async def test_value_by_every_way_of_binding(how: str, mode: Any) -> None:
    """S1/S3: a value is passed as it is, whichever way it was bound."""
    bound: Any = {
        "with_inputs": lambda: add.with_inputs(10),
        "keyword": lambda: add.with_inputs(other=10),
        "called": lambda: add(10),
        "called by keyword": lambda: add(other=10),
        "extra": lambda: add,
    }[how]()
    data = [1, 2, 3]
    chain = bound.with_execution_mode(mode)
    stream = chain(data, 10) if how == "extra" else chain(data)
    assert await stream.collect() == [11, 12, 13]


@pytest.mark.parametrize("value", [None, [1, 2], {"a": 1}, "text", rx.of(1), int, range(3)])
async def test_values_are_not_interpreted(value: Any) -> None:
    """S1: a value is passed as it is, the very object: lists, Observables and None included."""
    seen: list[Any] = []

    @single_task
    def look(x: int, other: Any) -> int:
        seen.append(other)
        return x

    assert await look.with_inputs(value)([1, 2]).collect() == [1, 2]
    assert all(each is value for each in seen)


@in_both_modes
@kinds
async def test_coroutine_is_resolved_once(task: Any, expected: list[int], mode: Any) -> None:
    """S1: a coroutine is awaited once, before the first call, for all calls."""
    slow = Slow()
    bound = task.with_inputs(slow())
    results = await bound.with_execution_mode(mode)([1, 2, 3]).collect()
    if mode == "ordered":
        assert results == expected
    else:
        assert sorted(results) == sorted(expected)
    assert (slow.started, slow.ended) == (1, 1)
    assert asyncio.get_running_loop().time() == 1


@kinds
async def test_coroutine_is_shared_by_runs(task: Any, expected: list[int]) -> None:
    """S1: and for all runs of that task object, one after the other and at once."""
    slow = Slow()
    bound = task.with_inputs(slow())
    together = await asyncio.gather(*[bound([1, 2, 3]).collect() for _ in range(3)])
    assert together == [expected] * 3
    assert await bound([1, 2, 3]).collect() == expected
    assert slow.started == 1
    assert asyncio.get_running_loop().time() == 1


async def test_coroutine_in_two_places_of_a_pipeline() -> None:
    """S1: one task object that stands twice in a pipeline shares its coroutine with itself."""
    slow = Slow()
    bound = add.with_inputs(slow())
    assert await (bound | bound)([1, 2]).collect() == [21, 22]
    assert slow.started == 1


async def test_nothing_is_resolved_before_the_run() -> None:
    """F1: binding, chaining and calling await nothing; nor does a run that is never read."""
    slow = Slow()
    stream = (plain_add.with_inputs(slow()) | plain_add.with_inputs(1))([1])
    await asyncio.sleep(5)
    assert slow.started == 0
    assert await stream.collect() == [12]


async def test_coroutine_of_a_task_that_never_runs_is_closed() -> None:
    """L5: a coroutine that no run came to need is no "never awaited" warning."""
    add.with_inputs(Slow()())


async def test_no_call_starts_before_its_input_is_there() -> None:
    """S1: it is resolved from the first item on, and no call starts before; others go on."""
    first = timed_task(lambda x: 0.25)
    second = timed_task(lambda x: 0.5)

    async def with_other(x: int, other: int) -> int:
        return other + await second(x)

    chain = single_task(first) | single_task(with_other)(Slow()())
    assert await timeline(chain([1, 2])) == [(1.75, 11), (1.75, 12)]
    assert [call.started for call in first.calls] == [0, 0]
    assert [call.started for call in second.calls] == [1.25, 1.25]


@pytest.mark.parametrize("kind", ["task", "future", "done future"])
async def test_futures_and_tasks(kind: str) -> None:
    """S1: an asyncio.Task or Future is awaited like a coroutine, and is left alone otherwise."""
    loop = asyncio.get_running_loop()
    if kind == "task":
        future: Any = asyncio.create_task(Slow()())
    else:
        future = loop.create_future()
        if kind == "done future":
            future.set_result(10)
        else:
            loop.call_later(1, future.set_result, 10)
    bound = plain_add.with_inputs(other=future)
    assert await bound([1, 2]).collect() == [11, 12]
    assert await bound([3]).collect() == [13]
    assert await future == 10


async def test_future_of_the_user_survives_a_closed_run() -> None:
    """S1: closing a run that waits for the user's own Task doesn't cancel that task."""
    slow = Slow()
    mine = asyncio.create_task(slow())
    bound = add.with_inputs(mine)
    stream = bound([1])
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.5)
    reader.cancel()
    await asyncio.wait({reader})
    await stream.aclose()
    assert await mine == 10
    assert await bound([1]).collect() == [11]


async def test_several_inputs_of_different_kinds() -> None:
    """S1: positional and keyword inputs of all kinds together, each at its place."""

    @single_task
    async def show(x: int, a: int, b: int, *, c: int, d: int = 4) -> tuple[int, ...]:
        return x, a, b, c, d

    bound = show.with_inputs(Slow(1)(), 2, c=AsyncStream([3, 99]))
    assert await bound([0]).collect() == [(0, 1, 2, 3, 4)]


# -- two loops


def test_resolved_input_on_a_second_loop() -> None:
    """S1: what one loop has resolved, runs on another loop use."""
    slow = Slow()
    bound = add.with_inputs(slow())
    assert run(lambda: bound([1]).collect()) == [11]
    assert run(lambda: bound([2]).collect()) == [12]
    assert slow.started == 1


def test_stream_made_before_any_loop_runs() -> None:
    """F1: a pipeline with side inputs can be built outside of any loop."""
    bound = add.with_inputs(AsyncStream([10]))
    assert run(lambda: bound([1]).collect()) == [11]
    assert run(lambda: bound([2]).collect()) == [12]


def test_value_on_two_loops() -> None:
    """S1: values know no loop."""
    bound = add.with_inputs(1)
    assert [run(bound([n]).collect()) for n in (1, 2)] == [[2], [3]]
