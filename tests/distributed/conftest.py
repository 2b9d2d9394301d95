"""Ray, for the tests of one file; they are skipped where it isn't installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

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
