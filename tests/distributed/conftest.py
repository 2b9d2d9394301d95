"""Clusters, for the tests of one file each; they are skipped where their package is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .clusters import Place, place_of_two, start

if TYPE_CHECKING:
    from conveyor_rx.distributed import RayExecutor


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    from .ray_cluster import ray_cluster

    with ray_cluster() as ray:
        yield ray


@pytest.fixture(scope="module")
def shared(ray: Any) -> Iterator[RayExecutor]:
    """An executor of one actor, which no test ends."""
    from conveyor_rx.distributed import RayExecutor

    with RayExecutor(1, actor_options={"num_cpus": 0}) as executor:
        yield executor


@pytest.fixture(scope="module", params=["dask", "ray"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Any]:
    with start(request.param, tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def place(cluster: Any) -> Iterator[Place]:
    with place_of_two(cluster) as place:
        yield place
