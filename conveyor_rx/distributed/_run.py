"""How does a pipeline run on many shards at once? As the calls of a task that workers make."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, TypeVar, cast

from .._checks import check_count
from ..error_handling import RetryConfig
from ..pipeline import Stage
from ..stream import AsyncStream, Source
from ..tasks import SingleTask
from ..workers import WorkerLostError, Workers
from ._places import number_of, workers_on
from ._shards import let_out, run_shard

__all__ = ["run"]

Out = TypeVar("Out")


def run(
    pipeline: Stage[Any, Out],
    shards: Source[Any],
    *,
    on: Executor | Workers[Any] | Any,
    in_flight: int | None = None,
    attempts: int = 3,
) -> AsyncStream[Out]:
    """Run `pipeline` on each of many shards, in workers, and return the stream of all results.

    One call a shard: a worker gets it, runs the whole pipeline on it, on an event loop of its own,
    and sends back the results. So nothing but shards and results travels, and each may be large.

    Order: that of the shards, and within each as the pipeline says; `run(…).as_completed()` gives
    the results of whatever shard is done. Errors: that of a pipeline is raised behind the results
    of its shard that came before it, and is not tried again. A worker that dies is no failure: its
    shards run again elsewhere, each at most `attempts` times; then it is a `WorkerLostError`. The
    results of a shard enter once. Cancellation: shards that have not begun are taken back; what
    runs in a worker of a cluster can't be stopped, and its results are let go. Pressure: at most
    `in_flight` shards are pulled and not yet let out, so the results of as many are held at most.

    Args:
        pipeline: a pipeline or a task. It is pickled: functions by name, those of `__main__` with
            their code, by cloudpickle. Its context goes with it.
        shards: any source; each item is a shard, which is pickled, and is what the pipeline takes
            as data: a list or a range of items, or one item, such as the path of a file.
        on: a `Client` of dask.distributed; the module `ray`, or "ray", for one actor a processor;
            any executor of `concurrent.futures`; or `Workers(...)` without a setup.
        in_flight: how many shards are sent at once. Default: None, twice the number of workers.
        attempts: how often a shard is sent, if workers die.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range, by name.
        ImportError: `on` is "ray", and Ray is not installed.

    >>> import asyncio
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from conveyor_rx import single_task
    >>> from conveyor_rx.distributed import run
    >>> @single_task
    ... async def double(number: int) -> int:
    ...     return number * 2
    >>> with ThreadPoolExecutor(2) as threads:
    ...     asyncio.run(run(double, [[1, 2], [3], range(4, 6)], on=threads).collect())
    [2, 4, 6, 8, 10]
    """
    if not isinstance(pipeline, Stage):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise TypeError(f"pipeline must be a pipeline or a task, not {pipeline!r}")
    check_count("in_flight", in_flight, optional=True)
    check_count("attempts", attempts)
    workers = workers_on(on)
    if workers.setup is not None:
        raise ValueError(f"on={workers!r} can't have a setup: nothing of a shard would get it")
    limit = 2 * number_of(workers) if in_flight is None else in_flight
    retries = RetryConfig(attempts, base_delay=0, retry_on=WorkerLostError)
    call = SingleTask[Any, Any](
        run_shard,
        task_name=f"shard of {pipeline.task_name}",
        executor=workers,
        concurrency_limit=limit,
        retry_config=retries,
        flatten=False,
    ).with_inputs(pipeline)
    results = SingleTask[Any, Any](let_out, task_name="results")
    stages = (call | results).with_context(max_in_flight=limit)
    return cast("AsyncStream[Out]", stages(shards))
