"""Do Dask and Ray make the calls of a task? As `executor=`, with a state in each, and kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from conveyor_rx import BatchTask, RetryConfig, SingleTask, WorkerLostError, Workers

from . import work
from .clusters import Place

pytestmark = pytest.mark.real_time("workers are processes")


async def test_items_and_batches(place: Place) -> None:
    """X3: results in order, of items and of batches, from workers that are the caller's."""
    with place.executor() as executor:
        double = SingleTask(work.double, executor=executor)
        add_up = BatchTask(sum, max_size=10, executor=executor)
        sums = await (double | add_up)(range(200)).collect()
    assert sums == [2 * sum(range(n, n + 10)) for n in range(0, 200, 10)]


async def test_a_state_in_each_worker(place: Place) -> None:
    """X7: `setup` is called once in each, and its result is the second argument."""
    with place.executor() as executor:
        workers = Workers(executor, setup=work.make_state)
        tell = SingleTask(work.tell_state, executor=workers)
        states = await tell(range(60)).collect()
    assert 1 <= len(set(states)) <= 2


async def test_a_failure_of_a_call(place: Place) -> None:
    """E1: at its place, with its type, and a note of the task and the item."""
    with place.executor() as executor:
        stream = SingleTask(work.fail_at_three, executor=executor)(range(10))
        assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="three") as caught:
            await anext(stream)
    assert "in task 'fail_at_three', input 3, attempt 1" in caught.value.__notes__


async def test_a_worker_is_killed_in_the_middle(place: Place, tmp_path: Path) -> None:
    """X6: with attempts enough all results are there, in order, each once."""
    with place.executor() as executor:
        task = SingleTask(
            work.slow,
            executor=executor,
            retry_config=RetryConfig(3, base_delay=0, retry_on=WorkerLostError),
        ).with_inputs(tmp_path)
        stream = task(range(300))
        results = [await anext(stream) for _ in range(20)]
        place.kill(max(work.processes(tmp_path)))
        results += await stream.collect()
    assert results == list(range(300))
