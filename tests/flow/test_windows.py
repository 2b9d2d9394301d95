"""How far is pulled ahead, and when does pulling stop? F2 of the contract."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import BaseTask, Pipeline, SingleTask, batch_task
from conveyor_rx.testing import timed_task, timeline
from tests.flow.work import OUTPUT_BUFFER, Endless, function, of_each_kind, take
from tests.kit import Own, in_both_modes


@in_both_modes
@pytest.mark.parametrize("kind_of_source", ["plain", "asynchronous"])
@pytest.mark.parametrize("window", [1, 2, 3, 16, 1024])
@of_each_kind
async def test_pulling_stops_when_the_consumer_is_parked(
    kind: str, window: int, kind_of_source: str, mode: str
) -> None:
    """F2: of an infinite source one window and the output buffer are pulled ahead, not one more."""
    endless = Endless()
    pipeline = SingleTask(function(kind)).with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.open(kind_of_source)) as stream:
        taken = len(await take(stream, 10))
        await asyncio.sleep(1000)
        assert endless.pulled == taken + OUTPUT_BUFFER + window
        assert await take(stream, 5) == [11, 12, 13, 14, 15]
        await asyncio.sleep(1000)
        assert endless.pulled == taken + 5 + OUTPUT_BUFFER + window


@in_both_modes
@pytest.mark.parametrize("kind_of_source", ["plain", "asynchronous"])
@of_each_kind
async def test_the_bound_holds_for_who_breaks_and_reads_on(
    kind: str, kind_of_source: str, mode: str
) -> None:
    """F2, L4: breaks and new loops over one stream pull no more than a parked consumer does."""
    endless = Endless()
    pipeline = SingleTask(function(kind)).with_context(max_in_flight=3, execution_mode=mode)
    async with pipeline(endless.open(kind_of_source)) as stream:
        for taken in range(1, 10):
            async for value in stream:
                assert value == taken
                await asyncio.sleep(100)
                break
            await asyncio.sleep(100)
            assert endless.pulled == taken + OUTPUT_BUFFER + 3


async def test_the_default_window_is_1024() -> None:
    """F2: without a setting, 1,024 items are in flight in a segment."""
    endless = Endless()
    async with SingleTask(function("async"))(endless.plain()) as stream:
        assert await anext(stream) == 1
        await asyncio.sleep(1)
        assert endless.pulled == 1 + OUTPUT_BUFFER + 1024


SEGMENTS: dict[str, list[Any]] = {  # each stage opens a segment of its own
    "sequential": [SingleTask(function("async"), concurrency_limit=1) for _ in range(4)],
    "generators": [SingleTask(function("generator")) for _ in range(4)],
    "async generators": [SingleTask(function("async generator")) for _ in range(4)],
    "batches of one": [batch_task(max_size=1)(list) for _ in range(4)],
    "behind rx": [
        SingleTask(function("async")),
        ops.map(lambda n: n),
        SingleTask(function("def")),
        ops.filter(lambda n: True),
        SingleTask(function("list")),
    ],
}
ONE_SEGMENT = [SingleTask(function(kind)) for kind in ("async", "def", "list", "lazy", "eager")]


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 20])
@pytest.mark.parametrize("name", SEGMENTS)
async def test_the_windows_of_several_segments_add_up(name: str, window: int, mode: str) -> None:
    """F2: pulled items stay within the sum of the windows and the output buffer."""
    endless = Endless()
    stages = SEGMENTS[name]
    count = sum(isinstance(stage, BaseTask) for stage in stages)
    pipeline = Pipeline().add(*stages).with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        assert await take(stream, 10) == list(range(1, 11))
        await asyncio.sleep(1000)
        assert endless.pulled == 10 + OUTPUT_BUFFER + count * window


@in_both_modes
async def test_stages_of_one_segment_share_its_window(mode: str) -> None:
    """F2: parallel tasks in a row are one segment: five of them have one window."""
    endless = Endless()
    pipeline = Pipeline().add(*ONE_SEGMENT).with_context(max_in_flight=7, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        await take(stream, 10)
        await asyncio.sleep(1000)
        assert endless.pulled == 10 + OUTPUT_BUFFER + 7


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 20])
async def test_an_own_stage_takes_what_it_asks_for(window: int, mode: str) -> None:
    """F2: a user's stage between two tasks holds what it works on, and at most the next."""
    endless = Endless()
    pipeline = SingleTask(function("async")) | Own() | SingleTask(function("async"))
    pipeline = pipeline.with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        await take(stream, 10)
        await asyncio.sleep(1000)
        ahead = endless.pulled - 10 - OUTPUT_BUFFER - 2 * window
        assert ahead in (0, 1, 2)


