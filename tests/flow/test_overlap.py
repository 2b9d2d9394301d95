"""Which stages work at the same time? F6 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from conveyor_rx import BaseTask, Pipeline, SingleTask
from conveyor_rx.testing import source, timed_task, timeline
from tests.flow.work import Meter, limited
from tests.kit import in_both_modes, now


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 1024])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_sequential_stages_overlap(kind: str, window: int, mode: str) -> None:
    """F6: three stages of limit 1, five calls of 1 s each: the last comes at 7 s, not at 15."""
    meters = [Meter() for _ in range(3)]
    size = 2 if kind == "batch" else 1
    stages = [limited(kind, 1, meter, timed_task(lambda item: 1.0)) for meter in meters]
    pipeline = Pipeline().add(*stages).with_context(max_in_flight=window, execution_mode=mode)
    got = await timeline(pipeline(range(5 * size)))
    assert got == [(3 + n // size, n) for n in range(5 * size)]
    assert [meter.most for meter in meters] == [1, 1, 1]


@in_both_modes
async def test_the_slowest_sequential_stage_sets_the_pace(mode: str) -> None:
    """F6: stages of 1, 2 and 1 s: the first result at 4 s, then one every 2 s."""
    stages = [
        SingleTask(timed_task(lambda item, s=seconds: s), concurrency_limit=1)
        for seconds in (1.0, 2.0, 1.0)
    ]
    pipeline = Pipeline().add(*stages).with_execution_mode(mode)
    assert await timeline(pipeline(range(4))) == [(4, 0), (6, 1), (8, 2), (10, 3)]


@in_both_modes
async def test_source_stages_and_consumer_overlap(mode: str) -> None:
    """F6: a source, a sequential stage and a consumer of 1 s each: one item a second."""
    task = SingleTask(timed_task(lambda item: 1.0), concurrency_limit=1).with_execution_mode(mode)
    instants: list[float] = []
    async for _ in task(source("-1-2-3-4-5|", tick=0.5)):
        instants.append(now())
        await asyncio.sleep(1)
    assert instants == [1.5, 2.5, 3.5, 4.5, 5.5]


@in_both_modes
async def test_a_source_goes_on_as_soon_as_the_window_has_room(mode: str) -> None:
    """F6: a full window opens, and a source that takes a second for an item is asked then."""

    async def numbers() -> AsyncIterator[int]:
        for item in range(10):
            yield item
            await asyncio.sleep(1 if item > 2 else 0)

    task = SingleTask(timed_task(lambda item: 1.0), concurrency_limit=1)
    stream = task.with_context(max_in_flight=3, execution_mode=mode)(numbers())
    begin = now()
    assert await stream.collect() == list(range(10))
    assert now() - begin == 10


@in_both_modes
async def test_own_stages_overlap(mode: str) -> None:
    """F6: users' own stages, which work on one item at a time, overlap as well."""

    class SlowOwn(BaseTask[int, int]):
        async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in items:
                await asyncio.sleep(1)
                yield item

    pipeline = Pipeline().add(SlowOwn(), SlowOwn(), SlowOwn()).with_execution_mode(mode)
    assert await timeline(pipeline(range(5))) == [(3 + n, n) for n in range(5)]


@in_both_modes
@pytest.mark.filterwarnings("ignore:task 'call' has concurrency_limit=2")
@pytest.mark.parametrize("limit", [None, 1, 2])
async def test_what_is_nearest_to_the_consumer_is_done_first(limit: int | None, mode: str) -> None:
    """F6: a later stage does not wait until an earlier one has done all that it could."""
    calls: list[str] = []

    def stage(name: str, copies: int) -> SingleTask[int, int]:
        def call(item: int) -> list[int]:
            calls.append(name)
            return [item] * copies

        return SingleTask(call, concurrency_limit=limit)

    pipeline = stage("a", 3) | stage("b", 2) | stage("c", 1)
    assert len(await pipeline.with_execution_mode(mode)(range(2)).collect()) == 12
    assert "".join(calls) == "abccbccbcc" * 2
