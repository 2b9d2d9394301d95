"""How does a stage join that is written as `process(items)`: an async iterable in, one out?"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any

from .._errors.blame import blame_task
from .._inputs import Inputs, named
from .counters import Counters
from .pull import Pull
from .run import Run
from .subscriber import Subscriber, cut_upstream

__all__ = ["Process"]

Processor = Callable[[AsyncIterator[Any]], AsyncIterable[Any] | Awaitable[AsyncIterable[Any]]]


class Process(Subscriber):
    """One run of a user's `process`: it pulls `items` from here and is pulled in its turn.

    Order and errors: its own; an error from upstream is raised where it pulls. Cancellation: its
    iterator is closed, and awaited. Pressure: one item is fetched ahead, once it pulls.
    """

    def __init__(self, run: Run, processor: Processor, counters: Counters) -> None:
        self.run = run
        self._counters = counters
        self._items: deque[Any] = deque()
        self._inputs: deque[Inputs] = deque()  # that they come from
        self._came: Inputs = None  # of what it has fetched last; what it gives comes from that
        self._has_begun = False  # an item has come
        self._ended = False
        self._error: BaseException | None = None
        self._given: BaseException | None = None  # an error from upstream
        self._waiting: asyncio.Future[None] | None = None
        # As a gate: open, once `process` has asked for a first item, while none is here.
        self.size = 1
        self.limit = 1
        self.upstream_bit = 0
        self.pull = Pull(
            run,
            lambda: processor(_Items(self)),
            _Outputs(self),
            name=counters.stage,
            where=f"in task {counters.stage!r}",
        )

    def subscribed(self) -> Process:
        self.pull.begin()
        return self

    def on_next(self, value: Any) -> None:
        self._counters.in_ += 1
        if not self._has_begun:
            self._has_begun = True
            self.run.lose_sight()
        self._items.append(value)
        self._inputs.append(self.run.inputs)
        self._arrived()

    def on_error(self, error: Exception) -> None:
        self._error = self._given = error
        self.on_completed()

    def on_completed(self) -> None:
        self._ended = True
        self._arrived()

    def cut(self) -> None:
        self._let_go()
        self._error = self._given = None
        self.on_completed()  # a `process` that asks once more finds the end
        self.pull.cut()

    async def fetch(self) -> Any:
        """Wait for the next item; StopAsyncIteration and errors as upstream ended."""
        if self._waiting is not None and not self._waiting.done():
            raise RuntimeError("anext(): the items of this stage are being waited for already")
        while not self._items:
            if self._ended:
                error, self._error = self._error, None
                try:
                    raise StopAsyncIteration if error is None else error
                finally:
                    del error  # its traceback leads here
            self._open()
            if not self._items and not self._ended:
                self._waiting = self.run.loop.create_future()
                await self._waiting
        item = self._items.popleft()
        self._came = self._inputs.popleft()
        self._counters.completed += 1
        self._open()
        return item

    def _open(self) -> None:
        self.size = len(self._items)
        self.run.ready |= self.upstream_bit
        self.run.drain()

    def _arrived(self) -> None:
        self.size = 1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _let_go(self) -> None:
        """Let go of the items that `process` has not fetched."""
        self._counters.cancelled += len(self._items)
        for inputs in self._inputs:
            self.run.lose(inputs)
        self._items.clear()
        self._inputs.clear()

    # -- what `process` gives

    def put_out(self, value: Any) -> None:
        """Pass on an output of `process`."""
        if value is None:
            self._counters.dropped_outputs += 1
        else:
            self._counters.out += 1
            self.run.inputs = self._came
            self.out.on_next(value)

    def fail(self, error: BaseException) -> None:
        """Pass on what `process` ended with, and say where, if it is an error of its own."""
        is_given = error is self._given
        self.leave()
        if not is_given:
            error = blame_task(error, self._counters.stage, named(self._came))
        self.out.on_error(error)  # pyright: ignore[reportArgumentType]  # Rx says Exception; a CancelledError passes as well

    def leave(self) -> None:
        """Let go of what is upstream: `process` has ended, perhaps before its items."""
        self._let_go()
        self._given = None
        cut_upstream(self, self.run)


class _Outputs(Subscriber):
    def __init__(self, stage: Process) -> None:
        self._stage = stage

    def on_next(self, value: Any) -> None:
        self._stage.put_out(value)

    def on_error(self, error: Exception) -> None:
        self._stage.fail(error)

    def on_completed(self) -> None:
        self._stage.leave()
        self._stage.out.on_completed()


class _Items(AsyncIterator[Any]):
    def __init__(self, stage: Process) -> None:
        self._stage = stage

    async def __anext__(self) -> Any:
        return await self._stage.fetch()
