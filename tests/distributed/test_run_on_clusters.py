"""What does `run` promise on clusters? The same, on Dask and on Ray, of two workers each."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import WorkerLostError, single_task
from conveyor_rx.distributed import run

from . import work
from .clusters import Place
from .waiting import until

pytestmark = pytest.mark.real_time("workers are processes")


def shards(folder: Path, number: int) -> list[list[tuple[str, int]]]:
    return [[(str(folder), n)] for n in range(number)]


async def test_many_shards(place: Place) -> None:
    """S5: all results, in order."""
    given = [range(n, n + 50) for n in range(0, 10_000, 50)]
    stream = run(work.doubled | work.in_threes, given, on=place.on)
    assert await stream.collect() == [2 * n for n in range(10_000)]


async def test_a_worker_is_killed_in_the_middle(place: Place, tmp_path: Path) -> None:
    """S6: its shards run again elsewhere; the results of each enter once, in order."""
    stream = run(work.logged_and_slow, shards(tmp_path, 200), on=place.on)
    results = [await anext(stream) for _ in range(20)]
    place.kill(max(work.processes(tmp_path)))
    results += await stream.collect()
    assert results == list(range(200))
    assert 200 <= len(work.begun(tmp_path)) <= 204


async def test_no_more_are_sent_than_in_flight(place: Place, tmp_path: Path) -> None:
    """S5: while the first ones go on, no other is pulled; and the client holds no more results."""
    pulled = 0

    def large() -> Iterator[list[int]]:
        nonlocal pulled
        for n in range(200):
            pulled += 1
            yield [n]

    tracemalloc.start()
    try:
        given = 0
        async for result in run(work.large_result, large(), on=place.on, in_flight=4):
            assert len(result) == 100_000
            given += 1
            assert pulled <= given + 21  # and 17 results that wait
        assert given == 200
        assert tracemalloc.get_traced_memory()[1] < 60 * 100_000
    finally:
        tracemalloc.stop()


async def test_a_failure_of_the_pipeline(place: Place) -> None:
    """S6, E1: raised behind the results before it, and not tried again."""
    stream = run(work.fail_at_seven, [[1, 2], [3, 7, 4], [5]], on=place.on)
    assert [await anext(stream) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="seven") as caught:
        await anext(stream)
    assert "in task 'fail_at_seven', input 1, attempt 1" in str(caught.value.__cause__)


async def test_equal_shards_are_each_run(place: Place, tmp_path: Path) -> None:
    """S6: nothing is merged."""
    assert await run(work.logged, [[(str(tmp_path), 3)]] * 5, on=place.on).collect() == [3] * 5
    assert work.begun(tmp_path) == [3] * 5


async def test_close_in_the_middle(place: Place, tmp_path: Path) -> None:
    """S6: what has not begun never does."""
    async with run(work.logged_and_waiting, shards(tmp_path, 100), on=place.on) as stream:
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(until, lambda: len(work.begun(tmp_path)) == 2)
        reading.cancel()
        for _ in range(5):  # turns of the loop: it closes before a call may end
            await asyncio.sleep(0)
        (tmp_path / "go").touch()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert await run(work.doubled, [[1]], on=place.on).collect() == [2]  # behind what was left
    assert len(work.begun(tmp_path)) <= 4


async def test_a_pipeline_of_closures(place: Place) -> None:
    """X2: cloudpickle takes its code along."""
    factor = 3
    triple = single_task(lambda number: number * factor)
    assert await run(triple, [[1], [2]], on=place.on).collect() == [3, 6]


async def test_a_shard_that_ends_each_worker(place: Place, cluster: Any, tmp_path: Path) -> None:
    """S6: it fails after so many attempts, each of which Dask begins four times by itself."""
    keeping = asyncio.ensure_future(keep_two(cluster))
    with pytest.raises(WorkerLostError) as caught:
        await run(work.deadly, shards(tmp_path, 1), on=place.on, attempts=2).collect()
    keeping.cancel()
    assert "in task 'shard of deadly', input 0, attempt 2" in caught.value.__notes__
    assert len(work.begun(tmp_path)) == (8 if place.starts_again else 2)


async def keep_two(cluster: Any) -> None:
    while hasattr(cluster, "start_worker"):
        if cluster.count() < 2:
            cluster.start_worker()
        await asyncio.sleep(0.01)
