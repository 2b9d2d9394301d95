"""Is `RayExecutor` an executor as those of concurrent.futures are? On two processors."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, wait
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import WorkerLostError
from conveyor_rx.distributed import RayExecutor
from conveyor_rx.distributed._places import number_of, workers_on
from conveyor_rx.testing import assert_clean

from . import work
from .waiting import is_alive, until

pytestmark = [pytest.mark.real_time("actors are processes"), pytest.mark.usefixtures("ray")]


@pytest.fixture
def executor() -> Iterator[RayExecutor]:
    with RayExecutor(2) as executor:
        yield executor


# -- calls


def test_a_call_and_its_result(shared: RayExecutor) -> None:
    """X: `submit` takes any arguments, and the future has the result, made in another process."""
    assert shared.submit(work.everything, 1, fn=2, self=3).result() == ((1,), {"fn": 2, "self": 3})
    assert shared.submit(work.process_id).result() not in (os.getpid(), None)
    assert shared.submit(work.is_in_main_thread).result()


def test_functions_without_a_name_travel(shared: RayExecutor) -> None:
    """X2: Ray takes the code of a function along whose name says nothing."""
    outer = 5
    assert shared.submit(lambda x: x + outer, 1).result() == 6


def test_map_gives_results_in_order(executor: RayExecutor) -> None:
    """X: `map` is that of every executor."""
    assert list(executor.map(work.double, range(50))) == [2 * n for n in range(50)]


def test_references_of_rays_are_resolved(shared: RayExecutor, ray: Any) -> None:
    """X: an argument that is in Ray already is not sent once more."""
    assert shared.submit(work.double, ray.put(4)).result() == 8


def test_calls_run_at_once_one_an_actor(executor: RayExecutor, tmp_path: Path) -> None:
    """X4: as many at once as there are actors, in the order of `submit`."""
    futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(6)]
    until(lambda: len(work.begun(tmp_path)) == 2)
    time.sleep(0.2)
    assert sorted(work.begun(tmp_path)) == [0, 1]
    assert [future.running() for future in futures] == [True, True, False, False, False, False]
    (tmp_path / "go").touch()
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8, 10]
    assert len(work.processes(tmp_path)) == 2


def test_one_actor_for_one_call_after_the_other(executor: RayExecutor) -> None:
    """X7: actors live on, and what a process has loaded is there for its next call."""
    assert len({executor.submit(work.process_id).result() for _ in range(10)}) <= 2


# -- cancellation


def test_futures_can_be_cancelled_until_an_actor_has_them(
    executor: RayExecutor, tmp_path: Path
) -> None:
    """X4: cancelling drops the calls that have not begun, and no other."""
    futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(6)]
    until(lambda: len(work.begun(tmp_path)) == 2)
    assert [future.cancel() for future in futures] == [False, False, True, True, True, True]
    last = executor.submit(work.double, 7)
    (tmp_path / "go").touch()
    assert [future.result() for future in futures[:2]] == [0, 2]
    with pytest.raises(CancelledError):
        futures[2].result()
    assert last.result() == 14
    assert not wait(futures, timeout=10).not_done
    assert sorted(work.begun(tmp_path)) == [0, 1]


def test_calls_without_an_actor_can_be_cancelled(ray: Any) -> None:
    """X4, X6: nor does anything wait for an actor for which the cluster has no room."""
    with assert_clean(), RayExecutor(1, actor_options={"num_cpus": 50}) as executor:
        future = executor.submit(work.double, 1)
        time.sleep(0.1)
        assert future.cancel()
        assert not wait([future], timeout=10).not_done


def test_a_cluster_with_less_room_than_actors() -> None:
    """X6: calls run in the actors that there is room for."""
    with RayExecutor(5) as executor:
        assert list(executor.map(work.double, range(20))) == [2 * n for n in range(20)]


# -- the end


def test_shutdown_waits_and_kills_the_actors(tmp_path: Path) -> None:
    """X3: all calls are made, and then no process and no thread is left."""
    with assert_clean():
        with RayExecutor(2) as executor:
            futures = [executor.submit(work.log_and_work, tmp_path, n, 0.05) for n in range(6)]
        assert all(future.done() for future in futures)
        assert [future.result() for future in futures] == [0, 2, 4, 6, 8, 10]
    until(lambda: not any(map(is_alive, work.processes(tmp_path))))
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(work.double, 1)
    executor.shutdown()


def test_shutdown_without_waiting(tmp_path: Path) -> None:
    """X3: the calls are made all the same; the actors are killed after the last one."""
    with assert_clean():
        executor = RayExecutor(1)
        futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(3)]
        until(lambda: work.begun(tmp_path))
        executor.shutdown(wait=False)
        assert not any(future.done() for future in futures)
        (tmp_path / "go").touch()
        assert [future.result() for future in futures] == [0, 2, 4]
        (process,) = work.processes(tmp_path)
        until(lambda: not is_alive(process))


@pytest.mark.parametrize("waits", [True, False], ids=["wait", "no wait"])
def test_shutdown_that_cancels(tmp_path: Path, waits: bool) -> None:
    """X3: what an actor has is finished, the rest is cancelled."""
    with assert_clean():
        executor = RayExecutor(1)
        futures = [executor.submit(work.log_and_work, tmp_path, n, 0.3) for n in range(4)]
        until(lambda: work.begun(tmp_path))
        executor.shutdown(wait=waits, cancel_futures=True)
        assert futures[0].result() == 0
        assert [future.cancelled() for future in futures] == [False, True, True, True]


def test_shutdown_while_there_is_no_actor() -> None:
    """X3, X6: calls that no actor will ever have are cancelled, and nobody waits for one."""
    with assert_clean():
        executor = RayExecutor(2, actor_options={"num_cpus": 50})
        futures = [executor.submit(work.double, n) for n in range(4)]
        time.sleep(0.1)
        executor.shutdown(cancel_futures=True)
        assert all(future.cancelled() for future in futures)


def test_an_executor_that_is_forgotten(tmp_path: Path) -> None:
    """X3: it ends its threads, and Ray its actors."""
    with assert_clean():
        executor = RayExecutor(1)
        process = executor.submit(work.process_id).result()
        del executor
    until(lambda: not is_alive(process))


# -- options


@pytest.mark.parametrize(
    ("options", "count"), [(None, 2), ({"num_cpus": 2}, 1), ({"num_cpus": 0.5}, 4)]
)
def test_the_number_of_actors(tmp_path: Path, options: Any, count: int) -> None:
    """X: as many as the cluster has processors for, unless a number is given."""
    with RayExecutor(actor_options=options) as executor:
        futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(6)]
        until(lambda: len(work.begun(tmp_path)) == count)
        (tmp_path / "go").touch()
        wait(futures)
    assert len(work.processes(tmp_path)) == count


def test_options_of_actors(ray: Any) -> None:
    """X: `actor_options` are Ray's."""
    options = {"runtime_env": {"env_vars": {"COLOUR": "blue"}}}
    with RayExecutor(1, actor_options=options) as executor:
        assert executor.submit(os.getenv, "COLOUR").result() == "blue"


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"workers": 0}, ValueError, "workers must be at least 1"),
        ({"workers": "2"}, TypeError, "workers must be an int or None"),
        ({"actor_options": {"max_restarts": 3}}, ValueError, "actor_options can't have 'max_rest"),
        ({"actor_options": {"num_cpu": 3}}, ValueError, "num_cpu"),
    ],
)
def test_bad_options(arguments: Any, kind: type[Exception], text: str) -> None:
    """X: they are refused when the executor is made."""
    with pytest.raises(kind, match=text):
        RayExecutor(**arguments)


def test_an_error_that_says_so() -> None:
    """X6: `WorkerLostError` is one of those that executors raise."""
    assert issubclass(WorkerLostError, BrokenExecutor)


@pytest.mark.parametrize("by_name", [True, False], ids=["name", "module"])
def test_ray_as_a_place(ray: Any, by_name: bool) -> None:
    """S5: `on` may be the module or its name."""
    workers = workers_on("ray" if by_name else ray)
    assert type(workers.kind) is RayExecutor
    assert number_of(workers) == 2
