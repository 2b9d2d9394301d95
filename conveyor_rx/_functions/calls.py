"""How is a user's function called, and what are its outputs? One answer for every kind.

Here, and nowhere else, it is asked whether a callable is plain, async or a generator function.
"""

from __future__ import annotations

import concurrent.futures
import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from types import AsyncGeneratorType, CodeType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, cast

from reactivex import Observable

from .._policy import Policy
from .._record import Record

if TYPE_CHECKING:
    from .._limits.shared import SharedLimit
    from .elsewhere import Elsewhere

__all__ = [
    "MANY",
    "Call",
    "advice",
    "attribute_of",
    "check_one_output",
    "check_plain",
    "discard",
    "is_async",
    "is_async_generator",
    "is_awaitable",
    "is_generator",
    "is_short",
    "name_of",
    "outputs",
    "underlying",
]

MANY = (list, GeneratorType, AsyncGeneratorType)
"""Results that stand for many outputs; any other value is one output, None is none."""

# A value is asked for its type alone: `isinstance` would ask it for its class, and that may run
# code of the user's (a lazy object would be evaluated, a dead weak reference raises).

_mro_of: Callable[[type[Any]], tuple[type[Any], ...]] = type.__dict__["__mro__"].__get__
_namespace_of: Callable[[type[Any]], Mapping[str, Any]] = type.__dict__["__dict__"].__get__

SHORT = 256
"""Outputs that are passed on in one go; more are passed on as the line has room."""

SHORT_OF_BATCH = 2048
"""The same of a batch, if they are no more than its items: these had as much room."""


class Call(Record):
    """A user's function as the engine calls it: `function(item)`, and what happens when it fails.

    `prepare(run)` is awaited once, before the first call, where `function` needs it. Without
    `flatten` every result is one output.
    """

    function: Callable[[Any], Any]
    is_async: bool
    is_generator: bool
    policy: Policy
    prepare: Callable[[object], Awaitable[Callable[[Any], Any]]] | None = None
    flatten: bool = True
    is_plain: bool = False
    """It gives no coroutine, and no async generator."""
    timeout: float | None = None
    """The seconds that an attempt may take; `function` sees to that."""
    key: Callable[[Any], Any] | None = None
    """Calls for items of which it gives equal keys follow each other."""
    limits: Sequence[SharedLimit] = ()
    """What its attempts have to ask for, beside a slot."""
    elsewhere: Elsewhere | None = None
    """Who makes the calls, if `function` only waits for them."""
    executor: str = ""
    """How pictures name the workers."""
    usual_limit: int | None = None
    """How many calls there may be at once if the task does not say it: enough for all workers."""

    @property
    def has_time_limit(self) -> bool:
        """Whether an attempt may be ended for want of time."""
        return self.timeout is not None or self.policy.retry.total_timeout is not None

    @property
    def is_held(self) -> bool:
        """Whether items wait for more than a slot: for their key, or for limits."""
        return self.key is not None or bool(self.limits)


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` gives a coroutine."""
    function = underlying(function)
    return inspect.iscoroutinefunction(function) or _gives_old_coroutines(function)


def is_generator(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` gives a generator or an async generator."""
    function = underlying(function)
    if inspect.isgeneratorfunction(function):
        return not _gives_old_coroutines(function)
    return inspect.isasyncgenfunction(function)


def is_async_generator(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` gives an async generator."""
    return inspect.isasyncgenfunction(underlying(function))


def check_plain(function: Callable[..., Any]) -> None:
    """Raise a TypeError if `function` needs an event loop, which workers don't have."""
    if is_async(function) or is_async_generator(function):
        raise TypeError(
            f"executor doesn't fit {name_of(function)!r}: it is an async function, which runs on "
            "the event loop and not in a worker. Make it a plain `def`, or leave executor out"
        )


