"""How many calls go at once to a process that has calls already? As many as `chunk` says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from types import SimpleNamespace
from typing import Any

import pytest

from conveyor_rx import SingleTask, Workers
from conveyor_rx._workers import performing
from conveyor_rx._workers.pool import Pool
from conveyor_rx._workers.processes import ProcessLane
from tests.executors import functions as f
from tests.executors.virtual import VirtualExecutor


class VirtualLane(ProcessLane):
    """A process whose calls take 1 ms of virtual time each; what it is sent is noted."""

    is_ready = True

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.executor = VirtualExecutor("a", seconds=lambda _: 0.001)
        self.is_own = False
        self.sizes: list[tuple[int, int]] = []  # of each batch, with how many were there then

    @property
    def has_room(self) -> bool:
        return len(self.sent) < self.room

    def send(self, order: Any, batch: Any) -> Any:
        self.sizes.append((len(self.sent) - 1, len(batch.jobs)))
        return super().send(order, batch)


async def drip(number: int) -> AsyncIterator[int]:
    for item in range(number):
        await asyncio.sleep(0.0004)
        yield item


async def test_a_process_that_has_calls_gets_whole_chunks() -> None:
    """X5: few calls wait until the process has ended what it has: meanwhile more come along."""
    lane = VirtualLane(room=2)
    workers = Workers("processes", 1, chunk=4)
    workers._pool = Pool([lane])
    results = await SingleTask(f.double, executor=workers)(drip(50)).collect()
    assert results == [2 * number for number in range(50)]
    ahead = [size for there, size in lane.sizes if there]
    assert ahead
    assert set(ahead) == {4}
    assert len(lane.sizes) < 20


async def test_calls_of_one_turn_go_together_to_all_workers() -> None:
    """X5: what comes at once is shared out among the workers, and is not sent one by one."""
    lanes = [VirtualLane(room=1), VirtualLane(room=1)]
    workers = Workers("processes", 2, chunk=4)
    workers._pool = Pool(lanes, workers=2)
    task = SingleTask(f.double, executor=workers)
    assert await task(range(8)).collect() == [2 * number for number in range(8)]
    assert [lane.sizes[0] for lane in lanes] == [(0, 1), (0, 1)]  # with the function
    assert [lane.sizes[1] for lane in lanes] == [(0, 3), (0, 3)]


class Noting(VirtualExecutor):
    """An executor of the user's with two workers, which says so; it notes what it is sent."""

    _max_workers = 2

    def __init__(self) -> None:
        super().__init__("a", "b", seconds=lambda _: 0.001)
        self.there = 0
        self.sizes: list[tuple[int, int]] = []  # of each batch, with how many were there then

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.sizes.append((self.there, len(args[-1])))
        self.there += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self.there -= 1


@pytest.mark.parametrize("limit", [16, 40])
async def test_workers_of_the_users_get_whole_chunks(limit: int) -> None:
    """X5: as long as all of an executor's workers have calls, fewer than a chunk wait."""
    executor = Noting()
    workers = Workers(executor, chunk=4)
    task = SingleTask(f.double, executor=workers, concurrency_limit=limit)
    assert await task(range(400)).collect() == [2 * number for number in range(400)]
    ahead = [size for there, size in executor.sizes if there >= 2]
    assert ahead
    assert set(ahead) == {4}
    assert len(executor.sizes) < 110


def test_workers_for_all_that_waits_are_started_at_once() -> None:
    """X3: the second process does not wait for the first one to be there."""
    made: list[VirtualLane] = []

    def make() -> VirtualLane:
        made.append(lane := VirtualLane(room=0))
        lane.is_ready = False
        return lane

    pool = Pool(make=make, workers=3)
    pool._in_thread = lambda *_: None  # type: ignore[method-assign]
    client: Any = SimpleNamespace(waiting=[1, 2], chunk=8)
    pool._clients.append(client)
    pool.feed()
    assert len(made) == 2
    client.waiting += [3, 4]
    pool.feed()
    assert len(made) == 3


class Forgetful(Executor):
    """A worker that is new for each batch, as with `max_tasks_per_child=1`."""

    submitted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        performing._known.clear()
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future


async def test_workers_that_are_always_new_get_the_function_each_time() -> None:
    """X8: side inputs are large, and sent once to each process; who has none is asked no more."""
    executor = Forgetful()
    task = SingleTask(f.with_large_input, executor=executor, concurrency_limit=2)
    assert await task.with_inputs(b"x" * 20_000)(range(200)).collect() == [*range(200)]
    assert executor.submitted < 220
