"""What comes before a failure where results come as they complete? E1 of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

from conveyor_rx import SingleTask, batch_task
from tests.errors.failing import Slow, timed_ending
from tests.kit import in_both_modes


async def test_as_completed_delivers_what_had_completed_and_cancels_the_rest() -> None:
    """E1: completed before the failure and not yet taken: delivered; running: cancelled at once."""
    work = Slow({n: n for n in range(40)} | {41: 0.5, 42: 100}, cleanup=2)
    work.fails[39] = boom = ValueError("boom")
    stream = SingleTask(work).as_completed([41, 42, *range(40), 42])
    assert await anext(stream) == 0
    await asyncio.sleep(200)
    assert work.ended[-2:] == [(41, 42), (41, 42)]
    got, (at, error) = await timed_ending(stream)
    assert error is boom
    assert got == [(200, n) for n in [41, *range(1, 39)]]  # more than the output buffer holds
    assert at == 200


async def test_as_completed_failure_in_the_first_stage_cancels_calls_of_the_last() -> None:
    """E1: what has not come out of the last stage has not completed."""
    first, last = Slow({0: 0, 1: 0, 2: 3}), Slow({0: 1, 1: 50})
    first.fails[2] = boom = ValueError("boom")
    got, (at, error) = await timed_ending(
        (SingleTask(first) | SingleTask(last)).as_completed(range(3))
    )
    assert got == [(1, 0)]
    assert (at, error) == (3, boom)
    assert last.ended == [(1, 0), (3, 1)]


async def test_as_completed_failure_while_results_wait_for_the_next_stage() -> None:
    """E1: what waits for room in a sequential stage has not completed either: no call follows."""
    first, last = Slow({0: 0, 1: 0, 2: 0, 3: 3}), Slow({0: 50})
    first.fails[3] = boom = ValueError("boom")
    pipeline = SingleTask(first) | SingleTask(last, concurrency_limit=1)
    stream = pipeline.with_context(max_in_flight=2).as_completed(range(9))
    got, (at, error) = await timed_ending(stream)
    assert first.ended[:3] == [(0, 0), (0, 1), (0, 2)]
    assert got == []
    assert (at, error) == (3, boom)
    assert last.ended == [(3, 0)]
    assert [stage.cancelled for stage in stream.stats] == [0, 2]


@in_both_modes
async def test_as_completed_failure_across_a_batch(mode: Any) -> None:
    """E1: a failure upstream of a running batch: ordered lets it end, as completed cancels it."""
    first = Slow({0: 0, 1: 0, 2: 3})
    first.fails[2] = boom = ValueError("boom")
    batches = Slow({2: 10})

    @batch_task(max_size=2)
    async def work(batch: list[int]) -> list[int]:
        await batches(len(batch))
        return batch

    stream = (SingleTask(first) | work).with_execution_mode(mode)(range(3))
    got, (at, error) = await timed_ending(stream)
    assert error is boom
    assert (got, at) == (([(10, 0), (10, 1)], 10) if mode == "ordered" else ([], 3))
