"""What if a run leaves while a side input loads? S1 of the contract."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream
from conveyor_rx.testing import CleanCheck, assert_clean
from tests.kit import Boom
from tests.side_inputs.loads import INPUTS, Load, cancelled_after, inputs, repeatable, tasks
from tests.side_inputs.tasks import add

# -- (b) runs that leave while it loads


@tasks
@inputs
async def test_a_run_cancelled_while_it_loads_leaves_the_input_to_the_next(
    kind: str, task: Any
) -> None:
    """S1: the value is had by later runs, whatever has become of the first."""
    load = Load()
    bound = task.with_inputs(INPUTS[kind](load))
    await cancelled_after(0.5, bound([1]))
    assert await bound([1, 2]).collect() == [11, 12]
    assert await bound([3]).collect() == [13]
    assert load.started == load.ended
    assert load.started == {"coroutine": 1, "factory": 3}.get(kind, 2)


@inputs
@pytest.mark.parametrize("way", ["closed", "disposed"])
async def test_a_run_closed_while_it_loads_leaves_the_input_to_the_next(
    kind: str, way: str
) -> None:
    """S1, L2: with `aclose` and `dispose`, too."""
    bound = add.with_inputs(INPUTS[kind](Load()))
    stream = bound([1])
    if way == "closed":
        reader = asyncio.ensure_future(stream.collect())
        await asyncio.sleep(0.5)
        await stream.aclose()
        assert await reader == []
    else:
        subscription = stream.subscribe()
        await asyncio.sleep(0.5)
        subscription.dispose()
    assert await bound([1]).collect() == [11]


async def test_a_coroutine_goes_on_when_nobody_waits() -> None:
    """S1: it can be awaited only once, so what it gives is there for later runs."""
    load = Load()
    bound = add.with_inputs(load())
    await cancelled_after(0.5, bound([1]))
    assert (load.started, load.ended) == (1, 0)
    await asyncio.sleep(1)
    assert (load.started, load.ended) == (1, 1)
    assert await bound([1]).collect() == [11]
    assert asyncio.get_running_loop().time() == 1.5


@repeatable
async def test_what_can_be_had_again_ends_with_the_last_that_waits(kind: str) -> None:
    """L2, L5: it is cancelled, and has ended when the run has given control back."""
    load = Load()
    bound = add.with_inputs(INPUTS[kind](load))
    await cancelled_after(0.5, bound([1]))
    assert (load.started, load.ended) == (1, 1)
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_that_can_be_read_once_goes_on_when_nobody_waits() -> None:
    """S1: as a coroutine does; the next run gets its first item."""

    async def numbers() -> AsyncIterator[int]:
        await asyncio.sleep(1)
        yield 10

    bound = add.with_inputs(AsyncStream(numbers()))
    await cancelled_after(0.5, bound([1]))
    assert await bound([1]).collect() == [11]


async def test_a_loading_for_nobody_ends_with_its_task_object() -> None:
    """L5: when no run can come any more, it is cancelled."""
    load = Load()
    await cancelled_after(0.5, add.with_inputs(load())([1]))
    for _ in range(3):
        await asyncio.sleep(0)
    assert (load.started, load.ended) == (1, 1)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("first", [0, 1])
@inputs
async def test_one_of_two_runs_leaves(kind: str, first: int) -> None:
    """S1: the other one goes on waiting and gets the value."""
    bound = add.with_inputs(INPUTS[kind](Load()))
    streams = [bound([1]), bound([2])]
    other = asyncio.ensure_future(streams[1 - first].collect())
    await cancelled_after(0.5, streams[first])
    assert await other == [12 - first]


async def test_cleanup_of_a_cancelled_factory_is_awaited_though_cancelled_again() -> None:
    """L2: however often the one that waits is cancelled."""
    ended: list[float] = []

    async def load() -> int:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(1)
            ended.append(asyncio.get_running_loop().time())
        return 1

    stream = add.with_inputs(load)([1])
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(0.5)
    for _ in range(3):
        reader.cancel()
        await asyncio.sleep(0.1)
    await asyncio.wait({reader})
    assert ended == [1.5]


# -- garbage


@inputs
@pytest.mark.parametrize("failing", [0, 1])
async def test_a_run_leaves_nothing_behind_in_its_task(kind: str, failing: int) -> None:
    """L9: items and results are free, the cyclic collector off, though the task object stays."""

    class Item:
        def __add__(self, other: int) -> int:
            return other

    bound = add.with_inputs(INPUTS[kind](Load(failing=failing)))
    gc.disable()
    try:
        item = Item()
        trace = weakref.ref(item)
        stream: AsyncStream[int] = bound([item])  # type: ignore[list-item]
        del item
        if failing:
            with pytest.raises(Boom):
                await stream.collect()
        else:
            await stream.collect()
        del stream
        await asyncio.sleep(0)
        assert trace() is None
    finally:
        gc.enable()


def test_unused_inputs_leave_no_warning() -> None:
    """L5: nothing was awaited, nothing is said."""
    with assert_clean(), CleanCheck()._freeze():
        for make in INPUTS.values():
            add.with_inputs(make(Load()))
