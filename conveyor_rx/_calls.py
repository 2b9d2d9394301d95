"""How is a user's function called, and what are its outputs? One answer for every kind.

Here, and nowhere else, it is asked whether a callable is plain, async or a generator function.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, NamedTuple, cast

from .error_handling import Policy

__all__ = [
    "AWAITABLES",
    "MANY",
    "Call",
    "is_async",
    "is_generator",
    "is_short",
    "name_of",
    "outputs",
]

AWAITABLES = (CoroutineType, asyncio.Future)
"""Results of a plain function that are awaited. (An Observable is awaitable too, but a value.)"""

MANY = (list, GeneratorType, AsyncGeneratorType)
"""Results that stand for many outputs; any other value is one output, None is none."""

SHORT = 256
"""Outputs that are passed on in one go; more are passed on as the line has room."""


class Call(NamedTuple):
    """A user's function as the engine calls it: `function(item)`, and what happens when it fails.

    `prepare` is awaited once, before the first call, where `function` needs it.
    """

    function: Callable[[Any], Any]
    is_async: bool
    is_generator: bool
    policy: Policy
    prepare: Callable[[], Awaitable[Callable[[Any], Any]]] | None = None


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` gives a coroutine."""
    return inspect.iscoroutinefunction(_underlying(function))


def is_generator(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` gives a generator or an async generator."""
    function = _underlying(function)
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def name_of(function: Callable[..., Any]) -> str:
    """Return the name that messages use for `function`."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


def is_short(result: Any) -> bool:
    """Tell whether `result` is a list that may be passed on in one go."""
    return isinstance(result, list) and len(cast("list[Any]", result)) <= SHORT


async def outputs(result: Any) -> AsyncGenerator[Any]:
    """Yield the outputs of a list, a generator or an async generator, and close that at the end."""
    if isinstance(result, AsyncGeneratorType):
        async with aclosing(cast("AsyncGenerator[Any]", result)) as values:
            async for value in values:
                yield value
    elif isinstance(result, GeneratorType):
        with closing(cast("Generator[Any]", result)) as values:
            for value in values:
                yield value
    else:
        for value in cast("list[Any]", result):
            yield value


def _underlying(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    call = type(function).__call__
    return call if inspect.isfunction(call) else function
