"""Does a function fit what it will be called with?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from inspect import Signature
from typing import Any

from .._given_options import NAMES as OPTION_NAMES
from ..context import PipelineContext
from .annotations import signature_of, signature_text

__all__ = [
    "check_call",
    "check_function",
    "fits",
    "lacking",
    "needs_arguments",
    "signature_or_none",
    "unwrap",
]

SETTINGS = frozenset(field.name for field in dataclasses.fields(PipelineContext))


def unwrap(function: Any) -> tuple[Callable[..., Any], Any]:
    """Return the function of a class or static method, and what binds it; else None for that."""
    if isinstance(function, classmethod | staticmethod):
        return function.__func__, function  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # of anything
    return function, None


def check_function(function: object) -> None:
    """Raise a TypeError unless `function` can become a task."""
    if not callable(function):
        raise TypeError(f"func must be callable, not {function!r}")


def fits(signature: Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a function can be called with these arguments, as far as can be told."""
    if signature is None:
        return False
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def lacking(
    signature: Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[str]:
    """Name the parameters that need a value and get none from a call with these arguments."""
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


def check_call(signature: Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise a TypeError unless a function can be called with these arguments."""
    if signature is None:
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        meant = _meant(signature, kwargs)
        text = signature_text(signature)
        raise TypeError(f"{error}{meant}; the signature is {text}") from None


def needs_arguments(function: Callable[..., Any]) -> bool:
    """Tell whether a call of `function` needs arguments, as far as can be told."""
    return not fits(signature_or_none(function), (), {})


def _meant(signature: Signature, kwargs: dict[str, Any]) -> str:
    """Say what the names that the signature does not have may have been meant to be."""
    from .._text.near_miss import near_miss

    names = list(signature.parameters)
    for name in kwargs:
        if name in names:
            continue
        if parameter := near_miss(name, names):
            return f"; did you mean {parameter!r}?"
        if name in SETTINGS:
            return f"; it is a setting: with_context({name}=...)"
        if name in OPTION_NAMES:
            return "; it is an option of the decorator"
    return ""


def signature_or_none(function: Callable[..., Any]) -> Signature | None:
    """Return the signature of `function`, which takes 20 µs and more; some builtins have none."""
    try:
        return signature_of(function)
    except (TypeError, ValueError):
        return None
