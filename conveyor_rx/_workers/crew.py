"""How does a stage have its calls made elsewhere? It waits for each, as for any async function."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from time import monotonic
from typing import Any

from .._errors.blame import not_an_end
from .._functions.elsewhere import Ran
from .._functions.timeouts import is_over, late
from .._loops import call_on
from .._sending.names import main_can_be_imported
from .batch import Answer, Batch, Job
from .lanes import Lane, opened
from .orders import Order, Work
from .parcels import pack
from .pool import Pool

__all__ = ["Crew"]

LOOK = 0.05  # seconds after which it is looked again whether a call has begun
PATIENCE = 3.0  # seconds that a process may take for a call that nobody wants any more


class Crew:
    """The calls of one task in one run, made by the workers of a pool.

    Cancellation: a call that no worker has begun is dropped. One that runs is let go of: the run
    waits for it, at its end, in threads; a process has some seconds for it.
    """

    loop: asyncio.AbstractEventLoop
    order: Order
    _pool: Pool | None = None

    def __init__(
        self,
        open_pool: Callable[[], tuple[Pool, bool]],
        task_name: str,
        *,
        chunk: int,
        timeout: float | None,
        of_batches: bool,
    ) -> None:
        """`open_pool` gives the pool, and whether it is for this run alone."""
        self.chunk = chunk
        self.waiting: deque[Job] = deque()
        self.sent: dict[Batch, Lane] = {}
        self.done: list[tuple[Batch, Sequence[Answer | None]]] = []
        self.last: Ran | None = None
        self._open_pool = open_pool
        self._task_name = task_name
        self.is_timed = timeout is not None
        self._timeout = timeout
        self._of_batches = of_batches
        self._is_own = False
        self._has_main = True  # who makes the calls has the `__main__` of this process
        self._timers: dict[Batch, asyncio.TimerHandle] = {}
        self._ended: asyncio.Future[None] | None = None  # of the one that waits for the last call

    def open(self, work: Work) -> Callable[[Any], Awaitable[Any]]:
        """Return the function of the items, to be awaited.

        Raises:
            TypeError: the function, or a side input, can't be sent to the workers.
        """
        self.loop = asyncio.get_running_loop()
        self.order = Order(work)
        pool, is_own = self._open_pool()
        if not pool.keeps_context:
            self.order.pickle(self._task_name, has_main=pool.has_main)
            has_main = pool.has_main
            self._has_main = main_can_be_imported() if has_main is None else has_main
        self._pool, self._is_own = pool, is_own
        return self._call

    def waiting_for(self) -> Mapping[str, int]:
        """Give how many items no worker has begun with; any thread may ask."""
        size = sum(job.size for job in [*self.waiting] if job.is_wanted)
        for batch, lane in [*self.sent.items()]:
            if batch.is_wanted and not lane.has_begun(batch):
                size += batch.size
        return {"worker": size} if size else {}

    def close(self) -> asyncio.Future[None] | None:
        """Let go of what nobody has begun; return what ends when nothing runs any more."""
        pool = self._pool
        if pool is None:
            return None
        pool.forget(self)
        self._ended = ended = self.loop.create_future()
        if self._is_own:  # not by a task: it goes on if the loop has no turn any more
            threading.Thread(target=self._shut_down, args=(pool,), daemon=True).start()
        else:
            self._look()
        return ended

    def _shut_down(self, pool: Pool) -> None:
        try:
            pool.shut_down()
        finally:
            call_on(self.loop, self._has_shut_down)

    def _has_shut_down(self) -> None:
        self._is_own = False  # a thread of an executor of the user's may have a call still
        self._look()

    # -- for the pool

    def begun(self, lane: Lane, batch: Batch) -> None:
        """Watch the time of a batch that was sent."""
        if self._timeout is not None and batch in self.sent:
            self._watch(self._timeout, lane, batch)

    def took(self, batch: Batch, answers: Sequence[Answer | None]) -> None:
        """Take the answers of a batch; what has none is sent again."""
        self.sent.pop(batch, None)
        if (timer := self._timers.pop(batch, None)) is not None:
            timer.cancel()
        again: list[Job] = []
        for job, answer in zip(batch.jobs, answers, strict=False):  # fewer, if it was given up
            if answer is not None:
                job.answer(answer)
            elif job.is_wanted:
                again.append(job)
        batch.let_go()
        if again and self._pool is not None:
            self._pool.put_back(self, again)
        self._look()

    # -- private

    async def _call(self, item: Any) -> Any:
        pool, loop = self._pool, self.loop
        assert pool is not None
        size = len(item) if self._of_batches else 1
        context = copy_context() if pool.keeps_context else None
        parcel = b""
        if not pool.keeps_context:
            try:
                parcel = pack(item, "the item", has_main=self._has_main)
            except TypeError as error:
                raise error.with_traceback(None)  # noqa: B904  # it has the cause already
        job = Job(item, size, context, parcel, loop.create_future(), loop.time())
        try:
            pool.put(self, job)
            answer = await job.answered
        except BaseException:
            job.answered.cancel()
            self._leave(job)
            raise
        value, error = opened(answer)
        self.last = self._ran(job, answer)
        try:
            if error is not None:
                # A coroutine that raises StopIteration says nothing of what that stands for.
                raise not_an_end(error) if isinstance(error, StopIteration) else error
            return value
        finally:
            del answer, error, job  # a traceback leads here

    def _ran(self, job: Job, answer: Answer) -> Ran | None:
        """Say where a call was made, if that is known, and how long it had to wait."""
        if not answer.worker:
            return None
        if answer.began is None:
            return Ran(answer.worker, 0.0)
        since = monotonic() - answer.began  # while the loop's clock may be another one
        return Ran(answer.worker, max(0.0, self.loop.time() - job.made - since))

    def _leave(self, job: Job) -> None:
        """Let go of a call whose answer nobody waits for any more."""
        batch, pool = job.batch, self._pool
        lane = self.sent.get(batch) if batch is not None else None
        if batch is None or lane is None or pool is None or batch.is_wanted:
            return
        lane.revoke(batch)
        if lane.is_awaited and lane.has_begun(batch):
            if is_over():  # the run goes on, and needs the worker
                lane.end(batch)
            else:
                self._set_timer(PATIENCE, lane.end, batch)
        else:
            self.sent.pop(batch, None)
            self._look()

    def _look(self) -> None:
        """Say that all has ended, if it has, and if somebody waits for that."""
        if self._ended is None or self._is_own:
            return
        if not self._ended.done() and not any(lane.is_awaited for lane in self.sent.values()):
            self._ended.set_result(None)

    def _watch(self, timeout: float, lane: Lane, batch: Batch) -> None:
        """End a call that takes longer than `timeout`, once it has begun."""
        if not batch.is_wanted:
            return
        seconds = lane.seconds(batch)
        if seconds is None or seconds < timeout:
            pause = max(LOOK, timeout / 10) if seconds is None else timeout - seconds
            self._set_timer(pause, self._watch, timeout, lane, batch)
            return
        began = monotonic() - seconds
        batch.jobs[0].answer(Answer(error=late(timeout), worker=batch.worker, began=began))
        lane.revoke(batch)
        lane.end(batch)

    def _set_timer(self, seconds: float, work: Callable[..., None], *args: Any) -> None:
        batch = args[-1]
        if (timer := self._timers.pop(batch, None)) is not None:
            timer.cancel()
        self._timers[batch] = self.loop.call_later(seconds, work, *args)
