"""Does a function fit what it will be called with?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

__all__ = [
    "check_call",
    "check_function",
    "lacking",
    "needs_arguments",
    "refuse_class_method",
    "unwrap",
]


def unwrap(function: Any) -> tuple[Callable[..., Any], Any]:
    """Return the function of a class or static method, and what binds it; else None for that."""
    if isinstance(function, classmethod | staticmethod):
        return function.__func__, function  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # of anything
    return function, None


def check_function(function: object) -> None:
    """Raise a TypeError unless `function` can become a task."""
    if not callable(function):
        raise TypeError(f"func must be callable, not {function!r}")


def refuse_class_method(task: object, owner: type[Any]) -> None:
    """Raise a TypeError if `task` is what a class method of `owner` wraps.

    Since Python 3.13 a class method doesn't bind what it wraps: it calls it with the class, which
    the task would take for its data.
    """
    for part in owner.__mro__:
        for name, value in vars(part).items():
            if isinstance(value, classmethod) and cast("Any", value).__func__ is task:
                raise TypeError(
                    f"{owner.__name__}.{name} is a class method of a task: "
                    "write the task's decorator above @classmethod, not below it"
                )


def lacking(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[str]:
    """Name the parameters that need a value and get none from a call with these arguments."""
    signature = _signature(function)
    if signature is None:
        return []
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError:  # too many or unknown ones: `check_call` says so
        return []
    return [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in given
    ]


def check_call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise a TypeError unless `function` can be called with these arguments."""
    signature = _signature(function)
    if signature is None:
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{error}; the signature is {signature}") from None


def needs_arguments(function: Callable[..., Any]) -> bool:
    """Tell whether a call of `function` needs arguments, as far as can be told."""
    return _signature(function) is None or bool(lacking(function, (), {}))


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have none
        return None
