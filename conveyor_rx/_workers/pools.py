"""Which pool do workers of a kind have?"""

from __future__ import annotations

import math
from concurrent import futures
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from .dask import DaskExecutor, is_of_dask
from .lanes import InterpreterLane, RemoteLane, ThreadLane
from .pool import Pool
from .processes import ProcessLane

__all__ = ["pool_of"]

AHEAD = 2  # calls for each thread: the one that it makes, and the next

_Interpreters: type[Executor] | None = getattr(futures, "InterpreterPoolExecutor", None)


def pool_of(kind: str | Executor, number: int) -> Pool:
    """Make a pool of `number` workers of a kind, or of those of an executor."""
    if kind == "processes":
        return Pool(make=ProcessLane, workers=number)
    if kind == "threads":
        threads = ThreadPoolExecutor(number, thread_name_prefix="conveyor_rx")
        return Pool([ThreadLane(threads, AHEAD * number, is_own=True)], workers=number)
    if isinstance(kind, str):
        interpreters: Any = _Interpreters  # there are some: that was checked before
        lane = InterpreterLane(interpreters(number), number, is_own=True)
        return Pool([lane], workers=number, has_main=False)
    if _Interpreters is not None and isinstance(kind, _Interpreters):  # which are threads, too
        return _pool(InterpreterLane(kind, math.inf), has_main=False)
    if isinstance(kind, ThreadPoolExecutor):
        return Pool([ThreadLane(kind, math.inf)])
    if is_of_dask(kind):
        kind = DaskExecutor(kind)
    has_main = None if isinstance(kind, ProcessPoolExecutor) else False
    return _pool(RemoteLane(kind, math.inf), has_main=has_main)


def _pool(lane: RemoteLane, *, has_main: bool | None) -> Pool:
    return Pool([lane], workers=lane.workers or 1, has_main=has_main)
