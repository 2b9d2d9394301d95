"""Which worker makes which call? Whoever has room, for the stages in turns.

Stages of several runs, on loops in several threads, may share a pool. So what it has is under a
lock, and what is the user's (items that are pickled) is seen to on the loop of the run.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from functools import partial
from typing import Any, Protocol

from .._loops import call_on, running_loop
from .batch import Answer, Batch, Job
from .lanes import Lane, own_copy
from .orders import Order

__all__ = ["Client", "Pool"]

CLOSED = "the workers have been closed: use them inside the block of `with Workers(...)`"


class Client(Protocol):
    """A stage in a run, which has calls to make."""

    loop: asyncio.AbstractEventLoop
    order: Order
    chunk: int
    """How many of its calls may go at once."""
    waiting: deque[Job]
    sent: dict[Batch, Lane]

    def begun(self, lane: Lane, batch: Batch) -> None:
        """Take note, on its loop, that a worker is at the batch, as far as is known."""

    def took(self, lane: Lane, batch: Batch, answers: list[Answer | None]) -> None:
        """Take the answers of a batch, on its loop; None for a call that is to be made again."""


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
        """Whether calls are made in the context of those who wait for them."""
        self.has_main = has_main
        """Whether the workers have this `__main__`; None: as children of multiprocessing do."""
        self._lock = threading.RLock()
        self._make = make
        self._workers = workers
        self._lanes: list[Lane] = list(lanes)
        self._clients: deque[Client] = deque()  # that have calls waiting
        self._is_closed = False
        self._threads: list[threading.Thread] = []  # that start or end workers
        self._has_bound = all(lane.capacity < math.inf for lane in self._lanes)

    def put(self, client: Client, job: Job) -> None:
        """Take a call; on the client's loop.

        Raises:
            RuntimeError: the pool has been closed.
        """
        if self._is_closed:
            raise RuntimeError(CLOSED)
        client.waiting.append(job)
        if self._has_bound or client.chunk == 1:
            self.wake(client)
        elif len(client.waiting) == 1:  # who comes in the same turn of the loop goes along
            client.loop.call_soon(self.wake, client)

    def wake(self, client: Client) -> None:
        """Take note that a stage has calls that wait."""
        with self._lock:
            if client.waiting and client not in self._clients:
                self._clients.append(client)
        self.feed()

    def feed(self) -> None:
        """Send what waits, as far as workers have room; from any thread."""
        while (chosen := self._choose()) is not None:
            lane, client = chosen
            if client.loop is running_loop():
                self._send(lane, client)
            elif not call_on(client.loop, self._send_and_feed, lane, client):
                with self._lock:  # the loop of the run is closed: nobody is there any more
                    lane.reserved -= 1
                    self._clients.remove(client)

    def revoke(self, lane: Lane, batch: Batch) -> None:
        """Take a batch back that nobody wants any more, if no worker has begun with it."""
        with self._lock:
            lane.revoke(batch)

    def end(self, lane: Lane, batch: Batch) -> None:
        """End the worker that is at `batch`, if that can be done."""
        with self._lock:
            if lane.sent and next(iter(lane.sent)) is batch:
                lane.end(batch)

    def shut_down(self) -> None:
        """End the workers that are the pool's own, and wait for that. Idempotent."""
        with self._lock:
            self._is_closed = True
            for lane in self._lanes:
                if lane.is_own:
                    self._in_thread(lane.shut_down)
        while (thread := self._living_thread()) is not None:
            thread.join()

    # -- private

    def _choose(self) -> tuple[Lane, Client] | None:
        """Choose whose calls go where next, and reserve the room for them."""
        with self._lock:
            if not self._clients:
                return None
            lanes = [lane for lane in self._lanes if lane.has_room]
            if not lanes:
                self._grow()
                return None
            lane = min(lanes, key=lambda lane: len(lane.sent) + lane.reserved)
            lane.reserved += 1
            client = self._clients[0]
            self._clients.rotate(-1)
            return lane, client

    def _grow(self) -> None:
        """Make another worker, if there may be one, for calls that wait."""
        waiting = sum(len(client.waiting) for client in self._clients)
        starting = sum(not lane.is_ready for lane in self._lanes)
        if self._make is None or self._is_closed:
            return
        if len(self._lanes) < self._workers and starting < waiting:
            lane = self._make()
            self._lanes.append(lane)
            self._in_thread(self._start, lane)

    def _start(self, lane: Lane) -> None:
        lane.start()
        with self._lock:
            lane.is_ready = True
        self.feed()

    def _living_thread(self) -> threading.Thread | None:
        with self._lock:
            return next((thread for thread in self._threads if thread.is_alive()), None)

    def _in_thread(self, work: Callable[..., None], *args: Any) -> None:
        """Do what blocks in a thread, that is awaited when the pool is shut down."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _send_and_feed(self, lane: Lane, client: Client) -> None:
        self._send(lane, client)
        self.feed()

    def _send(self, lane: Lane, client: Client) -> None:
        """Send calls of a client, on its loop, to a lane that has reserved room for them."""
        jobs, wrapped = self._take(lane, client)
        with self._lock:
            lane.reserved -= 1
            if not client.waiting and client in self._clients:
                self._clients.remove(client)
            if not jobs:
                return
            batch = Batch(client, jobs, lane.next_number())
            future = self._submit(lane, client, batch, wrapped)
            is_next = lane.capacity > 2 or next(iter(lane.sent), None) is batch
        if isinstance(future, Future):
            if is_next:
                client.begun(lane, batch)
            future.add_done_callback(partial(self._done, lane, batch))
        elif future is None:
            client.took(lane, batch, [None] * len(jobs))
        else:
            client.took(lane, batch, [Answer(error=own_copy(future)) for _ in jobs])

    def _submit(
        self, lane: Lane, client: Client, batch: Batch, wrapped: list[Any]
    ) -> Future[Any] | BaseException | None:
        """Send a batch; else return why it fails, or None if it is to go elsewhere."""
        client.sent[batch] = lane
        failure = RuntimeError(CLOSED) if self._is_closed else lane.failure
        if failure is None:
            try:
                lane.sent[batch] = future = lane.send(client.order, batch, wrapped)
            except BrokenExecutor as error:
                failure = None if lane.is_own else error  # our own had nothing to do when it died
            except RuntimeError as error:  # after a shutdown
                failure = error
            else:
                return future
        self._remove(lane)
        return failure

    def _remove(self, lane: Lane) -> None:
        """Let go of a worker of our own that is no use any more: another takes its place."""
        if lane.is_own and self._make is not None and lane in self._lanes:
            self._lanes.remove(lane)
            self._in_thread(lane.shut_down)  # which has nothing left to wait for

    def _take(self, lane: Lane, client: Client) -> tuple[list[Job], list[Any]]:
        """Take calls from those that wait, as many as go at once, in the form in which they go."""
        waiting = client.waiting
        most = 1 if lane.is_new(client.order) else -(-len(waiting) // self._workers)
        jobs: list[Job] = []
        wrapped: list[Any] = []
        while waiting and len(jobs) < min(most, client.chunk):
            job = waiting.popleft()
            if job.is_wanted:
                try:
                    wrapped.append(lane.wrap(job))
                except TypeError as error:
                    job.answer(Answer(error=error))
                else:
                    jobs.append(job)
        return jobs, wrapped

    def _done(self, lane: Lane, batch: Batch, future: Future[Any]) -> None:
        """Take what an executor says of a batch; in any thread."""
        client: Client = batch.crew
        with self._lock:
            answers = lane.answers(client.order, batch, future)
            del lane.sent[batch]
            is_broken = not future.cancelled() and isinstance(future.exception(), BrokenExecutor)
            if is_broken:
                self._remove(lane)
            following = next(iter(lane.sent), None)
        if following is not None and not is_broken:
            call_on(following.crew.loop, following.crew.begun, lane, following)
        if not call_on(client.loop, self._took, lane, batch, answers):
            self.feed()

    def _took(self, lane: Lane, batch: Batch, answers: list[Answer | None]) -> None:
        batch.crew.took(lane, batch, answers)
        self.feed()
