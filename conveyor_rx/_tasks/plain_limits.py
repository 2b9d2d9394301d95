"""Can calls of a function run at once? Those of a plain `def` can't, whatever the limit."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

from .._functions.annotations import result_annotation
from .._functions.calls import is_async, is_generator, underlying

__all__ = ["one_at_a_time", "warn_of_limit"]

UNKNOWN = ("Any", "object", "Awaitable", "Coroutine", "Future", "Task")
"""Results that are, or may be, awaited."""


def one_at_a_time(function: Callable[..., Any]) -> bool:
    """Tell whether a call of `function` has ended when it returns, as far as can be seen."""
    function = underlying(function)
    if inspect.ismethod(function):
        function = function.__func__
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        return False
    function = inspect.unwrap(function)  # what is behind a decorator decides
    if not inspect.isfunction(function) or is_async(function) or is_generator(function):
        return False
    if (function.__module__ or "").partition(".")[0] == "asyncio":  # it doesn't annotate
        return False
    return not _may_be_awaited(function)


def warn_of_limit(function: Callable[..., Any], limit: int, name: str) -> None:
    """Warn, at the user's line, if `limit` calls at once can't be, for they are those of a `def`.

    A plain function that returns awaitables has calls at once; it is known by its annotation. Of
    lambdas and of what isn't written in Python nothing is known.
    """
    if not one_at_a_time(function):
        return
    warnings.warn(
        f"task {name!r} has concurrency_limit={limit}, but runs one call at a time: it is a plain "
        "`def`, and those run on the event loop itself. Make it an `async def` that awaits; what "
        "blocks goes into a thread, by `await asyncio.to_thread(...)`. (Does it return an "
        "awaitable? Then annotate it so: `-> Awaitable[...]`.)",
        RuntimeWarning,
        stacklevel=_level_of_user(),
    )


def _level_of_user() -> int:
    """Give the `stacklevel` of the first frame that is not of this package, for the caller."""
    level, frame = 0, inspect.currentframe()
    ours = (__name__.partition(".")[0], "typing")  # which is between in `BatchTask[int, int](…)`
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in ours:
        level, frame = level + 1, frame.f_back
    return level


def _may_be_awaited(function: FunctionType) -> bool:
    """Tell whether the annotation of the result speaks of an awaitable, or of anything."""
    result = result_annotation(function)
    if isinstance(result, str):
        result = function.__globals__.get(result, result)
    return hasattr(result, "__await__") or any(word in str(result) for word in UNKNOWN)
