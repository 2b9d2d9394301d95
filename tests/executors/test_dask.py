"""What if an executor of Dask's is not as we know it? Then it is the user's, as any other."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

from conveyor_rx import SingleTask
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
