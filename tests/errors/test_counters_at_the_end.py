"""Do the numbers of a run balance, however it ends? `stream.stats` (E9 of the contract)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import SingleTask, batch_task
from conveyor_rx.testing import timed_task
from tests.errors.counted import balances, fail_at, is_at_rest, of, of_each_kind, stage_of
from tests.kit import in_both_modes


async def ticks() -> AsyncIterator[int]:
    """Give an item every 10 ms, for ever: a reader that waits for the end lets time pass."""
    for n in itertools.count():
        await asyncio.sleep(0.01)
        yield n


@in_both_modes
@of_each_kind
async def test_after_a_failure(kind: str, mode: str) -> None:
    """E1, E9: the failed call is counted as failed, what was let go as cancelled, in each stage."""
    pipeline = (
        SingleTask(timed_task(lambda item: item % 4 / 10))
        | stage_of(kind, fail_at(5))
        | SingleTask(timed_task(lambda item: item % 3))
        | batch_task(max_size=4)(timed_task(lambda batch: 0.1))
    )
    stream = pipeline.with_context(max_in_flight=12, execution_mode=mode)(itertools.count())
    with pytest.raises(ValueError, match="5"):
        await stream.collect()
    stats = stream.stats
    assert all(is_at_rest(each) for each in stats)
    assert [each.failed for each in stats] == [0, 2 if kind == "batch" else 1, 0, 0]
    assert stats[0].cancelled + stats[0].completed == stats[0].in_
    for one, following in itertools.pairwise(stats):
        assert following.in_ <= one.out
    await asyncio.sleep(10)
    assert stream.stats == stats


async def test_a_failure_to_the_last_number() -> None:
    """E1, E9: ten calls at once, the fourth fails: three through, one failed, six cancelled."""
    stream = stage_of("async", fail_at(3))(range(10))
    with pytest.raises(ValueError, match="3"):
        await stream.collect()
    assert of(stream) == [{"in_": 10, "out": 3, "completed": 3, "failed": 1, "cancelled": 6}]


async def test_a_failing_batch_to_the_last_number() -> None:
    """E1, E9: a failing batch fails all its items; those of the open batch behind are cancelled."""
    work = SingleTask(timed_task(lambda item: 0.0 if item < 8 else 9.0))

    async def fail(batch: list[int]) -> int:
        await asyncio.sleep(1)
        return fail_at([3, 4, 5])(batch) and len(batch)

    task = batch_task(max_size=3)(fail)
    stream = (work | task)(range(10))
    with pytest.raises(ValueError, match="3, 4, 5"):
        await stream.collect()
    assert of(stream) == [
        {"in_": 10, "out": 8, "completed": 8, "cancelled": 2},
        {"in_": 8, "out": 1, "completed": 3, "failed": 3, "cancelled": 2},
    ]


@in_both_modes
@of_each_kind
async def test_after_a_failure_of_the_source(kind: str, mode: str) -> None:
    """E7, E9: all that was pulled is worked off and counted."""

    def data() -> Iterator[int]:
        yield from range(5)
        raise ValueError("source")

    stream = stage_of(kind).with_execution_mode(mode)(data())
    with pytest.raises(ValueError, match="source"):
        await stream.collect()
    assert of(stream) == [{"in_": 5, "out": 5, "completed": 5}]


async def test_after_a_failure_of_a_side_input() -> None:
    """S4, E9: the first item fails for it, the others are cancelled; nothing waits for ever."""

    async def fail() -> int:
        await asyncio.sleep(1)
        raise ValueError("side")

    task = SingleTask[Any, Any](lambda item, side: item).with_inputs(fail())
    stream = task(range(5))
    with pytest.raises(ValueError, match="side"):
        await stream.collect()
    assert of(stream) == [{"in_": 5, "failed": 1, "cancelled": 4}]


@in_both_modes
@pytest.mark.parametrize("at", [0, 0.25, 0.5, 0.75, 1.25])
@of_each_kind
async def test_after_aclose(kind: str, at: float, mode: str) -> None:
    """L2, E9: what runs or waits when the run is closed is cancelled, and counted as such."""
    pipeline = stage_of(kind, concurrency_limit=2) | SingleTask(timed_task(lambda item: 0.6))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(itertools.count())
    reader = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(at)
    before = stream.stats
    await stream.aclose()
    await asyncio.wait({reader})
    reader.exception()
    for earlier, stats in zip(before, stream.stats, strict=True):
        assert is_at_rest(stats)
        assert stats.cancelled == earlier.cancelled + earlier.running + earlier.waiting
        assert (stats.in_, stats.out, stats.completed) == (
            earlier.in_,
            earlier.out,
            earlier.completed,
        )
    await asyncio.sleep(10)
    assert all(is_at_rest(stats) for stats in stream.stats)


async def test_after_closing_before_the_first_demand() -> None:
    """L3, E9: a run that never was has counted nothing."""
    stream = stage_of("async")(range(5))
    await stream.aclose()
    assert await anext(stream, None) is None
    assert of(stream) == [{}]


@in_both_modes
@of_each_kind
async def test_after_a_break(kind: str, mode: str) -> None:
    """L4, E9: after a break the numbers balance and stand still; after closing nothing is left."""
    pipeline = stage_of(kind) | SingleTask(timed_task(lambda item: item % 5 / 10))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(itertools.count())
    async for _ in stream:
        break
    await asyncio.sleep(100)
    rested = stream.stats
    assert all(balances(stats) for stats in rested)
    await asyncio.sleep(100)
    assert stream.stats == rested
    await stream.aclose()
    for earlier, stats in zip(rested, stream.stats, strict=True):
        assert is_at_rest(stats)
        assert stats.cancelled == earlier.cancelled + earlier.running + earlier.waiting


@in_both_modes
@of_each_kind
async def test_after_reading_on(kind: str, mode: str) -> None:
    """L4, E9: a break loses no item: who reads on gets the others, and all are counted once."""
    pipeline = stage_of(kind) | SingleTask(timed_task(lambda item: item % 5 / 10))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(range(50))
    got = []
    async for value in stream:
        got.append(value)
        break
    await asyncio.sleep(100)
    got += await stream.collect()
    assert sorted(got) == list(range(50))
    assert of(stream) == [{"in_": 50, "out": 50, "completed": 50}] * 2


@in_both_modes
@of_each_kind
async def test_after_take(kind: str, mode: str) -> None:
    """E9: when `take` is satisfied, what had been started beyond it is cancelled and counted."""
    pipeline = stage_of(kind) | SingleTask(timed_task(lambda item: item % 5 / 10))
    stream = pipeline.with_context(max_in_flight=8, execution_mode=mode)(itertools.count())
    taken = stream.take(3)
    assert len(await taken.collect()) == 3
    for stats in taken.stats:
        assert is_at_rest(stats)
        assert stats.completed >= 3
    assert taken.stats[1].out >= 3


@in_both_modes
@of_each_kind
async def test_after_a_cancelled_consumer(kind: str, mode: str) -> None:
    """L2, L7, E9: a consumer that is cancelled leaves a run at rest."""
    stream = stage_of(kind).with_context(max_in_flight=8, execution_mode=mode)(ticks())
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(0.75)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()
    (stats,) = stream.stats
    assert is_at_rest(stats)
    assert stats.in_ == stats.completed + stats.cancelled > 0


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_after_dispose(kind: str, mode: str) -> None:
    """E9: a subscription that is disposed lets its calls go, and counts them."""
    stream = stage_of(kind).with_context(max_in_flight=8, execution_mode=mode)(range(100))
    subscription = stream.subscribe()
    await asyncio.sleep(0.75)
    subscription.dispose()
    await asyncio.sleep(1)
    (stats,) = stream.stats
    assert is_at_rest(stats)
    assert stats.in_ == stats.completed + stats.cancelled
    assert stats.cancelled > 0
