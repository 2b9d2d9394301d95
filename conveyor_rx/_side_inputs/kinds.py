"""Which kind of side input is a value? It is here, it is still to come, or calls share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import CoroutineType
from typing import Any, cast

from .._functions.calls import is_async
from .._functions.signatures import needs_arguments
from ..stream import AsyncStream
from .in_turns import InOrder, Turn
from .later import Awaited, FirstOf, Later, Made
from .watched import Watched

__all__ = ["STAYS", "value_of", "wrapped"]

STAYS: dict[type[Any], str] = {
    Awaited: "a coroutine",
    FirstOf: "a stream",
    InOrder: "an async generator",
    Watched: "a future",
}
"""What a side input was that can't leave this process."""


def wrapped(value: Any, name: str) -> Any:
    """Return a side input in the form in which it is passed on; `name` is for messages."""
    kind: type[Any] = type(cast("object", value))
    if issubclass(kind, CoroutineType):
        return Awaited(name, cast("CoroutineType[Any, Any, Any]", value))
    if issubclass(kind, asyncio.Future):
        return Watched(name, cast("asyncio.Future[Any]", value))
    if issubclass(kind, AsyncStream):
        return FirstOf(name, cast("AsyncStream[Any]", value))
    if callable(value) and is_async(value) and not needs_arguments(value):
        return Made(name, value)
    if isinstance(value, AsyncGenerator) and not isinstance(value, Turn):
        return InOrder(cast("AsyncGenerator[Any, Any]", value))
    return value


async def value_of(value: Any, run: object) -> Any:
    """Wait for a side input that is still to come, for `run`, and return the value."""
    return await value.get(run) if isinstance(value, Later) else value
