"""How does an executor get calls, and what does it say of them? In the process, or as bytes."""

from __future__ import annotations

import os
import threading
from collections import Counter
from concurrent.futures import Executor, Future
from time import monotonic
from typing import Any

from .batch import Answer, Batch
from .errors import own_copy
from .orders import Order, Work
from .parcels import unpack, unpack_error
from .performing import Reply, States, perform

__all__ = ["InterpreterLane", "Lane", "RemoteLane", "ThreadLane", "opened"]

SMALL = 16_384  # bytes of a function that are sent each time, if nobody knows to which worker

FEW = 8  # batches that are sent twice, for workers that have not had the function
OFTEN = 4  # at least one in so many: then it is sent each time


class Lane:
    """An executor that calls are sent to, as its pool sees it; not safe for threads by itself."""

    keeps_context = False
    """Whether its calls are made in the context of those who wait for them."""
    is_awaited = False
    """Whether a run waits, at its end, for calls that nobody wants any more."""
    is_ready = True
    failure: BaseException | None = None
    """Why it could not start."""

    def __init__(self, executor: Executor, capacity: float, *, is_own: bool = False) -> None:
        """Send at most `capacity` batches at once; `is_own` says that nobody else uses it."""
        self.executor = executor
        self.is_own = is_own
        self.capacity = capacity  # batches that it may have at once
        self.lock = threading.Lock()  # that a batch gets its number and is sent in one
        self.sent: set[Batch] = set()  # that are sent, or about to be, and not answered
        # Equal in no two lanes: Dask makes equal calls once, if it is not told better.
        self._number = int.from_bytes(os.urandom(5)) << 20

    @property
    def has_room(self) -> bool:
        """Whether it takes another batch."""
        return self.is_ready and len(self.sent) < self.capacity

    @property
    def is_busy(self) -> bool:
        """Whether it has work, so that calls which are sent now are to wait there."""
        return False

    def next_number(self) -> int:
        """Give the number of the next batch."""
        self._number += 1
        return self._number

    def is_new(self, order: Order) -> bool:
        """Tell whether it has never been sent this order."""
        raise NotImplementedError

    def send(self, order: Order, batch: Batch) -> Future[Any]:
        """Send the calls of a batch.

        Raises:
            Exception: the executor takes no calls any more, for example.
        """
        raise NotImplementedError

    def answers(
        self, order: Order, batch: Batch, future: Future[Any], error: BaseException | None
    ) -> list[Answer | None]:
        """Give the answers of a batch; None for calls that are to be sent again."""
        if error is None:
            return self._answers(order, batch, future.result())
        if future.cancelled():
            error = RuntimeError("the executor was shut down before the call began")
        return [Answer(error=own_copy(error)) for _ in batch.jobs]

    def _answers(self, order: Order, batch: Batch, result: Any) -> list[Answer | None]:
        raise NotImplementedError

    def seconds(self, batch: Batch) -> float | None:
        """Tell for how long a worker has been at the call of a batch that was sent; None: not yet.

        Where that can't be told, it is the time since the batch was sent.
        """
        return None if batch.began is None else monotonic() - batch.began

    def has_begun(self, batch: Batch) -> bool:
        """Tell whether a worker is at a batch that was sent, as far as can be told."""
        future = batch.future
        return future is not None and (future.running() or future.done())

    def revoke(self, batch: Batch) -> None:
        """Take a batch back that nobody wants, if no worker has begun with it."""
        if batch.future is not None:
            batch.future.cancel()

    def end(self, batch: Batch) -> None:
        """End the worker that is at `batch`, if that can be done."""

    def start(self) -> None:
        """Start the worker, and wait until it is there."""

    def shut_down(self) -> None:
        """End the worker, and wait until it has ended."""
        if self.is_own:
            self.executor.shutdown(wait=True, cancel_futures=True)