def check_one_output(function: Callable[..., Any]) -> None:
    """Raise a ValueError if what `function` gives can't be one output: flatten=False."""
    if is_generator(function):
        raise ValueError(
            f"flatten=False doesn't fit {name_of(function)!r}: what a generator function yields is "
            "one output each; return a list for one output"
        )


def name_of(function: Callable[..., Any]) -> str:
    """Return the name that messages use for `function`."""
    while isinstance(function, functools.partial):
        function = function.func
    name: str = getattr(function, "__name__", None) or type(function).__name__
    return f"{name}{_position(function)}" if name == "<lambda>" else name


def attribute_of(kind: type[Any], name: str) -> Any:
    """Return what a class or one of its bases defines under `name`, without asking a metaclass."""
    for base in _mro_of(kind):
        namespace = _namespace_of(base)
        if name in namespace:
            return namespace[name]
    return None


def is_awaitable(value: object) -> bool:
    """Tell whether `value` is to be awaited: an awaitable of any kind, but no Observable.

    (That can be awaited too, but is a value.) No code of the user's runs.
    """
    kind = type(value)
    if kind is GeneratorType:  # of a function marked by `types.coroutine`, perhaps
        code = cast("GeneratorType[Any, Any, Any]", value).gi_code
        return bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
    if kind is AsyncGeneratorType:
        return False
    return attribute_of(kind, "__await__") is not None and not issubclass(kind, Observable)


def discard(awaitable: Any) -> None:
    """Close a coroutine of any kind that nobody will await, unless it has begun."""
    kind = cast("type[Any]", type(awaitable))
    if kind is CoroutineType:
        is_new = inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED
    elif kind is GeneratorType:
        is_new = inspect.getgeneratorstate(awaitable) == inspect.GEN_CREATED
    else:  # such as those of Cython; a future is no coroutine, and is not ours to close
        is_new = all(attribute_of(kind, name) for name in ("send", "throw", "close"))
    if is_new:
        awaitable.close()


def underlying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what is called in the end: behind partials, and of an object its `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    call = type(function).__call__
    return call if inspect.isfunction(call) else function


def _position(function: Callable[..., Any]) -> str:
    """Return where in its file the body of a lambda begins, as ":line:column" from 1 on.

    Two lambdas may stand in one line. Two that were made at one place look alike.
    """
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return ""
    places = [(line, column) for line, _, column, end in code.co_positions() if end]
    line, column = min(((line or 0, column or 0) for line, column in places), default=(0, 0))
    return f":{line}:{column + 1}" if line else f":{code.co_firstlineno}"


def is_short(result: Any, items: int) -> bool:
    """Tell whether `result`, of a call for so many items, is a list to be passed on in one go.

    One of a subclass is not: to iterate it may run code of the user's.
    """
    most = SHORT if items <= SHORT else min(items, SHORT_OF_BATCH)
    return type(result) is list and len(cast("list[Any]", result)) <= most


def advice(result: Any) -> str:
    """Say what to return in place of a value that is one output and was hardly meant as one."""
    if issubclass(type(result), (map, filter, zip, enumerate)):
        return "return list(...) of it for one output for each element"
    if issubclass(type(result), concurrent.futures.Future):
        return "return asyncio.wrap_future(...) of it for its result"
    return ""


async def outputs(result: Any) -> AsyncGenerator[Any]:
    """Yield the outputs of a list, a generator or an async generator, and close that at the end."""
    if type(result) is AsyncGeneratorType:
        async with aclosing(cast("AsyncGenerator[Any]", result)) as values:
            async for value in values:
                yield value
    elif type(result) is GeneratorType:
        with closing(cast("Generator[Any]", result)) as values:
            for value in values:
                yield value
    else:
        for value in cast("list[Any]", result):
            yield value


def _gives_old_coroutines(function: Any) -> bool:
    """Tell whether `function` is a generator function that `types.coroutine` has marked."""
    code = getattr(function, "__code__", None)  # a method has that of its function
    return isinstance(code, CodeType) and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
