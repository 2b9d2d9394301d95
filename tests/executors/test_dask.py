"""What if an executor of Dask's is not as we know it? Then it is the user's, as any other."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from types import SimpleNamespace
from typing import Any

import pytest

from conveyor_rx import SingleTask
from conveyor_rx._workers.dask import DaskExecutor
from tests.executors import functions as f


class ClientExecutor(Executor):
    """As of a Dask to come, in which other names stand for what it has."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


ClientExecutor.__module__ = "distributed.cfexecutor"


async def test_of_a_dask_that_is_not_known() -> None:
    """X1: its calls are made, by what each executor has."""
    task = SingleTask(f.double, executor=ClientExecutor())
    assert await task([1, 2, 3]).collect() == [2, 4, 6]


@pytest.mark.parametrize(
    ("client", "workers"),
    [
        (SimpleNamespace(_scheduler_identity={"total_threads": 3}), 3),
        (SimpleNamespace(_scheduler_identity={}), None),
        (SimpleNamespace(), None),
    ],
)
def test_how_many_workers_a_client_has_heard_of(client: Any, workers: int | None) -> None:
    """X5: where the client does not say, the executor does not say either."""
    assert DaskExecutor(SimpleNamespace(_client=client)).workers == workers
