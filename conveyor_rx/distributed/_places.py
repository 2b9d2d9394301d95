"""What makes the calls, where a user names a cluster? Workers, as a task has them."""

from __future__ import annotations

import math
import os
import sys
from concurrent.futures import Executor
from typing import Any, cast, get_args

from .._workers.lanes import RemoteLane
from .._workers.pool import Pool
from ..workers import WorkerKind, Workers
from ._ray_executor import RayExecutor

__all__ = ["number_of", "workers_on"]


class _Actors(Workers[None]):
    """Actors of Ray, of which each run has its own."""

    def _make_pool(self) -> Pool:
        lane = RemoteLane(RayExecutor(number_of(self)), math.inf, is_own=True)
        return Pool([lane], has_main=False)


def workers_on(on: object) -> Workers[Any]:
    """Return the workers of `on`: a client of Dask's, the module `ray`, its name, an executor.

    Raises:
        TypeError, ValueError: `on` is none of these.
        ImportError: `on` is "ray", and Ray is not installed.
    """
    if isinstance(on, Workers):
        return cast("Workers[Any]", on)
    if isinstance(on, Executor) or (isinstance(on, str) and on in get_args(WorkerKind)):
        return Workers(cast("Executor", on))
    if on == "ray" or (on is not None and on is sys.modules.get("ray")):
        return _Actors(RayExecutor())
    distributed: Any = sys.modules.get("distributed")  # whoever has a client has imported it
    if distributed is not None and isinstance(on, distributed.Client):
        client: Any = on
        if client.asynchronous:
            raise TypeError("on must be a Client that is not asynchronous: Client(address)")
        return Workers(client.get_executor(pure=False))  # or equal calls are made once
    raise TypeError(
        "on must be a Client of dask.distributed, the module ray or the text 'ray', an executor "
        f"of concurrent.futures, or Workers(...), not {on!r}"
    )


def number_of(workers: Workers[Any]) -> int:
    """Tell how many calls the workers make at once; where that is unknown, take a guess."""
    known = workers.at_once(None)
    if known is not None:
        return known
    executor: Any = workers.kind
    if isinstance(executor, RayExecutor):
        return executor.workers
    client = getattr(executor, "_client", None)  # of Dask's, which has no other way to ask
    if hasattr(client, "nthreads"):
        return max(1, sum(cast("Any", client).nthreads().values()))
    number = getattr(executor, "_max_workers", None)  # of those of concurrent.futures
    return number if isinstance(number, int) else os.cpu_count() or 1
