"""How do results leave a run that is pulled? Through a small buffer, which is a gate."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._errors.blame import not_an_end
from ..._errors.tracebacks import hides, without_engine
from ..._inputs import Inputs
from ..run import UNBOUNDED, Run
from ..subscriber import Subscriber

if TYPE_CHECKING:
    from ..observing.deliveries import Deliveries

__all__ = ["BUSY", "Reader"]

__tracebackhide__ = hides  # for pytest

BUSY = (
    "this stream is already being read by another consumer; "
    "call the pipeline again for a second stream, or use subscribe()"
)
_ELSEWHERE = (
    "this stream's run began on another event loop; use it there, or call the pipeline again here"
)


class Reader(Subscriber):
    """The end of a run that is pulled: a buffer of `limit` results, which is a gate.

    While the consumer drains the run inside of `next`, it lets others go on for a moment only once
    there is a result: fast stages fill the buffer, slow ones delay nobody.
    """

    limit = 16

    def __init__(self, run: Run) -> None:
        self.run = run
        self._loop = run.loop
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
        self._busy = False
        run.on_crash = self.on_error

    # -- from the run

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

    # -- from the consumer

    async def next(self, holder: object) -> Any:
        """Return the next result, or raise what the run ended with, once, when all has ended.

        `holder` is only held: dropping a stream closes it, but not while somebody waits here.

        Raises:
            RuntimeError: somebody else is waiting here, or this is another event loop.
            StopAsyncIteration: the run has ended.
        """
        if get_running_loop() is not self._loop:
            raise RuntimeError(_ELSEWHERE)
        if self._busy:
            raise RuntimeError(BUSY)
        run, buffer = self.run, self._buffer
        if buffer and not run.paused:  # as `_take`, in line for speed
            if self.deliveries is not None:
                self.deliveries.tell()
            self.size = after = self.size - 1
            if after == self.limit - 1:
                run.ready |= self.upstream_bit
            if run.ready and not run.paused:
                run.schedule()
            self._given, value = buffer.popleft()
            return value
        self._busy = True
        self._given = None
        try:
            self._go_on()
            while not self._buffer:
                if self._ended or run.closed:
                    await self._end()
                await self._more()
            return self._take()
        except asyncio.CancelledError as error:
            await self.aclose(error)
            raise
        finally:
            self._busy = False
            del holder  # an exception's traceback leads here

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

    async def collect(self) -> list[Any]:
        """Run to the end, or until somebody closes the stream, and return what has come.

        Raises:
            RuntimeError: somebody else is waiting here, or this is another event loop.
        """
        if get_running_loop() is not self._loop:
            raise RuntimeError(_ELSEWHERE)
        if self._busy:
            raise RuntimeError(BUSY)
        self._busy = True
        self.run.youth = None  # the first result is not waited for
        self.limit = UNBOUNDED
        if self.deliveries is not None:
            self.deliveries.tell_all()
        results = self._collects()
        try:
            self._go_on()
            self.run.ready |= self.upstream_bit
            self._finished = self.run.loop.create_future()
            self.run.drain_within()
            if not self._ended and not self.run.closed:
                await self._finished
            await self._end()
        except StopAsyncIteration:
            if self.run.watermark is not None:
                self.run.watermark.release()
            return results
        except BaseException as error:
            results.clear()  # the traceback leads here
            if issubclass(type(error), asyncio.CancelledError):
                await self.aclose(error)
            raise
        finally:
            self._busy = False
            del self.on_next  # which holds the results
        raise AssertionError("a run that has ended neither completed nor failed")

    def pause(self) -> None:
        """Start nothing new until `next` is called again; unless somebody waits there."""
        if not self._busy:
            self.run.pause()

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

    async def aclose(self, during: BaseException | None = None) -> None:
        """End the run and wait until nothing of it is left.

        `during` is the exception that is being raised, if there is one: what fails in the clean-up
        is told of in addition to that, else raised.

        Raises:
            RuntimeError: there is something left on another event loop.
        """
        run = self.run
        nothing_left = run.loop.is_closed() or (run.closed and run.is_ended())
        if not nothing_left and get_running_loop() is not run.loop:
            raise RuntimeError(_ELSEWHERE)
        self._discard()
        error: BaseException | None = None
        try:
            error = await self._outcome(during)
            if error is not None and error is not during:
                raise error
        finally:
            del during, error  # their tracebacks lead to this frame

    # -- private

    def _end_came(self) -> None:
        self._ended = True
        self._notify()

    def _collects(self) -> list[Any]:
        """Take note that nobody has got the results until all have come; return where they come."""
        self._given = None
        if self.run.watermark is not None:
            self.run.watermark.reserve()
        results = [value for _, value in self._buffer]
        self._buffer.clear()
        self.on_next = results.append  # pyright: ignore[reportAttributeAccessIssue]  # nobody names the parameter
        return results

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

    def _go_on(self) -> None:
        if not self.run.closed:
            self.run.go_on()

    async def _more(self) -> None:
        """Do what can be done at once; if that gives nothing, wait."""
        self._tell = self.run.serve
        try:
            self.run.drain_within()
        except BaseException:  # the end of the process; it reaches the consumer here and now
            self._error = None
            raise
        finally:
            self._tell = None
            self.run.has_served = False
        if not self._buffer and not self._ended:
            self._waiter = self.run.loop.create_future()
            self._tell = self._notify
            try:
                await self._waiter
            finally:
                self._waiter = self._tell = None

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

    async def _end(self) -> None:
        self.is_over = True
        error, self._error = self._error, None
        watermark = self.run.watermark
        if self._is_complete and watermark is not None:
            watermark.freeze(is_empty=True)
        try:
            error = await self._outcome(error)
            if error is not None:
                raise error
            if self._is_complete and watermark is not None:
                watermark.complete()
            raise StopAsyncIteration
        finally:
            del error  # its traceback leads to this frame

    async def _outcome(self, error: BaseException | None) -> BaseException | None:
        """Close, wait for the end, and return what is to be raised then, besides `error`."""
        run = self.run
        try:
            await run.wait_closed()
            return run.failures.outcome(error) if run.is_ended() else error
        except asyncio.CancelledError as cancelled:
            if cancelled.__context__ is None:
                cancelled.__context__ = error
            if run.is_ended():
                run.failures.outcome(cancelled)
            raise
        finally:
            del error  # its traceback leads to this frame