@in_both_modes
@pytest.mark.parametrize("size", [2, 3, 10])
@pytest.mark.parametrize("window", [1, 4, 20])
async def test_pulling_stops_while_a_batch_runs(window: int, size: int, mode: str) -> None:
    """F2: the items of batches that run or wait fill the window; the last may stand out of it."""
    endless = Endless()
    forever = batch_task(max_size=size)(timed_task(lambda batch: 1e6))
    pipeline = forever.with_context(max_in_flight=window, execution_mode=mode)
    stream = pipeline(endless.plain())
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(1000)
    batches = -(-window // size)  # open while fewer than `window` items stand in it
    assert endless.pulled == batches * size
    reader.cancel()
    await asyncio.wait({reader})


@in_both_modes
@pytest.mark.parametrize("window", [1, 4, 20])
async def test_pulling_stops_behind_batches_when_the_consumer_is_parked(
    window: int, mode: str
) -> None:
    """F2: outputs of batches fill buffer and window as outputs, open batches hold their items."""
    endless = Endless()
    pipeline = batch_task(max_size=3)(sum).with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        assert await take(stream, 2) == [6, 15]
        await asyncio.sleep(1000)
        pulled = endless.pulled
        assert pulled <= 3 * (2 + OUTPUT_BUFFER + window) + 2 * (3 - 1)
        await asyncio.sleep(1000)
        assert endless.pulled == pulled
        assert await take(stream, 100) == [9 * n - 3 for n in range(3, 103)]


@in_both_modes
async def test_fan_out_fills_the_window_with_outputs(mode: str) -> None:
    """F2: ten outputs an item leave less room for items: far fewer are pulled than places are."""
    endless = Endless()
    ten = SingleTask[int, int](lambda item: [item] * 10)
    async with ten.with_context(max_in_flight=20, execution_mode=mode)(endless.plain()) as stream:
        assert await take(stream, 10) == [1] * 10
        await asyncio.sleep(1000)
        # 36 places for outputs behind the first ten; the last list may stand out of the window
        assert endless.pulled <= 1 + (OUTPUT_BUFFER + 20) // 10 + 1


@pytest.mark.parametrize("window", [1, 2, 3, 16])
async def test_a_slow_head_holds_exactly_a_window(window: int) -> None:
    """F2: in ordered mode one slow item lets the source go on to the end of the window."""
    endless = Endless()
    work = timed_task(lambda item: 1000.0 if item == 1 else 0.5)
    async with SingleTask(work).with_context(max_in_flight=window)(endless.plain()) as stream:
        reader = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(999)
        assert endless.pulled == len(work.calls) == window
        assert await reader == 1


@pytest.mark.parametrize("settled", [None, "skip"])
async def test_what_is_dropped_makes_room(settled: str | None) -> None:
    """F2: a window of 2 whose head is slow goes on past any number of items that are settled."""
    work = timed_task(lambda item: 1000.0 if item == 1 else 0.5)

    async def drop(item: int) -> int | None:
        await work(item)
        if item > 1 and settled == "skip":
            raise ValueError
        return item if item == 1 else None

    task = SingleTask(drop, on_error="skip_item").with_context(max_in_flight=2)
    assert await timeline(task(range(1, 101))) == [(1000, 1)]
    assert work.calls[-1].started == 49.0  # 98 calls of 0.5 s before it, one at a time


@in_both_modes
async def test_a_slow_consumer_never_has_more_in_flight(mode: str) -> None:
    """F2: the bound holds at each instant, not only when all has come to rest."""
    endless = Endless()
    work = timed_task(lambda item: random.Random(item).random() * 5)
    pipeline = SingleTask(work) | SingleTask(function("async"), concurrency_limit=1)
    pipeline = pipeline.with_context(max_in_flight=4, execution_mode=mode)
    got = 0
    async with pipeline(endless.asynchronous()) as stream:
        async for _ in stream:
            got += 1
            for _ in range(3):
                assert endless.pulled - got <= OUTPUT_BUFFER + 4 + 4
                await asyncio.sleep(0.3)
            if got == 100:
                break


async def test_without_a_window_nothing_is_held_back() -> None:
    """F2: `max_in_flight=None` is no bound: 5,000 calls run beside a slow head."""
    work = timed_task(lambda item: 10.0 if item == 0 else 1.0)
    task = SingleTask(work)
    got = await timeline(task.with_context(max_in_flight=None)(range(5000)))
    assert got == [(10, n) for n in range(5000)]
    assert work.most_running == 5000
    work.most_running = 0
    assert (await timeline(task(range(5000))))[-1][0] > 10
    assert work.most_running == 1024


@in_both_modes
async def test_as_many_as_are_taken_are_pulled_from_an_infinite_source(mode: str) -> None:
    """F2: `take` behind a pipeline ends the run, and no more than the bound was pulled."""
    endless = Endless()
    pipeline = SingleTask(function("async")) | SingleTask(function("generator"))
    stream = pipeline.with_context(max_in_flight=3, execution_mode=mode)(endless.plain())
    assert await stream.take(10).collect() == list(range(1, 11))
    assert endless.pulled <= 10 + OUTPUT_BUFFER + 3 + 3
