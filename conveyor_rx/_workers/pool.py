"""Which worker makes which call? Whoever has room, for the stages in turns.

Stages of several runs, on loops in several threads, may share a pool. `_lock` guards what it has,
and nothing else is called under it. Calls are sent by loops, and by the threads that start workers;
never by an executor's own threads, which may hold locks of the executor's when they call back.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from functools import partial
from typing import Any, cast

from .._loops import call_on
from .batch import Answer, Batch, Job
from .client import Client
from .errors import own_copy
from .lanes import Lane

__all__ = ["Pool"]

CLOSED = "the workers have been closed: use them inside the block of `with Workers(...)`"


class Pool:
    """Workers in lanes: some that are there, or such as are made when calls wait, up to a number.

    Order: calls of a stage are sent in the order in which they come, as long as no worker dies.
    """

    def __init__(
        self,
        lanes: Sequence[Lane] = (),
        *,
        make: Callable[[], Lane] | None = None,
        workers: int = 1,
        has_main: bool | None = None,
    ) -> None:
        """Have these lanes, and make more by `make`: there are so many `workers` in all."""
        self.keeps_context = any(lane.keeps_context for lane in lanes)
        """Whether calls are made in the context of those who wait for them, and in this process."""
        self.has_main = has_main
        """Whether the workers have this `__main__`; None: as children of multiprocessing do."""
        self._lock = threading.Lock()
        self._make = make
        self._workers = workers
        self._lanes: list[Lane] = list(lanes)
        self._clients: deque[Client] = deque()  # that have calls waiting
        self._is_closed = False
        self._threads: list[threading.Thread] = []  # that start or end workers

    def put(self, client: Client, job: Job) -> None:
        """Take a call; on the client's loop.

        Raises:
            RuntimeError: the pool has been closed.
        """
        with self._lock:
            if self._is_closed:
                raise RuntimeError(CLOSED)
            client.waiting.append(job)
            if client not in self._clients:
                self._clients.append(client)
        if client.chunk == 1:
            self.feed()
        elif len(client.waiting) == 1:  # who comes in the same turn of the loop goes along
            client.loop.call_soon(self.feed)

    def put_back(self, client: Client, jobs: list[Job]) -> None:
        """Take calls again that were sent, and that no worker has begun; on the client's loop."""
        with self._lock:
            if not self._is_closed:
                client.waiting.extendleft(reversed(jobs))
                if client not in self._clients:
                    self._clients.append(client)
                return
        _refuse(jobs)

    def forget(self, client: Client) -> None:
        """Drop the calls of a client that wait."""
        with self._lock:
            client.waiting.clear()
            if client in self._clients:
                self._clients.remove(client)

    def feed(self) -> None:
        """Send what waits, as far as workers have room."""
        while self._clients:  # whoever adds one feeds it
            with self._lock:
                chosen = self._choose()
            if chosen is None:
                return
            self._send(*chosen)

    def shut_down(self) -> None:
        """End the workers that are the pool's own, and wait for that. Idempotent."""
        with self._lock:
            self._is_closed = True
            clients, self._clients = self._clients, deque()
            left = [(client.loop, [*client.waiting]) for client in clients]
            for client in clients:
                client.waiting.clear()
            for lane in self._lanes:
                if lane.is_own:
                    self._in_thread(lane.shut_down)
        for loop, jobs in left:
            call_on(loop, _refuse, jobs)
        while (thread := self._living_thread()) is not None:
            thread.join()

    # -- private, under the lock

    def _choose(self) -> tuple[Lane, Batch] | None:
        """Choose which calls go where next, and take them and the room for them."""
        while self._clients:
            lanes = [lane for lane in self._lanes if lane.has_room]
            if not lanes:
                self._grow()
                return None
            lane = min(lanes, key=lambda lane: len(lane.sent))
            client = self._clients[0]
            if lane.is_busy and len(client.waiting) < client.chunk:
                return None  # more may come to go along, until it has ended what it has
            jobs = self._take(lane, client)
            self._clients.rotate(-1)
            if not client.waiting:
                self._clients.remove(client)
            if jobs:
                batch = Batch(client, jobs)
                lane.sent.add(batch)
                client.sent[batch] = lane
                return lane, batch
        return None

    def _take(self, lane: Lane, client: Client) -> list[Job]:
        """Take calls from those that wait, as many as go at once."""
        waiting, most = client.waiting, client.chunk
        if most > 1:
            idle = max(1, self._workers - sum(len(each.sent) for each in self._lanes))
            most = 1 if lane.is_new(client.order) else min(most, -(-len(waiting) // idle))
        jobs: list[Job] = []
        while waiting and len(jobs) < most:
            job = waiting.popleft()
            if job.is_wanted:
                jobs.append(job)
        return jobs

    def _grow(self) -> None:
        """Make workers for calls that wait, as far as there may be more."""
        if self._make is None or self._is_closed or len(self._lanes) >= self._workers:
            return
        waiting = sum(len(client.waiting) for client in self._clients)
        missing = waiting - sum(not lane.is_ready for lane in self._lanes)
        for _ in range(min(missing, self._workers - len(self._lanes))):
            lane = self._make()
            self._in_thread(self._start, lane)
            self._lanes.append(lane)

    def _remove(self, lane: Lane) -> None:
        """Let go of a worker of our own that is no use any more: another takes its place."""
        if lane.is_own and self._make is not None and lane in self._lanes:
            self._lanes.remove(lane)
            # Not here: this may be a thread of its executor, which that would wait for.
            self._in_thread(lane.shut_down)

    def _in_thread(self, work: Callable[..., None], *args: Any) -> None:
        """Do what blocks in a thread, that is awaited when the pool is shut down."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    # -- private

    def _start(self, lane: Lane) -> None:
        lane.start()
        with self._lock:
            lane.is_ready = True
        self.feed()

    def _living_thread(self) -> threading.Thread | None:
        with self._lock:
            return next((thread for thread in self._threads if thread.is_alive()), None)

    def _send(self, lane: Lane, batch: Batch) -> None:
        """Send a batch, which has its room; or say why that can't be."""
        client: Client = batch.crew
        failure: BaseException | None = lane.failure
        future: Any = None
        if failure is None and batch.is_wanted:
            with lane.lock:  # which nobody takes who is called by the executor
                batch.number = lane.next_number()
                try:
                    future = lane.send(client.order, batch)
                except Exception as error:  # of an executor that was shut down, for example
                    failure = error
        if isinstance(future, Future):
            batch.future = sent = cast("Future[Any]", future)
            if client.is_timed:
                call_on(client.loop, client.begun, lane, batch)
            sent.add_done_callback(partial(self._done, lane, batch))
            return
        if failure is None and future is not None:
            failure = TypeError(f"{type(lane.executor).__name__}.submit gave no future: {future!r}")
        is_idle = lane.is_own and failure is not lane.failure  # it had nothing to do when it died
        answers: list[Answer | None] = [None] * len(batch.jobs)
        if failure is not None and not (is_idle and isinstance(failure, BrokenExecutor)):
            answers = [Answer(error=own_copy(failure)) for _ in batch.jobs]
        self._answer(lane, batch, answers, is_broken=failure is not None)

    def _done(self, lane: Lane, batch: Batch, future: Future[Any]) -> None:
        """Take what an executor says of a batch; in a thread of its own, perhaps under its lock."""
        error = CancelledError() if future.cancelled() else future.exception()
        answers = lane.answers(batch.crew.order, batch, future, error)
        self._answer(lane, batch, answers, is_broken=isinstance(error, BrokenExecutor))

    def _answer(
        self, lane: Lane, batch: Batch, answers: Sequence[Answer | None], *, is_broken: bool
    ) -> None:
        """Have the loop of a batch take its answers."""
        client: Client = batch.crew
        with self._lock:
            lane.sent.discard(batch)
            if is_broken:
                self._remove(lane)
            client.done.append((batch, answers))
            is_first = len(client.done) == 1
            # They feed as well: the loop of the batch may stand still.
            others = {other.loop for other in self._clients} - {client.loop}
        if is_first:
            call_on(client.loop, self._took, client)
        for loop in others:
            call_on(loop, self.feed)

    def _took(self, client: Client) -> None:
        with self._lock:
            done, client.done = client.done, []
        for batch, answers in done:
            client.took(batch, answers)
        self.feed()


def _refuse(jobs: list[Job]) -> None:
    """Fail calls of a pool that has been closed."""
    for job in jobs:
        job.answer(Answer(error=RuntimeError(CLOSED)))