class ThreadLane(Lane):
    """Threads of this process: calls get the items themselves."""

    keeps_context = True
    is_awaited = True

    def __init__(self, executor: Executor, capacity: float, *, is_own: bool = False) -> None:
        super().__init__(executor, capacity, is_own=is_own)
        self._local = threading.local()

    @property
    def is_busy(self) -> bool:
        return len(self.sent) >= self.capacity / 2

    def is_new(self, order: Order) -> bool:
        return False

    def send(self, order: Order, batch: Batch) -> Future[Any]:
        return self.executor.submit(self._call_all, order, batch)

    def _call_all(self, order: Order, batch: Batch) -> None:
        """Make the calls of a batch, in a thread of the executor.

        Answers are left at the batch: a traceback leads to all that called, the executor included.
        """
        start = monotonic()
        states = self._local.__dict__.setdefault("states", States())
        batch.worker = name = threading.current_thread().name
        for job in [*batch.jobs]:
            if not job.is_wanted:
                batch.answers.append(Answer())
                continue
            assert job.context is not None
            given = job.context.run(_call, order.work, states, batch, job.item)
            batch.answers.append(Answer(*given, False, name, start))
            del given, job

    def _answers(self, order: Order, batch: Batch, result: Any) -> list[Answer | None]:
        return [*batch.answers]


def _call(work: Work, states: States, batch: Batch, item: Any) -> tuple[Any, BaseException | None]:
    try:
        state = states.of(work.setup)
        batch.began = monotonic()
        return work.result(item, state), None
    except BaseException as error:
        return None, error


class RemoteLane(Lane):
    """Workers that share no memory with this process: all that they get is pickled here."""

    def __init__(self, executor: Executor, capacity: float, *, is_own: bool = False) -> None:
        super().__init__(executor, capacity, is_own=is_own)
        self._known: set[bytes] = set()  # orders that its workers, or some of them, have had
        self._sent: Counter[bytes] = Counter()  # batches of each order
        self._missed: Counter[bytes] = Counter()  # of these, for workers that did not have it
        self._repeated: set[bytes] = set()  # orders that are sent each time

    @property
    def workers(self) -> int | None:
        """How many workers the executor has; None: it doesn't say so."""
        for name in ("_max_workers", "workers"):  # as in concurrent.futures; and as we call it
            number: Any = getattr(self.executor, name, None)
            if isinstance(number, int) and number > 0:
                return number
        return None

    @property
    def is_busy(self) -> bool:
        workers = self.workers
        return workers is not None and len(self.sent) >= workers

    def is_new(self, order: Order) -> bool:
        return order.name not in self._known

    def send(self, order: Order, batch: Batch) -> Future[Any]:
        data = order.data if self.is_new(order) or self._repeats(order) else None
        self._known.add(order.name)
        self._sent[order.name] += 1
        batch.began = monotonic()
        parcels = [job.parcel for job in batch.jobs]
        return self.executor.submit(perform, batch.number, order.name, data, parcels)

    def _repeats(self, order: Order) -> bool:
        """Tell whether an order is sent each time: it is small, or workers are often new."""
        return len(order.data) <= SMALL or order.name in self._repeated

    def _answers(self, order: Order, batch: Batch, result: Any) -> list[Answer | None]:
        if result is None:
            self._known.discard(order.name)
            self._missed[order.name] += 1
            missed = self._missed[order.name]
            if missed > FEW and missed * OFTEN > self._sent[order.name]:
                self._repeated.add(order.name)
            return [None] * len(batch.jobs)
        worker, seconds, results = Reply(*result)
        began = monotonic() - seconds
        return [Answer(each, None, True, worker, began) for each in results]


class InterpreterLane(RemoteLane):
    """Interpreters, each in a thread of this process: nobody can end a call, so it is awaited."""

    is_awaited = True


def opened(answer: Answer) -> tuple[Any, BaseException | None]:
    """Give the result of a call, or its exception, that may have come as bytes."""
    if not answer.is_packed:
        return answer.value, answer.error
    if not isinstance(answer.value, bytes):
        return None, unpack_error(*answer.value)
    try:
        return unpack(answer.value, "the result"), None
    except TypeError as error:
        return None, error
