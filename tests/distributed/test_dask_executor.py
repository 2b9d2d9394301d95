"""Is a client of Dask's an executor that pipelines can use? Of a scheduler and two workers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import ROOT

from . import work
from .dask_cluster import DaskCluster, dask_cluster
from .waiting import is_alive, until

pytestmark = pytest.mark.real_time("workers are processes")


def executor_of(client: Any) -> Any:
    return client.get_executor(pure=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture
def client(cluster: DaskCluster) -> Iterator[Any]:
    while cluster.count() < 2:
        cluster.start_worker()
    with cluster.client() as client:
        yield client


def test_a_client_as_an_executor(client: Any) -> None:
    """X: calls run in the workers, and `map` gives the results in order."""
    executor = executor_of(client)
    assert list(executor.map(work.double, range(100))) == [2 * n for n in range(100)]
    assert executor.submit(work.process_id).result() != os.getpid()


def test_equal_calls_are_made_each(client: Any, tmp_path: Path) -> None:
    """S6: calls of the same function with the same arguments are different calls."""
    executor = executor_of(client)
    futures = [executor.submit(work.log, tmp_path, 7) for _ in range(5)]
    assert [future.result() for future in futures] == [7] * 5
    assert work.begun(tmp_path) == [7] * 5


def test_exceptions_of_the_function(client: Any) -> None:
    """X: they are raised as they are."""
    with pytest.raises(ValueError, match="bad") as caught:
        executor_of(client).submit(work.fail, ValueError("bad")).result()
    assert type(caught.value) is ValueError


def test_a_worker_is_killed_in_the_middle(
    cluster: DaskCluster, client: Any, tmp_path: Path
) -> None:
    """X6: Dask makes its call again elsewhere; all results are there, in order, each once."""
    executor = executor_of(client)
    futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(20)]
    until(lambda: len(work.begun(tmp_path)) == 2)
    cluster.kill(min(work.processes(tmp_path)))
    (tmp_path / "go").touch()
    assert [future.result(timeout=30) for future in futures] == [2 * n for n in range(20)]
    assert len(work.begun(tmp_path)) == 21


def test_a_call_that_kills_each_worker(cluster: DaskCluster, client: Any, tmp_path: Path) -> None:
    """X6: Dask gives up after four workers; later calls are made by those that come."""
    executor = executor_of(client)
    future = executor.submit(work.die, tmp_path, 0, "os._exit")
    until(lambda: keep_two(cluster) and future.done())
    assert type(future.exception()).__name__ == "KilledWorker"
    assert work.begun(tmp_path) == [0] * 4
    other = executor.submit(work.double, 1)  # not before: Dask blames what waits in a worker, too
    until(lambda: keep_two(cluster) and other.done())
    assert other.result() == 2


def keep_two(cluster: DaskCluster) -> bool:
    while cluster.count() < 2:
        cluster.start_worker()
    return True


def test_nothing_of_a_client_is_left(cluster: DaskCluster) -> None:
    """X3: its thread ends when it is closed."""
    threads = set(threading.enumerate())
    with cluster.client() as client:
        assert executor_of(client).submit(work.double, 1).result() == 2
    until(lambda: set(threading.enumerate()) <= threads)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.distributed.dask_cluster import dask_cluster

with dask_cluster(Path(sys.argv[1])) as cluster:
    cluster.client()
    print(cluster.scheduler.pid, *(worker.pid for worker in cluster.workers.values()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_cluster_ends_with_tests_that_are_killed(tmp_path: Path) -> None:
    """The tests leave no process behind, whatever becomes of them."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    processes = list(map(int, done.stdout.split()))
    assert len(processes) == 3
    until(lambda: not any(map(is_alive, processes)))
