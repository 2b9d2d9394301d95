"""How do results leave a run that is pulled? As they are asked for, or all at its end."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from typing import Any

from ..._errors.tracebacks import hides
from ..run import UNBOUNDED, Run
from .buffer import Buffer

__all__ = ["BUSY", "Reader"]

__tracebackhide__ = hides  # for pytest

BUSY = (
    "this stream is already being read by another consumer; "
    "call the pipeline again for a second stream, or use subscribe()"
)
_ELSEWHERE = (
    "this stream's run began on another event loop; use it there, or call the pipeline again here"
)


class Reader(Buffer):
    """The end of a run that is pulled.

    While the consumer drains the run inside of `next`, it lets others go on for a moment only once
    there is a result: fast stages fill the buffer, slow ones delay nobody.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._loop = run.loop
        self._busy = False

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

    def _collects(self) -> list[Any]:
        """Take note that nobody has got the results until all have come; return where they come."""
        self._given = None
        if self.run.watermark is not None:
            self.run.watermark.reserve()
        results = [value for _, value in self._buffer]
        self._buffer.clear()
        self.on_next = results.append  # pyright: ignore[reportAttributeAccessIssue]  # nobody names the parameter
        return results

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
