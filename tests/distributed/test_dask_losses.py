"""Is each call on Dask answered, whatever is lost? Also where Dask's own executor forgets it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import SingleTask, WorkerLostError
from conveyor_rx.distributed import run

from . import work
from .dask_cluster import DaskCluster, dask_cluster

pytestmark = pytest.mark.real_time("workers are processes")

PATIENCE = 60  # seconds in which each call is answered


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers with nannies, which start them again; a call is given up at its first death."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
        with dask_cluster(tmp_path_factory.mktemp("dask"), 2, "--nanny") as cluster:
            yield cluster


@pytest.fixture
def client(cluster: DaskCluster) -> Iterator[Any]:
    with cluster.client() as client:
        yield client


def die_the_second_time(folder: Path) -> int:
    work.log(folder, 0)
    if len(work.begun(folder)) > 1:
        os._exit(1)
    return 7


@pytest.mark.parametrize("ends", [True, False])
async def test_a_result_that_is_lost(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """X6: Dask makes the call again; if that ends the worker, the call has failed."""
    gather = client._gather_remote

    async def lose_first(*args: Any, **options: Any) -> Any:
        processes = work.processes(tmp_path)
        if len(processes) == 1:
            os.kill(*processes, signal.SIGKILL)
        return await gather(*args, **options)

    monkeypatch.setattr(client, "_gather_remote", lose_first)
    function = die_the_second_time if ends else log_seven
    stream = SingleTask(function, executor=client.get_executor(pure=False))([tmp_path])
    async with asyncio.timeout(PATIENCE):
        if ends:
            with pytest.raises(WorkerLostError):
                await stream.collect()
        else:
            assert await stream.collect() == [7]
    assert work.begun(tmp_path) == [0, 0]


def log_seven(folder: Path) -> int:
    work.log(folder, 0)
    return 7


async def test_a_client_that_is_closed_in_the_middle(cluster: DaskCluster, tmp_path: Path) -> None:
    """X3: what is lost with it has failed, and nobody waits for ever."""
    client = cluster.client()
    shards = [[(str(tmp_path), number)] for number in range(100)]
    stream = run(work.logged_and_slow, shards, on=client)
    async with asyncio.timeout(PATIENCE):
        assert [await anext(stream) for _ in range(5)] == list(range(5))
        await asyncio.to_thread(client.close)
        with pytest.raises((RuntimeError, OSError)):  # Dask says of some that its line was cut
            await stream.collect()


async def test_a_result_that_can_not_be_had(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """X6: what Dask says of that is the failure of the call."""

    async def fail(*args: Any, **options: Any) -> Any:
        raise OSError("the line is cut")

    monkeypatch.setattr(client, "_gather_remote", fail)
    stream = SingleTask(work.double, executor=client.get_executor(pure=False))([1])
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(OSError, match="the line is cut"):
            await stream.collect()
