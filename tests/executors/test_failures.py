"""What fails in a worker is the failure of one call; what dies takes nothing else along."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import BatchTask, Failure, RetryConfig, SingleTask, WorkerLostError, Workers
from conveyor_rx._workers import crew
from conveyor_rx.workers import RemoteError
from tests.executors import functions as f
from tests.executors.kit import in_real_time
from tests.kit import Boom, drain

pytestmark = in_real_time

FAILURES = {
    "fail": Boom,
    "bad error": RemoteError,
    "frozen": f.Frozen,
    "unsendable": TypeError,
    "unreadable": TypeError,
    "await": TypeError,
    "stop": RuntimeError,
}
DEATHS = ("exit", "kill", "kill in the result")
DEAD_PATIENCE = 20.0  # seconds in which a call must have failed whose worker has died


def processes(number: int = 2, **options: Any) -> Workers[None]:
    return Workers("processes", number, **options)


@pytest.mark.parametrize("order", [*FAILURES, *DEATHS])
@pytest.mark.parametrize("chunk", [1, 3])
async def test_a_failure_stands_at_its_place(order: str, chunk: int) -> None:
    """X6, E1: results before the failing one come; the error names the task and the input."""
    got: list[Any] = []
    task = SingleTask(f.obey, executor=processes(chunk=chunk), task_name="obedient")
    async with asyncio.timeout(DEAD_PATIENCE):
        with pytest.raises(FAILURES.get(order, WorkerLostError)) as caught:
            await drain(task([1, 2, order, 4, 5]), got)
    if chunk == 1 or order in FAILURES:
        assert got == [1, 2]
    assert "in task 'obedient', input" in caught.value.__notes__[-1]


@pytest.mark.parametrize("order", [*FAILURES, *DEATHS])
async def test_others_go_on_when_it_is_skipped(order: str) -> None:
    """X6: a worker that dies, or what can't travel, is the failure of its call alone."""
    with processes() as workers:
        task = SingleTask(f.obey, executor=workers, on_error="skip_item")
        stream = task([*range(20), order, *range(20)])
        async with asyncio.timeout(DEAD_PATIENCE):
            assert await stream.collect() == [*range(20), *range(20)]
        assert stream.stats[0].skipped == 1
        assert await task([1, 2]).collect() == [1, 2]


@pytest.mark.parametrize("executor", [None, processes(1), Workers("threads", 1)])
async def test_a_stop_iteration_is_a_failure(executor: Workers[Any] | None) -> None:
    """E8: it would end the stream; so its place takes the same RuntimeError, on the loop or not."""
    task = SingleTask(f.obey, executor=executor)
    with pytest.raises(RuntimeError, match="StopIteration was raised where it would") as caught:
        await task(["stop"]).collect()
    assert type(caught.value.__cause__) is StopIteration


@pytest.mark.parametrize("order", ["fail", "kill", "unsendable", f.Unsendable()])
async def test_tracebacks_are_those_of_the_user(order: Any) -> None:
    """E2: what fails in a worker, or on the way there, shows no frame of the engine."""
    with pytest.raises(Exception, match=r".") as caught:
        await SingleTask(f.obey, executor=processes(1))([order]).collect()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[1:] == ["_collect", "collect", "_end"]  # behind the test itself


@pytest.mark.parametrize("item", [f.Unsendable(), f.Unreadable()])
@pytest.mark.parametrize("chunk", [1, 4])
async def test_items_that_cannot_travel(item: Any, chunk: int) -> None:
    """X2: an item that can't be pickled, or unpickled, is a failure of that item alone."""
    task = SingleTask(f.obey, executor=processes(1, chunk=chunk), on_error="skip_item")
    assert await task([1, item, 2, 3, item]).collect() == [1, 2, 3]


async def test_all_calls_of_a_chunk_that_had_begun_are_lost() -> None:
    """X5, X6: a worker that dies takes along what it has begun of its chunk, and no more."""
    task = SingleTask(f.obey, executor=processes(1, chunk=50), on_error="skip_item")
    stream = task([*range(30), "kill", *range(100, 130)])
    got = await stream.collect()
    assert set(range(100, 130)) <= set(got)
    assert got == sorted(got)
    assert stream.stats[0].skipped == 61 - len(got)


