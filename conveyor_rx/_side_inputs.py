"""What do calls get beside the item? Values, values still to come, and shared generators.

A coroutine, a future or the first item of an AsyncStream is resolved once, before the first call,
and shared by all calls and runs of the task. An async generator is handed to every call; calls of
`anext` on it are serialised, in the order in which the calls started.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import CoroutineType
from typing import Any, cast

from ._calls import AWAITABLES, outputs
from .stream import AsyncStream

__all__ = ["SideInputs"]


class SideInputs:
    """The side inputs of one task, in the form in which they are passed on."""

    def __init__(self, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        self.args = tuple(_wrap(value) for value in args)
        self.kwargs = {name: _wrap(value) for name, value in (kwargs or {}).items()}
        values = [*self.args, *self.kwargs.values()]
        self.is_pending = any(isinstance(value, _Once) for value in values)
        self.has_generator = any(isinstance(value, _InOrder) for value in values)

    def extended(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SideInputs:
        """Return these inputs with `args`, if any, in place of theirs, and `kwargs` added."""
        added = SideInputs(args, kwargs)
        added.args = added.args or self.args
        added.kwargs = {**self.kwargs, **added.kwargs}
        added.is_pending |= self.is_pending
        added.has_generator |= self.has_generator
        return added

    def bind(self, function: Callable[..., Any], *, with_item: bool) -> Callable[[Any], Any]:
        """Make `function` a function of the item alone; for inputs that are here already."""
        args, kwargs = self.args, self.kwargs
        if not with_item:
            return lambda _: function(*args, **kwargs)
        if not args and not kwargs:
            return function
        return lambda item: function(item, *args, **kwargs)

    async def resolve(self) -> SideInputs:
        """Wait for the inputs that are still to come and return the whole as values."""
        resolved = SideInputs()
        resolved.args = tuple([await _value(value) for value in self.args])
        resolved.kwargs = {name: await _value(value) for name, value in self.kwargs.items()}
        resolved.has_generator = self.has_generator
        return resolved

    def in_turns(self, function: Callable[..., Any], *, generator: bool) -> Callable[..., Any]:
        """Wrap `function` so that each call gets its own turn at the generators among its inputs.

        What comes out is async: a coroutine function, or an async generator function.
        """

        async def call(*args: Any, **kwargs: Any) -> Any:
            turns = _Turns()
            try:
                result: Any = function(*turns.of(args), **turns.of_named(kwargs))
                return await result if issubclass(type(result), AWAITABLES) else result
            finally:
                turns.end()

        async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
            turns = _Turns()
            try:
                result = function(*turns.of(args), **turns.of_named(kwargs))
                async with aclosing(outputs(result)) as values:
                    async for value in values:
                        yield value
            finally:
                turns.end()

        return generate if generator else call


def _wrap(value: Any) -> Any:
    if isinstance(value, CoroutineType | asyncio.Future | AsyncStream):
        return _Once(cast("object", value))
    if isinstance(value, AsyncGenerator) and not isinstance(value, _InOrder | _Turn):
        return _InOrder(cast("AsyncGenerator[Any, Any]", value))
    return value


async def _value(value: Any) -> Any:
    return await value.get() if isinstance(value, _Once) else value


class _Once:
    """A value to come, awaited by one task however many runs wait for it."""

    def __init__(self, source: object) -> None:
        self._source: Any = source
        self._task: asyncio.Task[Any] | None = None
        self._waiters = 0

    async def get(self) -> Any:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._resolve())
        task = self._task
        if task.done():  # perhaps on another loop
            return task.result()
        self._waiters += 1
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if self._waiters == 1 and not task.done():  # nobody else waits for it
                self._task = None
                task.cancel()
                await asyncio.wait({task})
                self._close_source()
            raise
        finally:
            self._waiters -= 1
        return task.result()

    def __del__(self) -> None:
        if self._task is None:
            self._close_source()

    def _close_source(self) -> None:
        """Close a coroutine that was given to us and that no run came to need."""
        source: Any = self._source
        if isinstance(source, CoroutineType):
            cast("CoroutineType[Any, Any, Any]", source).close()

    async def _resolve(self) -> Any:
        source: Any = self._source
        if isinstance(source, asyncio.Future):  # a user's own, not ours to cancel
            future = cast("asyncio.Future[Any]", source)
            await asyncio.wait({future})
            return future.result()
        if not isinstance(source, AsyncStream):
            return await source
        async with aclosing(cast("AsyncStream[Any]", source)) as stream:
            async for value in stream:
                return value
        raise RuntimeError("a side input, an AsyncStream, ended without an item")


class _InOrder:
    """An async generator that many calls share, and those that have not asked it yet, in order."""

    def __init__(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.generator = generator
        self.lock = asyncio.Lock()
        self.turns: deque[_Turn] = deque()


class _Turn(AsyncGenerator[Any, Any]):
    """The generator as one call sees it: its first request waits for those of earlier calls."""

    def __init__(self, shared: _InOrder) -> None:
        self._shared = shared
        self._passed = False
        self._first: asyncio.Future[None] | None = None
        shared.turns.append(self)

    async def asend(self, value: Any) -> Any:
        return await self._ask(lambda: self._shared.generator.asend(value))

    async def athrow(self, *args: Any) -> Any:
        return await self._ask(lambda: self._shared.generator.athrow(*args))

    def pass_on(self) -> None:
        """Let the next call have its turn."""
        self._passed = True
        turns = self._shared.turns
        while turns and turns[0]._passed:
            turns.popleft()
        if turns and turns[0]._first is not None and not turns[0]._first.done():
            turns[0]._first.set_result(None)

    async def _ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        if not self._passed and self._shared.turns[0] is not self:
            self._first = asyncio.get_running_loop().create_future()
            await self._first
        self.pass_on()
        async with self._shared.lock:
            return await request()


class _Turns:
    """The turns of one call."""

    def __init__(self) -> None:
        self._turns: list[_Turn] = []

    def of(self, values: tuple[Any, ...]) -> list[Any]:
        return [self._turn(value) for value in values]

    def of_named(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self._turn(value) for name, value in values.items()}

    def end(self) -> None:
        for turn in self._turns:
            turn.pass_on()

    def _turn(self, value: Any) -> Any:
        if not isinstance(value, _InOrder):
            return value
        turn = _Turn(value)
        self._turns.append(turn)
        return turn
