"""How is a call ended that takes too long? Cancelled and awaited; then it has failed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from contextvars import ContextVar
from functools import partial
from types import AsyncGeneratorType, TracebackType
from typing import Any, cast

from .calls import is_async, is_async_generator, is_awaitable, name_of
from .time_limits import limited

__all__ = ["Deadline", "check_timeout", "is_late", "is_over", "late", "within"]


def check_timeout(function: Callable[..., Any]) -> None:
    """Raise a ValueError if nothing could interrupt a call of `function`."""
    if not (is_async(function) or is_async_generator(function)):
        raise ValueError(
            f"timeout doesn't fit {name_of(function)!r}: it is no `async def`, and nothing can "
            "interrupt a plain function on the event loop. Make it an `async def` that awaits, for "
            "example `await asyncio.to_thread(...)` of what blocks"
        )


def within(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """Return an async (generator) function whose calls fail with TimeoutError after `seconds`.

    Of an async generator only the time counts in which it works on its next output.
    """
    named = functools.wraps(function, updated=())  # an object keeps its attributes to itself
    option = f"timeout={seconds:g} s"

    @named
    async def generate(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with aclosing(_outputs(function(*args, **kwargs), option, seconds)) as values:
            async for value in values:
                yield value

    if is_async_generator(function):
        return generate
    return named(limited(function, seconds, partial(_late, option)))


def is_late(error: BaseException) -> bool:
    """Tell whether `error` is the TimeoutError of a call that was ended here."""
    return type(error) is TimeoutError and type(error.args[0] if error.args else "") is _Late


def late(seconds: float) -> TimeoutError:
    """Return the failure of a call that has taken longer than `timeout` allows."""
    return _late(f"timeout={seconds:g} s")


def _late(option: str) -> TimeoutError:
    return TimeoutError(_Late(f"the call took longer than {option}"))


class _Late(str):
    """The text of a TimeoutError of ours, by which it is told from one of the user's code."""

    __slots__ = ()


def is_over() -> bool:
    """Tell whether the time for all attempts at the current call is over: that is what ends it."""
    deadline = _deadline.get()
    return deadline is not None and deadline.left <= 0


class Deadline:
    """When the time for all attempts at one call is over; it begins now."""

    __slots__ = ("_end", "_option", "_time")

    def __init__(self, seconds: float) -> None:
        self._option = f"total_timeout={seconds:g} s"
        self._time = asyncio.get_running_loop().time
        self._end = self._time() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; at most 0 when it is over."""
        return self._end - self._time()

    @property
    def why(self) -> str:
        """What a note says of a call for which there is no time."""
        return f"no time left of {self._option}"

    def bound(self, result: Any) -> Any:
        """Return what a function gave, as one that fails with TimeoutError when the time is over.

        Nothing can interrupt what is no awaitable and no async generator.
        """
        if type(result) is AsyncGeneratorType:
            values = cast("AsyncGenerator[Any]", result)
            return _outputs(values, self._option, self.left)
        return self._result(result) if is_awaitable(result) else result

    async def _result(self, result: Awaitable[Any]) -> Any:
        token = _deadline.set(self)
        try:
            async with _Limit(self._option, self.left):
                return await result
        finally:
            _deadline.reset(token)


_deadline: ContextVar[Deadline | None] = ContextVar("conveyor_rx.deadline", default=None)


async def _outputs(values: AsyncGenerator[Any], option: str, seconds: float) -> AsyncGenerator[Any]:
    """Yield those of `values`, which may take `seconds` in all, without what the reader takes."""
    clock, left = asyncio.get_running_loop().time, seconds
    async with aclosing(values):
        while True:
            start = clock()
            try:
                async with _Limit(option, left):
                    value = await anext(values)
            except StopAsyncIteration:
                return
            left -= clock() - start
            yield value


class _Limit(AbstractAsyncContextManager[None]):
    """As `asyncio.timeout`, but a call that is late has failed, also if it has suppressed that."""

    def __init__(self, option: str, seconds: float) -> None:
        self._option = option
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise TimeoutError for a cancellation that is the timeout's own, and for no other."""
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise _late(self._option) from error
        if error is None and self._timeout.expired():
            raise _late(self._option)
