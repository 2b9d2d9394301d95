"""How is an async iterable pulled at the pace of a gate?"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeGuard, cast

from reactivex import abc

from .closing.cancellation import cancellation_of
from .run import Run
from .subscriber import Subscriber
from .turns.trampoline import Gate

__all__ = ["Pull"]


class Pull:
    """A task that pulls from what `open_` gives, and emits while the gate is open.

    One `aiter`, `__anext__` never overlaps itself, and the iterator is closed once, whatever ends
    the pulling. Give it a first turn to start it; an opened gate gives it further turns.
    """

    bit = 0
    gate: Gate
    reads_ahead = False

    def __init__(
        self,
        run: Run,
        open_: Callable[[], AsyncIterable[Any] | Awaitable[AsyncIterable[Any]]],
        out: abc.ObserverBase[Any],
        *,
        name: str,
        where: str,
    ) -> None:
        self._run = run
        self._open = open_
        self._out = out
        self._name = name  # of the task
        self._where = where  # for messages
        self._task: asyncio.Task[None] | None = None
        self._resume: asyncio.Future[None] | None = None
        self._subscribed = False
        self._begun = False
        self._stopped = False  # nothing more is to be pulled
        self._was_cut = False  # and nobody is to hear of the end
        self._is_over = False  # nothing is being pulled any more, nor will be
        self._interrupted = False  # a pull that was under way, since nothing more is wanted
        self._has_told = False  # the end

    def begin(self) -> None:
        """Pull at the next turn and not before."""
        self._subscribed = True
        self._run.ready |= self.bit
        self._run.schedule()

    def step(self) -> None:
        if self._stopped or not self._subscribed:
            return
        if self._task is None:
            self._task = self._run.start(self._pull(), self._name)
            self._task.add_done_callback(self.lost)
        elif self._resume is not None and not self._resume.done():
            self._resume.set_result(None)

    def cut(self) -> None:
        """Stop pulling; the task closes the iterator."""
        if not self._was_cut and not self._has_told:
            self._stopped = self._was_cut = True
            if self._task is not None:
                self._run.cancel(self._task)
            else:
                self._out = Subscriber()

    def stop(self) -> None:
        """Pull nothing more, and end then, as if nothing more had come."""
        self._stopped = True

    def interrupt(self) -> None:
        """Cancel the pull that is under way, if there is one, when no more is to be pulled.

        What it gives all the same is passed on.
        """
        task = self._task
        if task is None or self._is_over or self._interrupted or self._was_cut:
            return
        if task in self._run.emitting:
            return  # it finds out when it gets back
        state = inspect.getcoroutinestate(cast("Coroutine[Any, Any, Any]", task.get_coro()))
        if state == "CORO_RUNNING":  # in code of the iterator, which has led here
            self._run.loop.call_soon(self.interrupt)
        elif state == "CORO_SUSPENDED":
            self._interrupted = True
            task.cancel()

    async def _pull(self) -> None:
        error: BaseException | None = None
        iterator: AsyncIterator[Any] | None = None
        emitting = self._run.emitting
        self._begun = True
        if self._was_cut:
            return
        try:
            if self._stopped:
                raise StopAsyncIteration  # before it was opened
            opened = self._open()
            iterable = opened if isinstance(opened, AsyncIterable) else await opened
            iterator = aiter(iterable)
            while not self._stopped:
                while self.gate.size >= self.gate.limit or self._run.paused:
                    self._resume = self._run.loop.create_future()
                    await self._resume
                if self._run.pace.is_late():
                    await self._run.pace.turn()
                    continue
                value = await anext(iterator)
                if self._was_cut:
                    break
                emitting.add(self._task)
                try:
                    self._pass_on(self._out.on_next, value)
                finally:
                    emitting.discard(self._task)
        except StopAsyncIteration:
            pass
        except BaseException as caught:
            error = caught
        try:
            error = await self._ended(iterator, error)
            self._finish(error)
            if self._is_to_be_raised(error):
                self._run.keep(asyncio.current_task())
                raise error
        finally:
            del error  # its traceback leads here
            self._out = Subscriber()  # which may lead back here

    async def _ended(
        self, iterator: AsyncIterator[Any] | None, error: BaseException | None
    ) -> BaseException | None:
        """Close the iterator; return what it all ended with, which is `error` before that."""
        self._is_over = True
        if self._interrupted:
            error = _without_ours(error)
        self._open = _exhausted
        try:
            await self._aclose(iterator)
        except BaseException as caught:
            if error is None:
                return caught
            self._run.failures.add(caught, self._where)
        try:
            return error
        finally:
            del error  # its traceback leads here

    def _pass_on(self, pass_on: Callable[[Any], None], what: Any) -> None:
        try:
            self._run.take_turn(pass_on, what)
        except Exception as error:  # of an observer, downstream
            self._run.crash(error)

    def _end(self, error: BaseException | None) -> None:
        if error is None:
            self._out.on_completed()
        else:
            self._out.on_error(error)  # pyright: ignore[reportArgumentType]  # Rx says Exception; a CancelledError passes as well

    def lost(self, task: asyncio.Task[None]) -> None:
        """Take note that `task` was cancelled from outside before it began."""
        if task.cancelled() and not self._begun:
            self._finish(cancellation_of(task))

    async def _aclose(self, iterator: AsyncIterator[Any] | None) -> None:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()

    def _finish(self, error: BaseException | None) -> None:
        self._stopped = self._has_told = True
        if error is not None and issubclass(type(error), (KeyboardInterrupt, SystemExit)):
            self._run.crash(error)
        elif not self._was_cut:
            self._pass_on(self._end, error)
        elif error is not None:
            self._run.failures.add(error, self._where)

    def _is_to_be_raised(self, error: BaseException | None) -> TypeGuard[BaseException]:
        """Tell whether `error` ends the process, or is a cancellation from outside."""
        if issubclass(type(error), asyncio.CancelledError):
            task = asyncio.current_task()
            return not self._was_cut and task is not None and bool(task.cancelling())
        return error is not None and not issubclass(type(error), Exception)


def _without_ours(error: BaseException | None) -> BaseException | None:
    """Take back our own cancellation of the current task; return what else it ended with."""
    task = asyncio.current_task()
    assert task is not None
    is_from_outside = task.uncancel() > 0
    is_cancellation = issubclass(type(error), asyncio.CancelledError)
    return error if is_from_outside or not is_cancellation else None


async def _exhausted() -> AsyncIterable[Any]:
    raise RuntimeError("this source was read already")
