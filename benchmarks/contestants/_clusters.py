"""How does a user have a cluster on one machine? Of Dask or of Ray, with so many processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

__all__ = ["AHEAD", "chunks", "cluster"]

AHEAD = 4  # chunks at once for each process: the one that it is at, and those on their way


@contextmanager
def cluster(kind: str, number: int) -> Iterator[Any]:
    """Give a client of Dask's, whose scheduler is a process, too; or the module `ray`."""
    if kind == "ray":
        with _ray(number) as ray:
            yield ray
    else:
        with _dask(number) as client:
            yield client


def chunks(source: Iterable[int], size: int) -> Iterator[list[int]]:
    """Give the items in lists."""
    items = iter(source)
    while chunk := list(islice(items, size)):
        yield chunk


@contextmanager
def _dask(number: int) -> Iterator[Any]:
    from distributed import Client, SubprocessCluster

    with (
        SubprocessCluster(
            n_workers=number,
            threads_per_worker=1,
            dashboard_address=None,
            worker_kwargs={"memory_limit": 0},
        ) as processes,
        Client(processes) as client,
    ):
        client.wait_for_workers(number, timeout=30)
        yield client


@contextmanager
def _ray(number: int) -> Iterator[Any]:
    # Ray reads it when it is imported: it sends nothing home.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    import ray

    folder = tempfile.mkdtemp(prefix="ray-")
    try:
        ray.init(
            num_cpus=number,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            object_store_memory=80 * 2**20,  # bytes, near the least that Ray takes
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        yield ray
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
