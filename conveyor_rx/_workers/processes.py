"""How does a process of ours work? Alone in an executor, so that its death is nobody else's.

All processes of one `ProcessPoolExecutor` die with the first of them. So each worker has one of its
own, and shares some numbers with this process that say which call it is at, and since when.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from time import monotonic, monotonic_ns
from typing import Any

from .batch import Answer, Batch
from .errors import WorkerLostError
from .lanes import RemoteLane
from .orders import Order
from .performing import FIRST_SKIP, SKIPS, begin, greet, name_of_process

__all__ = ["ProcessLane"]

QUICK = 0.01  # seconds; a worker whose batches take less gets the next before it has ended one
PATIENCE = 3.0  # seconds in which a process may end by itself


class ProcessLane(RemoteLane):
    """One process: its calls come one after the other, and which of them has begun is known."""

    is_ready = False
    is_awaited = True

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # not "fork": this process has threads
        self._shared: Any = context.RawArray("q", FIRST_SKIP + SKIPS)
        executor = ProcessPoolExecutor(
            1, mp_context=context, initializer=begin, initargs=(self._shared,)
        )
        super().__init__(executor, capacity=1, is_own=True)
        self._starting = threading.Lock()  # who shuts down finds the process, or there will be none
        self._process: BaseProcess | None = None

    @property
    def is_busy(self) -> bool:
        return bool(self.sent)

    def start(self) -> None:
        """Start the process, and wait until it is there."""
        try:
            with self._starting:
                greeting = self.executor.submit(greet)
                processes: Any = getattr(self.executor, "_processes", None) or {}
                self._process = next(iter(processes.values()), None)
            greeting.result()
        except BaseException as error:
            self.failure = WorkerLostError(_why_none_begins())
            self.failure.__cause__ = error
        else:
            self._close_own_end()

    def _close_own_end(self) -> None:
        """Leave the process alone at its end of the pipe for results.

        Else, if it is killed in the middle of a result, the rest of that would be waited for.
        """
        if sys.platform != "win32":  # where the process takes its end from this one, and later
            writer = getattr(getattr(self.executor, "_result_queue", None), "_writer", None)
            if writer is not None:
                writer.close()

    def send(self, order: Order, batch: Batch) -> Future[Any]:
        if self._process is not None:
            batch.worker = name_of_process(self._process.pid)
        return super().send(order, batch)

    def _repeats(self, order: Order) -> bool:
        return False

    def seconds(self, batch: Batch) -> float | None:
        number, _, began, *_ = self._shared
        return (monotonic_ns() - began) / 1e9 if began and number == batch.number else None

    def has_begun(self, batch: Batch) -> bool:
        return 0 < batch.number <= self._shared[0]

    def revoke(self, batch: Batch) -> None:
        self._shared[FIRST_SKIP + batch.number % SKIPS] = batch.number

    def end(self, batch: Batch) -> None:
        if self._shared[0] == batch.number and self._process is not None:
            self._process.kill()

    def answers(
        self, order: Order, batch: Batch, future: Future[Any], error: BaseException | None
    ) -> list[Answer | None]:
        if not isinstance(error, BrokenExecutor):
            return super().answers(order, batch, future, error)
        at, index = self._shared[0], self._shared[1]
        guilty = len(batch.jobs) if batch.number < at else index + 1 if batch.number == at else 0
        answers: list[Answer | None] = [None] * len(batch.jobs)
        for number in range(min(guilty, len(answers))):
            # Only of the call that it was at is it known when that began.
            seconds = self.seconds(batch) if number == index else None
            began = None if seconds is None else monotonic() - seconds
            answers[number] = Answer(error=self._lost(), worker=batch.worker, began=began)
        return answers

    def _answers(self, order: Order, batch: Batch, result: Any) -> list[Answer | None]:
        answers = super()._answers(order, batch, result)
        last = answers[-1] if answers else None
        if last is not None and last.began is not None:
            self.capacity = 2 if monotonic() - last.began < QUICK else 1
        return answers

    def _lost(self) -> WorkerLostError:
        process = self._process
        if process is None:
            return WorkerLostError("a worker process has died during the call")
        process.join(0.2)  # its pipe may be closed a moment before it has ended
        code = process.exitcode
        how = f"with exit code {code}" if code is None or code >= 0 else f"by signal {-code}"
        why = ", perhaps for want of memory" if code == -9 else ""
        return WorkerLostError(f"worker process {process.pid} has died {how}{why}, during the call")

    def shut_down(self) -> None:
        """End the process, and wait until it has ended; one that doesn't is killed."""
        with self._starting:
            manager = getattr(self.executor, "_executor_manager_thread", None)
            self.executor.shutdown(wait=False, cancel_futures=True)
            process = self._process
        if process is not None:
            process.join(PATIENCE if self.is_ready else 0)
            if process.is_alive():
                process.kill()
            process.join()
        if manager is not None:  # after the first call of `shutdown` a second one waits for nothing
            manager.join()


def _why_none_begins() -> str:
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file and getattr(main, "__spec__", None) is None and not os.path.isfile(file):
        return (
            f"no worker process can begin: each looks for the program's file, {file!r}, and there "
            "is none. Save the program as a file and run that; threads need none"
        )
    return (
        "a worker process ended before it could begin; what it has printed may say why (a script "
        "that starts workers must do so under `if __name__ == '__main__':`)"
    )