async def test_a_call_is_tried_again_in_another_process(tmp_path: Path) -> None:
    """X6: `retry_attempts` calls again what a worker had that died."""
    marks = [str(tmp_path / name) for name in "abcde"]
    retries = RetryConfig(3, base_delay=0.01)
    stream = SingleTask(f.fail_first, executor=processes(), retry_config=retries)(marks)
    assert await stream.collect() == list("abcde")
    assert stream.stats[0].retried == 5


async def test_batches_are_halved_in_workers() -> None:
    """X6, E5: `skip_item` halves a batch until the item stands alone that kills its worker."""
    task = BatchTask(f.obey_all, max_size=4, executor=processes(), on_error="skip_item")
    assert await task([1, 2, 3, "kill", 5, 6, 7, 8]).collect() == [1, 2, 3, 5, 6, 7, 8]


async def test_a_timeout_ends_a_process() -> None:
    """T1, X4: a call that takes too long has failed, its process is gone, others go on."""
    with processes(2) as workers:
        task = SingleTask(f.obey, executor=workers, timeout=0.3, on_error="skip_item")
        stream = task([1, 2, "hang", 3, 4, "hang", *range(10)])
        async with asyncio.timeout(DEAD_PATIENCE):
            assert await stream.collect() == [1, 2, 3, 4, *range(10)]
        assert stream.stats[0].timed_out == 2
        assert stream.stats[0].skipped == 2


@pytest.mark.parametrize("chunk", [1, 5])
async def test_a_total_timeout_ends_a_process(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """T2, X4: so does the time for all attempts; nobody waits for the process to end by itself."""
    monkeypatch.setattr(crew, "PATIENCE", 1000.0)
    with processes(1, chunk=chunk) as workers:
        plain = SingleTask(f.obey, executor=workers)
        assert await plain([1]).collect() == [1]
        retries = RetryConfig(total_timeout=0.5)
        task = SingleTask(f.obey, executor=workers, retry_config=retries, on_error="skip_item")
        stream = task(["hang"])
        async with asyncio.timeout(DEAD_PATIENCE):
            assert await stream.collect() == []
            assert await plain([*range(10)]).collect() == [*range(10)]
        assert stream.stats[0].timed_out == 1


async def test_a_timeout_counts_from_the_beginning_of_the_call() -> None:
    """T1: a call that waits for its worker is not timed."""
    task = SingleTask(f.obey, executor=processes(1), timeout=1.5)
    assert await task([0.3] * 7).collect() == [0.3] * 7


async def test_a_timeout_in_a_thread_abandons_the_result() -> None:
    """T7: the thread goes on; the run waits for it at its end."""
    task = SingleTask(f.obey, executor=Workers("threads", 2), timeout=0.5, on_error="skip_item")
    start = time.monotonic()
    assert await task([1, 1.2, 2]).collect() == [1, 2]
    assert time.monotonic() - start > 1


async def test_a_setup_that_raises_is_a_failure_of_the_call() -> None:
    """X7: the error is that of the setup."""
    task = SingleTask(f.add_state, executor=processes(1, setup=f.broken_setup))
    with pytest.raises(Boom, match="no model") as caught:
        await task([1]).collect()
    assert "in task 'add_state', input 0, attempt 1" in caught.value.__notes__


@pytest.mark.parametrize("chunk", [1, 3])
@pytest.mark.parametrize("attempts", [1, 2])
async def test_a_setup_that_ends_its_process(attempts: int, chunk: int, tmp_path: Path) -> None:
    """X6, X7: a process that dies before its first call costs that call an attempt, no other."""
    setup = partial(f.deadly_setup, str(tmp_path), deaths=2)
    letters: list[Failure] = []
    task = SingleTask(
        f.add_state,
        executor=processes(1, setup=setup, chunk=chunk),
        retry_config=RetryConfig(attempts, base_delay=0),
        on_error="skip_item",
        dead_letter=letters.append,
    )
    results = await task(range(5)).collect()
    lost = range(2 if attempts == 1 else 0)  # the second attempts stand behind the other calls
    assert [failure.item for failure in letters] == list(lost)
    assert all(type(failure.error) is WorkerLostError for failure in letters)
    assert results == [100 + number for number in range(len(lost), 5)]
    assert len(os.listdir(tmp_path)) == 3


async def test_a_broken_executor_of_the_users() -> None:
    """X6: a pool of the user's that is broken is an error that says so, at once."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        task = SingleTask(f.obey, executor=pool)
        with pytest.raises(WorkerLostError, match="executor is broken"):
            await task([1, "kill", 2]).collect()
        with pytest.raises(BrokenExecutor):
            await task([1]).collect()
