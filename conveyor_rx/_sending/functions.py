"""What is pickled in place of a function? Its name; that of a decorated one stands for its task."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any, cast

from .names import found_at, path_to
from .picklers import current_pickler

__all__ = ["REMEDY", "NamelessError", "Sent", "all_sent", "bound", "sent", "why_nameless"]


REMEDY = "Give it a name of its own at the top of a module that the other process can import"
WITH_CODE = f"{REMEDY}; or use cloudpickle, which takes code along"


class NamelessError(TypeError):
    """What was to be pickled can't be found by a name. The message says what, and why."""


class Sent:
    """What is pickled as a call, and arrives as its result."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._call = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def all_sent(fields: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return `fields` with all that is to be pickled in place of their functions.

    Raises:
        TypeError: one is a function without a name; the message names `owner` and the field.
    """
    found: dict[str, Any] = {}
    for name, value in fields.items():
        try:
            found[name] = sent(value)
        except NamelessError as error:
            text = f"{owner} can't be pickled: its {name} {error}. {WITH_CODE}"
            raise TypeError(text) from None
    return found


def sent(value: Any) -> Any:
    """Return what is to be pickled in place of `value`, so that the same arrives.

    That is another object for functions that pickle would not find: the plain function of a task, a
    method of that kind, or a partial of either. It depends on the pickler that is at work.

    Raises:
        NamelessError: it is a function without a name, and the pickler takes no code.
    """
    kind = cast("type[Any]", type(value))
    if kind is FunctionType:
        return _sent_function(value)
    if kind is MethodType:
        return _sent_method(value)
    if kind is functools.partial:
        function = sent(value.func)
        if function is not value.func:
            return Sent(partially, function, value.args, value.keywords)
    return value


def bound(function: Callable[..., Any], instance: Any) -> MethodType:
    """Return `function` as a method of `instance`: as which a bound method is pickled."""
    return MethodType(function, instance)


def partially(function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return a partial of `function`: as which one of a task's function is pickled."""
    return functools.partial(function, *args, **named)


def _sent_function(function: FunctionType) -> Any:
    pickler = current_pickler()
    if pickler.keeps(function.__module__):
        return function
    name, path = function.__qualname__, path_to(function)
    if path is None and not pickler.takes_code:
        raise NamelessError(why_nameless(function))
    if path is None or path == name:
        return function
    decorated = found_at(function.__module__, name)
    return Sent(operator.attrgetter(path.removeprefix(f"{name}.")), decorated)


def _sent_method(method: MethodType) -> Any:
    function: Any = method.__func__
    pickler = current_pickler()
    if pickler.keeps(getattr(function, "__module__", None)):
        return method
    if path_to(function) is not None:
        return Sent(bound, sent(function), method.__self__)
    name: str = getattr(function, "__name__", "")
    if pickler.takes_code or getattr(method.__self__, name, None) == method:
        return method
    raise NamelessError(why_nameless(function))


def why_nameless(function: Any) -> str:
    """Say why pickle can't find `function`."""
    name = getattr(function, "__qualname__", None) or repr(function)
    if found_at(function.__module__, name) is None:
        return f"{name} has no name of its own in a module"
    return f"{name} is not what stands under {function.__module__}.{name} now"
