"""Where do the tests of both clusters run? On two workers of Dask, or on Ray with two CPUs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import work

__all__ = ["Place", "place_of_two", "start"]


@dataclass
class Place:
    """What `on` is, how an executor is made there, and how a worker is killed."""

    on: Any
    executor: Callable[[], AbstractContextManager[Executor]]
    kill: Callable[[int], None]
    starts_again: bool
    """A call whose worker has died begins again by itself."""


@contextmanager
def start(kind: str, folder: Path) -> Iterator[Any]:
    """Start a cluster; the test is skipped where its package is missing."""
    if kind == "ray":
        from .ray_cluster import ray_cluster

        with ray_cluster() as ray:
            yield ray
    else:
        from .dask_cluster import dask_cluster

        with dask_cluster(folder) as cluster:
            yield cluster


@contextmanager
def place_of_two(cluster: Any) -> Iterator[Place]:
    """Give the place that a cluster is, with two workers whatever the test before has done."""
    if not hasattr(cluster, "start_worker"):
        from conveyor_rx.distributed import RayExecutor

        yield Place(cluster, lambda: RayExecutor(2), work.kill, starts_again=False)
        return
    while cluster.count() < 2:
        cluster.start_worker()
    with cluster.client() as client:

        def executor() -> AbstractContextManager[Executor]:
            return nullcontext(client.get_executor(pure=False))

        yield Place(client, executor, cluster.kill, starts_again=True)
