"""How is a call ended that takes too long? Cancelled and awaited; then it has failed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from types import TracebackType
from typing import Any

from .calls import is_async, is_async_generator, name_of

__all__ = ["check_timeout", "within"]


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

    @named
    async def call(*args: Any, **kwargs: Any) -> Any:
        async with _Limit(seconds, seconds):
            return await function(*args, **kwargs)

    @named
    async def generate(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        clock, left = asyncio.get_running_loop().time, seconds
        async with aclosing(function(*args, **kwargs)) as values:
            while True:
                start = clock()
                try:
                    async with _Limit(seconds, left):
                        value = await anext(values)
                except StopAsyncIteration:
                    return
                left -= clock() - start
                yield value

    return generate if is_async_generator(function) else call


class _Limit(AbstractAsyncContextManager[None]):
    """As `asyncio.timeout`, but a call that is late has failed, also if it has suppressed that."""

    def __init__(self, seconds: float, left: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(left)

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
            raise self._late() from error
        if error is None and self._timeout.expired():
            raise self._late()

    def _late(self) -> TimeoutError:
        return TimeoutError(f"the call took longer than timeout={self._seconds:g} s")
