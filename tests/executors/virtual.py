"""What is an executor in virtual time? One whose workers take as long as the test says."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from conveyor_rx._workers.performing import Reply

pytest.importorskip("_multiprocessing", reason="a Python without processes")

__all__ = ["VirtualExecutor"]


class VirtualExecutor(Executor):
    """Workers that take their calls in turn, and a time for each that `seconds(item)` gives.

    The functions are called at once, in this process: what they give comes later.
    """

    def __init__(self, *names: str, seconds: Callable[[Any], float]) -> None:
        self.free = dict.fromkeys(names, 0.0)  # when each worker has ended what it was given
        self.seconds = seconds

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        loop = asyncio.get_running_loop()
        future: Future[Any] = Future()
        loop.call_soon(self._begin, loop, future, fn, args)
        return future

    def _begin(
        self,
        loop: asyncio.AbstractEventLoop,
        future: Future[Any],
        function: Callable[..., Any],
        args: Sequence[Any],
    ) -> None:
        worker = min(self.free, key=lambda name: self.free[name])
        wait = self.free[worker] - loop.time()
        if wait > 1e-9:  # less is a rounding error
            loop.call_later(wait, self._begin, loop, future, function, args)
            return
        if not future.set_running_or_notify_cancel():
            return
        seconds = sum(self.seconds(pickle.loads(parcel)) for parcel in args[-1])
        self.free[worker] = loop.time() + seconds
        reply = Reply(*function(*args))._replace(worker=worker, seconds=seconds)
        loop.call_later(seconds, future.set_result, reply)
