"""When is a batch cut that is not full? B3, B4 and B8 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conveyor_rx import batch_task, single_task
from tests.batches.cuts import arriving, cuts_of, taking, timers
from tests.kit import in_both_modes, now


@in_both_modes
async def test_an_idle_stage_gets_small_batches_early(mode: Any) -> None:
    """B3, B4: the clock starts with the first item, after a pause too; a lone one waits so long."""
    task = taking(0.1, max_size=10, max_wait=0.5).with_execution_mode(mode)
    assert await cuts_of(task(arriving([1.0, 1.2, 1.4, 7.0, 8.0]))) == [
        (1.5, (0, 1, 2), "wait"),
        (7.5, (3,), "wait"),
        (8.0, (4,), "flush"),
    ]


@in_both_modes
async def test_a_busy_stage_gets_full_batches(mode: Any) -> None:
    """B4: a batch that is due grows until there is a slot for it, up to its maximum."""
    task = taking(10.0, max_size=4, max_wait=0.5).with_execution_mode(mode)
    times = [1.0, 2, 3, 4, 5, 6, 7, 20]
    assert await cuts_of(task(arriving(times))) == [
        (1.5, (0,), "wait"),
        (5.0, (1, 2, 3, 4), "full"),
        (20.0, (5, 6, 7), "flush"),
    ]


@in_both_modes
async def test_a_due_batch_is_cut_when_a_call_ends(mode: Any) -> None:
    """B4: at that moment, without another item or another timer."""
    task = taking(10.0, max_size=4, max_wait=0.5).with_execution_mode(mode)
    assert await cuts_of(task(arriving([1.0, 2, 3, 30]))) == [
        (1.5, (0,), "wait"),
        (11.5, (1, 2), "wait"),
        (30.0, (3,), "flush"),
    ]


@in_both_modes
async def test_with_no_wait_a_free_slot_takes_what_is_there(mode: Any) -> None:
    """B4: `max_wait=0`."""
    task = taking(10.0, max_size=4, max_wait=0).with_execution_mode(mode)
    assert await cuts_of(task(arriving([1.0, 2, 3, 4, 30]))) == [
        (1.0, (0,), "wait"),
        (11.0, (1, 2, 3), "wait"),
        (30.0, (4,), "wait"),
    ]


@in_both_modes
async def test_a_due_batch_that_is_too_small_waits_for_more(mode: Any) -> None:
    """B8: it is cut as soon as it is large enough; at the end a smaller one is dropped (B1)."""
    task = taking(0.1, min_size=3, max_size=9, max_wait=0.5).with_execution_mode(mode)
    stream = task(arriving([1.0, 1.1, 5.0, 6.0]))
    assert await cuts_of(stream) == [(5.0, (0, 1, 2), "wait")]
    assert stream.stats[0].dropped == 1


@in_both_modes
async def test_full_at_the_moment_at_which_it_is_due(mode: Any) -> None:
    """B3: one batch, once."""
    task = taking(0.1, max_size=2, max_wait=1.0).with_execution_mode(mode)
    cuts = await cuts_of(task(arriving([1.0, 2.0, 9.0])))
    assert [inputs for _, inputs, _ in cuts] in ([(0, 1), (2,)], [(0,), (1,), (2,)])
    assert cuts[0][0] == 2.0


@in_both_modes
async def test_the_cap_on_all_calls_counts_as_no_slot(mode: Any) -> None:
    """B4, F4: a batch that is due grows while `max_parallelism` calls of other stages run."""

    @single_task(concurrency_limit=1)
    async def slow(item: int) -> int:
        await asyncio.sleep(4.0)
        return item

    pipeline = (slow | taking(0.1, max_size=9, max_wait=0.5)).with_context(
        max_parallelism=1, execution_mode=mode
    )
    cuts = await cuts_of(pipeline(range(3)))
    assert sum(len(inputs) for _, inputs, _ in cuts) == 3
    assert all(time not in (4.5, 8.6) for time, _, _ in cuts)  # a call of `slow` runs then


async def test_side_inputs_are_loaded_for_a_batch_that_is_due() -> None:
    """S2, B4: there is no slot before they are there, and no call that would end."""

    async def load() -> int:
        await asyncio.sleep(3.0)
        return 10

    @batch_task(max_size=9, max_wait=0.5)
    async def add(batch: list[int], number: int) -> list[int]:
        return [item + number for item in batch]

    stream = add.with_inputs(load())(arriving([1.0, 1.1, 60.0]))
    got: list[tuple[float, int]] = [(round(now(), 6), result) async for result in stream]
    assert got == [(4.5, 10), (4.5, 11), (60.0, 12)]


@in_both_modes
async def test_closing_with_an_open_batch_leaves_no_timer(mode: Any) -> None:
    """L2: after a failure upstream, and after `aclose`; what was open counts as cancelled."""
    task = taking(0.1, max_size=9, max_wait=5.0).with_execution_mode(mode)
    async with task(arriving([1.0, 2.0, 100.0])) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await anext(stream)
    assert stream.stats[0].cancelled == 2
    assert timers() == 0


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1", True])
def test_what_is_no_wait_is_refused(value: Any) -> None:
    """The error names the option."""
    with pytest.raises((TypeError, ValueError), match="max_wait"):
        batch_task(max_size=2, max_wait=value)


def test_a_wait_without_effect_is_refused() -> None:
    """A batch that is due has `min_size` items: if that is all it may have, it is full."""
    for options in ({}, {"min_size": 3}, {"min_size": 3, "max_size": 3}):
        with pytest.raises(ValueError, match="max_wait has no effect"):
            batch_task(max_wait=1.0, **options)


def test_it_is_shown() -> None:
    """In the text of the task, and as an attribute."""
    task = batch_task(max_size=32, max_wait=0.05)(list)
    assert task.max_wait == 0.05
    assert "32 a batch or 0.05 s" in repr(task)
    assert batch_task(max_size=32)(list).max_wait is None
