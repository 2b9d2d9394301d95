"""Calls that workers make give what calls on the event loop give."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from conveyor_rx import (
    BatchTask,
    Pipeline,
    PipelineContext,
    SingleTask,
    Workers,
    batch_task,
    single_task,
)
from tests.executors import functions as f
from tests.executors.kit import in_real_time
from tests.kit import in_both_modes

pytestmark = in_real_time
KINDS = ("threads", "processes", "chunks", "a thread pool", "a process pool", "forkserver")


@pytest.fixture(scope="module", params=KINDS)
def executor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Workers of each kind, which have been started before the first test."""
    workers: Any = {
        "threads": lambda: Workers("threads", 2),
        "processes": lambda: Workers("processes", 2),
        "chunks": lambda: Workers("processes", 2, chunk=3),
        "a thread pool": lambda: ThreadPoolExecutor(2),
        "a process pool": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
        "forkserver": lambda: ProcessPoolExecutor(2, mp_context=get_context("forkserver")),
    }[request.param]()
    with workers:
        task = SingleTask(f.obey, executor=workers)
        asyncio.run(task([0.05] * 4).collect())
        yield workers


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (f.double, {}),
        (f.up_to, {}),
        (f.nothing_of_odd_ones, {}),
        (f.double, {"concurrency_limit": 1}),
        (f.double, {"key": f.nothing_of_odd_ones}),
        (f.double, {"timeout": 30.0}),
    ],
)
async def test_single_tasks(executor: Any, function: Any, options: Any) -> None:
    """X1, O1: plain functions and generators give in workers what they give on the loop."""
    task = SingleTask(function, executor=executor, **options)
    expected = await SingleTask(function)(range(20)).collect()
    assert await task(range(20)).collect() == expected


@in_both_modes
async def test_batch_tasks(executor: Any, mode: Any) -> None:
    """X1, B1: a batch goes to one worker; its outputs stand for it."""
    task = BatchTask(f.all_doubled, max_size=4, executor=executor)
    got = await task.with_execution_mode(mode)(range(10)).collect()
    assert sorted(got) == [2 * number for number in range(10)]
    if mode == "ordered":
        assert got == sorted(got)


async def test_side_inputs(executor: Any) -> None:
    """X1, S1: side inputs go along; those that are still to come are waited for."""

    async def more() -> int:
        return 1000

    task = SingleTask(f.plus, executor=executor)
    bound = task.with_inputs(more(), times=10)
    assert await bound(range(5)).collect() == [1000, 1010, 1020, 1030, 1040]


async def test_pipeline(executor: Any) -> None:
    """O1: stages in workers and stages on the loop, in a row; results in input order."""

    @single_task
    async def on_the_loop(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    @batch_task(max_size=3)
    async def add_up(numbers: list[int]) -> list[int]:
        return numbers

    task = SingleTask(f.double, executor=executor)
    pipeline = on_the_loop | task | add_up | task
    assert await pipeline(range(30)).collect() == [4 * (number + 1) for number in range(30)]


async def test_calls_run_elsewhere(executor: Any) -> None:
    """X1: calls run in no thread of the loop; in processes, not in this one."""
    places = await SingleTask(f.where, executor=executor)(range(8)).collect()
    is_here = isinstance(executor, ThreadPoolExecutor) or "threads" in repr(executor)
    assert all((pid == os.getpid()) == is_here for pid, _ in places)
    assert all(thread != "MainThread" for _, thread in places) or not is_here


async def test_context_variables(executor: Any) -> None:
    """X8: threads see the context of the run, and its data; processes don't."""
    is_here = isinstance(executor, ThreadPoolExecutor) or "threads" in repr(executor)
    pipeline = Pipeline[Any, Any](PipelineContext(data={"word": "hello"}))
    has = pipeline.add(SingleTask(f.has_context, executor=executor))
    assert await has([1]).collect() == [is_here]
    if is_here:
        data = pipeline.add(SingleTask(f.data_of_run, executor=executor))
        assert await data([1, 2]).collect() == ["hello", "hello"]


async def test_decorated_functions_and_methods() -> None:
    """X2: a decorated function and a method that is a task are found by their names."""
    pipeline = f.decorated | f.Adder(5).add
    assert await pipeline([1, 2]).collect() == [106, 107]


async def test_a_named_executor_lives_for_the_run() -> None:
    """X3: the processes of a name are there for one run, and are gone at its end."""
    stream = SingleTask(f.where, executor=Workers("processes", 1))([1, 2])
    ((first, _), (second, _)) = await stream.collect()
    assert first == second
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


async def test_workers_in_a_block_live_for_many_runs() -> None:
    """X3: within `with` the same processes make the calls of all runs; they are gone behind it."""
    with Workers("processes", 1) as workers:
        task = SingleTask(f.where, executor=workers)
        found = {pid for _ in range(3) for pid, _ in await task([1, 2]).collect()}
        assert len(found) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(found.pop(), 0)
    with pytest.raises(ProcessLookupError):  # a run behind the block has workers of its own
        os.kill((await task([1]).collect())[0][0], 0)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
async def test_a_given_executor_is_not_shut_down(kind: Any) -> None:
    """X3: an executor that is the user's is there after the run, and can be used again."""
    options = {"mp_context": get_context("spawn")} if kind is ProcessPoolExecutor else {}
    pool: Executor
    with kind(1, **options) as pool:
        task = SingleTask(f.double, executor=pool)
        for _ in range(2):
            assert await task([1, 2]).collect() == [2, 4]
        assert pool.submit(f.double, 4).result() == 8


@pytest.mark.parametrize("kind", ["threads", "processes"])
async def test_setup_is_called_once_in_each_worker(kind: Any) -> None:
    """X7: what `setup` gives is the second argument; it is called once in each worker."""
    with Workers(kind, 2, setup=f.load) as workers:
        task = SingleTask(f.count, executor=workers)
        got = [*await task(range(10)).collect(), *await task(range(10)).collect()]
    calls: dict[tuple[int, int], list[int]] = {}
    for pid, thread, number in got:
        calls.setdefault((pid, thread), []).append(number)
    assert 1 <= len(calls) <= 2
    for numbers in calls.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("chunk", [1, 4])
async def test_setup_and_side_inputs(chunk: int) -> None:
    """X7: side inputs stand behind what `setup` gives; also in an executor that is given."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        workers = Workers(pool, setup=f.forty, chunk=chunk)
        task = SingleTask(f.add_state, executor=workers)
        assert await task(range(3)).collect() == [40, 41, 42]
        assert await task.with_inputs(100)(range(3)).collect() == [140, 141, 142]


async def test_limits_bound_the_calls() -> None:
    """X4, F3: no more calls are sent than the task has slots."""
    with ThreadPoolExecutor(4) as pool:
        seen: list[int] = []
        task = SingleTask(f.obey, executor=pool, concurrency_limit=3)
        stream = task([0.01] * 20)
        async for _ in stream:
            stats = stream.stats[0]
            seen.append(stats.running + stats.waiting_for_worker)
    assert max(seen) <= 3


async def test_chunks_go_together() -> None:
    """X5: calls that wait go to a worker in one submission, as many as `chunk` says."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        sizes: list[int] = []
        submit = pool.submit

        def counting(function: Any, /, *args: Any) -> Any:
            sizes.append(len(args[3]))
            return submit(function, *args)

        pool.submit = counting  # type: ignore[method-assign]
        task = SingleTask(f.double, executor=Workers(pool, chunk=5))
        assert await task(range(23)).collect() == [2 * number for number in range(23)]
    assert max(sizes) == 5
    assert sum(sizes) == 23
