"""How is an async iterable pulled at the pace of a gate?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, TypeGuard

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
        self._stopped = False
        self._was_cut = False

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
        if not self._stopped:
            self._stopped = self._was_cut = True
            if self._task is not None:
                self._run.cancel(self._task)
            else:
                self._out = Subscriber()

    async def _pull(self) -> None:
        error: BaseException | None = None
        iterator: AsyncIterator[Any] | None = None
        emitting = self._run.emitting
        self._begun = True
        if self._stopped:
            return
        try:
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
                if self._stopped:
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
        self._open = _exhausted
        try:
            await self._aclose(iterator)
        except BaseException as caught:
            if error is None:
                error = caught
            else:
                self._run.failures.add(caught, self._where)
        try:
            self._finish(error)
            if self._is_to_be_raised(error):
                self._run.keep(asyncio.current_task())
                raise error
        finally:
            del error  # its traceback leads here
            self._out = Subscriber()  # which may lead back here

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
        stopped, self._stopped = self._stopped, True
        if error is not None and issubclass(type(error), (KeyboardInterrupt, SystemExit)):
            self._run.crash(error)
        elif not stopped:
            self._pass_on(self._end, error)
        elif error is not None:
            self._run.failures.add(error, self._where)

    def _is_to_be_raised(self, error: BaseException | None) -> TypeGuard[BaseException]:
        """Tell whether `error` ends the process, or is a cancellation from outside."""
        if issubclass(type(error), asyncio.CancelledError):
            task = asyncio.current_task()
            return not self._was_cut and task is not None and bool(task.cancelling())
        return error is not None and not issubclass(type(error), Exception)


async def _exhausted() -> AsyncIterable[Any]:
    raise RuntimeError("this source was read already")
