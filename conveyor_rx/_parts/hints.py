"""What is wrong with the use of a stage, and what is right? The texts of errors."""

from __future__ import annotations

import inspect
from types import CoroutineType
from typing import Any, cast

from reactivex import Observable

from .._text.labels import label
from ..stream import AsyncStream

__all__ = [
    "below_class_method",
    "class_method_of",
    "is_of_stream",
    "no_call",
    "no_inputs",
    "no_item",
    "no_joint",
    "no_stream",
    "not_through_class",
]

WIDTH = 120  # of a value of the user's in a message


def no_joint(left: object, right: object, culprit: object) -> str:
    """Say why `left | right` is no pipeline: `culprit` is no stage, and no Rx operator."""
    other = _shown(right if culprit is left else left)
    return (
        f"can't join {_shown(left)} | {_shown(right)}: {_shown(culprit)} is "
        f"no stage and no Rx operator; {_remedy(culprit, other, is_first=culprit is left)}"
    )


def _shown(value: Any) -> str:
    if hasattr(cast("type[Any]", type(value)), "task_name"):
        return label(value.task_name, WIDTH)
    return label(repr(value[:WIDTH]) if isinstance(value, str) else value, WIDTH)


def _remedy(culprit: object, other: str, *, is_first: bool) -> str:
    kind: type[Any] = type(culprit)
    decorate = "decorate it with @single_task"
    if issubclass(kind, Observable):
        what = "a stream" if issubclass(kind, AsyncStream) else "an Observable"
        if is_first:
            return f"it is {what}: call the stage with it, {_called(other, 'stream')}"
        return (
            f"it is {what} already: join the stages first, and call the whole with the data, "
            f"({other} | stage)(data)"
        )
    if issubclass(kind, CoroutineType):
        return "it is a coroutine: join the task itself, without a call"
    if inspect.ismethod(culprit) and hasattr(culprit.__func__, "task_name"):
        return (
            f"{culprit.__name__} is a class method of a task: write the task's decorator above "
            "@classmethod, not below it"
        )
    if callable(culprit):
        return f"{decorate} (or, if it is an operator of your own, wrap it in reactivex.compose)"
    call = _called(other, "data")
    return f"if it is the data, call the stage with it, {call}; if it is to be a stage, {decorate}"


def _called(stage: str, data: str) -> str:
    return f"{stage}({data})" if stage.isidentifier() else f"({stage})({data})"


def is_of_stream(name: str) -> bool:
    """Tell whether streams have an attribute `name` for users."""
    return not name.startswith("_") and hasattr(AsyncStream, name)


def no_stream(stage: str, kind: str, bound: list[str], use: str) -> str:
    """Say why `use` is nothing that a stage can do; `bound` is what its last call has bound."""
    if not bound:
        right = f"{_called(stage, 'data')}{use}"
        return f"{stage} is a {kind}, no stream; call it with data first: {right}"
    names = ", ".join(map(repr, bound))
    return (
        f"{stage}(...) is a task, no stream: it lacked side inputs, so the call bound {names}; "
        f"call the result with data: {stage}(...)(data){use}"
    )


def no_inputs(name: str, lacks: list[str]) -> str:
    """Say which side inputs a task lacks."""
    names = ", ".join(map(repr, lacks))
    return f"task {name!r} lacks side inputs: {names}; bind them with {name}.with_inputs(...)"


def no_call(name: str, error: TypeError, *, with_item: bool) -> str:
    """Say that the side inputs of a task don't fit its function."""
    item = "an item" if with_item else "no item"
    return f"task {name!r} can't be called with {item} and its side inputs: {error}"


def no_item(name: str, item: str, given: dict[str, Any]) -> str:
    """Say what to do about a call without data of a task that needs an item."""
    names = ", ".join(f"{name}=..." for name in given)
    return (
        f"task {name!r} needs an item, {item!r}, and this call has no data: "
        f"{name}({', '.join(['data', *([names] if names else [])])})"
        + (f", or bind side inputs for later: {name}.with_inputs({names})" if names else "")
    )


def not_through_class(function: Any, task: str, owner: str) -> str:
    """Say what to do if a task's function has yet to be bound; "" if it has not.

    `owner` is the class in which it is a method, if it is known as one.
    """
    if owner and _is_method_of_class(function):
        return (
            f"task {task!r} is a method of {owner}, and was used through the class; "
            f"use it through an instance: {owner}(...).{task}"
        )
    if not owner and _is_below_class_method(function):
        return below_class_method(function.__qualname__)
    return ""


def below_class_method(name: str) -> str:
    """Say that a class method wraps a task, which it can't bind to the class."""
    return (
        f"{name} is a class method of a task, which doesn't bind it: "
        "write the task's decorator above @classmethod, not below it"
    )


def class_method_of(owner: type[Any], task: object) -> str:
    """Return the name of the class method of `owner` that wraps `task`; "" if there is none.

    Since Python 3.13 it doesn't bind the task: it calls it with the class, as if that were data.
    """
    for part in owner.__mro__:
        for name, value in vars(part).items():
            if isinstance(value, classmethod) and cast("Any", value).__func__ is task:
                return f"{owner.__name__}.{name}"
    return ""


def _is_below_class_method(function: Any) -> bool:
    """Tell whether `function` looks like one of a class body that wants its class."""
    scope = getattr(function, "__qualname__", "").rpartition(".")[0]
    code = getattr(function, "__code__", None)
    is_in_class = bool(scope) and not scope.endswith("<locals>") and not inspect.ismethod(function)
    return is_in_class and code is not None and code.co_varnames[:1] == ("cls",)


def _is_method_of_class(function: Any) -> bool:
    """Tell whether `function` has yet to be bound to an instance, by the name of its first one."""
    if inspect.ismethod(function):
        return False
    code = getattr(function, "__code__", None)
    return code is not None and code.co_varnames[:1] in (("self",), ("cls",))
