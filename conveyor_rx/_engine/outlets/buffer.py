"""Which results wait for the consumer of a run? Those in a small buffer, which is a gate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._errors.blame import not_an_end
from ..._errors.tracebacks import without_engine
from ..._inputs import Inputs
from ..run import Run
from ..subscriber import Subscriber

if TYPE_CHECKING:
    from ..observing.deliveries import Deliveries

__all__ = ["Buffer"]


class Buffer(Subscriber):
    """The end of the operators of a run: a gate that holds `limit` results, and how the run ended.

    Who waits for that is woken.
    """

    limit = 16

    def __init__(self, run: Run) -> None:
        self.run = run
        self.deliveries: Deliveries | None = None  # who is told what it gives, if that is observed
        self.size = 0
        self.upstream_bit = 0
        self._buffer: deque[tuple[Inputs, Any]] = deque()  # results, and what they come from
        self._given: Inputs = None  # that the consumer's last result comes from, until it asks
        self.is_over = False  # the end was told, or there is nobody to tell it to
        self._ended = False
        self._is_complete = False  # all results have come, and nothing has failed
        self._error: BaseException | None = None
        self._tell: Callable[[], None] | None = None  # where `next` wants to hear of a result
        self._waiter: asyncio.Future[None] | None = None  # of `next`, for a result or the end
        self._finished: asyncio.Future[None] | None = None  # of `collect`, for the end
        run.on_crash = self.on_error

    def on_next(self, value: Any) -> None:
        self._buffer.append((self.run.inputs, value))
        self.size += 1
        if self._tell is not None:
            self._tell()

    def on_error(self, error: BaseException) -> None:
        self._error = without_engine(not_an_end(error))
        self._end_came()

    def on_completed(self) -> None:
        self._is_complete = True
        self._end_came()

    def held(self) -> list[Inputs]:
        """Give what the results come from that the consumer has not got, or not dealt with."""
        return [self._given, *(inputs for inputs, _ in self._buffer)]

    def more(self, limit: int) -> list[Any]:
        """Return what else is there, up to `limit` results, after `next` and without waiting.

        The consumer has dealt with none of them, nor with the last one, before it asks `next`.
        """
        given, results = [self._given], list[Any]()
        while self._buffer and len(results) < limit:
            results.append(self._take())
            given.append(self._given)
        self._given = given
        return results

    def close(self) -> None:
        """End the run at once, without waiting for its tasks; from any thread."""
        self.run.close()
        if self.run.in_thread():
            self._discard()
        self.run.failures.abandon()

    def give_up(self) -> None:
        """End the run at once; whoever reads is told so when nothing of it is left."""
        self._discard()
        self.run.close()

    # -- private

    def _take(self) -> Any:
        if self.deliveries is not None:
            self.deliveries.tell()
        run = self.run
        self.size -= 1
        if self.size == self.limit - 1:
            run.ready |= self.upstream_bit
        if run.ready and not run.paused:
            run.schedule()
        self._given, value = self._buffer.popleft()
        return value

    def _end_came(self) -> None:
        self._ended = True
        self._notify()

    def _discard(self) -> None:
        if self.run.watermark is not None:
            self.run.watermark.freeze()
        self.is_over = True
        self._is_complete = False
        self._buffer = deque()
        self._ended = True
        self._error = None
        self._notify()

    def _notify(self) -> None:
        waiting = self._finished if self._ended and self._finished else self._waiter
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
