"""What does `run` promise of a pipeline on many shards? On executors that are everywhere."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import WorkerLostError, Workers, collect, single_task
from conveyor_rx.distributed import run
from conveyor_rx.workers import RemoteError

from . import work
from .waiting import until

pytestmark = pytest.mark.real_time("workers are threads and processes")

if not hasattr(os, "fork"):
    pytest.skip("no processes here", allow_module_level=True)

SHARDS = [list(range(n, n + 10)) for n in range(0, 100, 10)]


def warm(on: Any) -> Any:
    """Have all workers start, so that no test leaves their threads behind."""
    collect(run(work.napping, [[0.05]] * 6, on=on))
    return on


@pytest.fixture(scope="module", params=["threads", "processes", "an executor of processes"])
def on(request: pytest.FixtureRequest) -> Iterator[Workers[Any] | Executor]:
    if request.param == "an executor of processes":
        with ProcessPoolExecutor(2, get_context("spawn")) as executor:
            yield warm(executor)
    else:
        with Workers(request.param, 2) as workers:
            yield warm(workers)


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers[Any]]:
    with Workers("processes", 2) as workers:
        yield warm(workers)


async def test_the_results_of_all_shards(on: Any) -> None:
    """S5: in the order of the shards, whatever the pipeline does with each."""
    stream = run(work.doubled | work.in_threes, SHARDS, on=on)
    assert await stream.collect() == [2 * n for n in range(100)]
    assert [stage.in_ for stage in stream.stats] == [10, 10]


async def test_as_they_complete(tmp_path: Path) -> None:
    """S5: those of a shard that is done don't wait for others."""
    folder = str(tmp_path)
    with ThreadPoolExecutor(2) as threads:
        shards = [[(folder, 1)], [(folder, 2)]]
        first = {1: work.logged_and_waiting, 2: work.logged}

        @single_task
        async def either(given: tuple[str, int]) -> int:
            return (await first[given[1]]([given]).collect())[0]

        async with run(either, shards, on=threads).as_completed() as stream:
            assert await anext(stream) == 2
            (tmp_path / "go").touch()
            assert await anext(stream) == 2  # 1, doubled


async def test_a_failure_of_the_pipeline(on: Any) -> None:
    """S6, E1: raised behind the results before it, and not tried again."""
    stream = run(work.fail_at_seven, [[1, 2], [3, 7, 4], [5]], on=on)
    assert [await anext(stream) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ValueError, match="seven") as caught:
        await anext(stream)
    assert "in task 'results', input 1, attempt 1" in caught.value.__notes__
    assert "in task 'fail_at_seven', input 1, attempt 1" in str(caught.value.__cause__)


async def test_a_failure_that_can_not_be_sent(on: Any) -> None:
    """S6: its text is, as of any call that workers make."""
    with pytest.raises(RemoteError, match="locked"):
        await run(work.fail_with_a_lock, [[1]], on=on).collect()


async def test_dead_workers_are_no_failure(tmp_path: Path) -> None:
    """S6: their shards run again elsewhere, and the results of each enter once."""
    shards = [[(str(tmp_path), number)] for number in range(40)]
    on = Workers("processes", 2)
    assert await run(work.deadly_once, shards, on=on).collect() == list(range(40))
    begun = work.begun(tmp_path)
    assert {n: begun.count(n) for n in range(40)} == {n: 2 - (n % 10 > 0) for n in range(40)}


async def test_attempts(tmp_path: Path) -> None:
    """S6: a shard that ends each worker is sent so many times; then it fails, and says which."""
    shards = [[(str(tmp_path), 0)]]
    with pytest.raises(WorkerLostError) as caught:
        await run(work.deadly, shards, on=Workers("processes", 2), attempts=2).collect()
    assert "in task 'shard of deadly', input 0, attempt 2" in caught.value.__notes__
    assert work.begun(tmp_path) == [0, 0]


class Counted(ThreadPoolExecutor):
    """It counts the calls that were submitted and have not ended."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.lock = threading.Lock()
        self.now = self.most = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        future = super().submit(*args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        with self.lock:
            self.now -= 1


@pytest.mark.parametrize(("in_flight", "most"), [(None, 4), (1, 1), (7, 7)])
async def test_no_more_are_sent_or_pulled(in_flight: int | None, most: int) -> None:
    """S5: at most `in_flight` shards; by default twice the workers."""
    pulled = given = 0

    def shards() -> Iterator[list[int]]:
        nonlocal pulled
        for n in range(200):
            pulled += 1
            yield [n]

    with Counted(2) as executor:
        async for _ in run(work.doubled, shards(), on=executor, in_flight=in_flight):
            given += 1
            assert pulled <= given + most + 17  # and the results that wait
            await asyncio.sleep(0)
    assert given == 200
    assert executor.most <= most


async def test_equal_shards_are_each_run(on: Any, tmp_path: Path) -> None:
    """S6: nothing is merged."""
    shards = [[(str(tmp_path), 3)]] * 5
    assert await run(work.logged, shards, on=on).collect() == [3] * 5
    assert work.begun(tmp_path) == [3] * 5


async def test_close_in_the_middle(tmp_path: Path) -> None:
    """S6: what has not begun never does."""
    shards = [[(str(tmp_path), number)] for number in range(100)]
    with ThreadPoolExecutor(2) as threads:
        stream = run(work.logged_and_waiting, shards, on=threads)
        reading = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(until, lambda: len(work.begun(tmp_path)) == 2)
        reading.cancel()
        for _ in range(5):  # turns of the loop: it closes before a call may end
            await asyncio.sleep(0)
        (tmp_path / "go").touch()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert sorted(work.begun(tmp_path)) == [0, 1]


async def test_the_context_of_the_pipeline_goes_with_it(on: Any) -> None:
    """S5: its data and its settings."""
    pipeline = work.read_context.with_context(word="Hello")
    assert await run(pipeline, [[1], [2]], on=on).collect() == ["Hello"] * 2


async def test_what_can_not_travel(processes: Any) -> None:
    """X2: it is said before a shard is sent, with the reason."""
    pipeline = work.beside.with_inputs(threading.Lock())
    with pytest.raises(TypeError, match=r"'shard of beside' can't be sent.*lock"):
        await run(pipeline, [[1]], on=processes).collect()


def test_bad_arguments() -> None:
    """The error names the argument, before anything runs."""
    cases: list[tuple[str, dict[str, Any]]] = [
        ("pipeline must be", {"pipeline": abs}),
        ("on must be", {"on": None}),
        ("on=.* can't have a setup", {"on": Workers("threads", setup=work.make_state)}),
        ("in_flight must be", {"in_flight": 0}),
        ("attempts must be", {"attempts": 0}),
        ("attempts must be", {"attempts": None}),
    ]
    given: dict[str, Any] = {"pipeline": work.doubled, "shards": [[1]], "on": "threads"}
    for text, changed in cases:
        with pytest.raises((TypeError, ValueError), match=text):
            run(**(given | changed))


def test_until_is_told(tmp_path: Path) -> None:
    """The helper of these tests gives up in the end."""
    with pytest.raises(AssertionError):
        until(lambda: False, seconds=0.01)
