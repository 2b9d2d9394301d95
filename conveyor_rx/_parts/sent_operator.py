"""How is an Rx operator pickled? As what made it: a function of reactivex, and its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from reactivex import Observable, compose

from .._sending.functions import Sent, all_sent
from .._sending.names import found_at, path_to
from .._sending.picklers import current_pickler
from .rx import operator_name

__all__ = ["made_by", "sent_operator"]


def sent_operator(operator: Callable[[Any], Any]) -> Any:
    """Return what is to be pickled in place of an Rx operator.

    Raises:
        TypeError: it, or a function that it was given, has no name; or it was given an Observable.
    """
    if current_pickler().copies:
        return operator
    owner = f"the stage {operator_name(operator)}"
    inside: Mapping[str, Any] = {}
    if type(operator) is FunctionType:
        inside = inspect.getclosurevars(operator).nonlocals
    if "operators" in inside and path_to(operator) is None:  # by compose
        return Sent(compose, *map(sent_operator, inside["operators"]))
    maker = _maker(inside)
    if maker is None:
        return all_sent({"operator": operator}, owner)["operator"]
    args = {f"argument {number}": value for number, value in enumerate(inside["args"], start=1)}
    named = inside["kwargs"]
    for name, value in {**args, **named}.items():
        if issubclass(type(value), Observable):
            raise TypeError(
                f"{owner} can't be pickled: its {name} is an Observable, which can't leave this "
                "process"
            )
    given = tuple(all_sent(args, owner).values())
    return Sent(made_by, maker, given, all_sent(named, owner))


def made_by(maker: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return the operator that `maker` makes of these arguments: as which it is pickled."""
    return maker(*args, **named)


def _maker(inside: Mapping[str, Any]) -> Callable[..., Any] | None:
    """Return the function that has made an operator, from what that holds, as reactivex does it."""
    fun: Any = inside.get("fun")
    if not {"fun", "args", "kwargs"} <= inside.keys() or path_to(fun) in (None, fun.__qualname__):
        return None
    return found_at(fun.__module__, fun.__qualname__)
