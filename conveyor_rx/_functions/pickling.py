"""How does the plain function of a task get to a worker? As bytes: by its name, or with its code.

pickle takes functions by their names, and the name of a decorated one is that of its task: it is
looked up there, and unwrapped. What has no name, or one that the worker can't look up, is taken
with its code, by cloudpickle, where that is installed.
"""

from __future__ import annotations

import inspect
import io
import pickle
import sys
from collections.abc import Callable
from importlib import import_module
from types import FunctionType, MethodType
from typing import Any, cast

from .._sending.names import main_can_be_imported, path_to
from .._text.labels import label

__all__ = ["bound", "check_pickling", "dumps", "dumps_function"]

WIDTH = 300  # of what a pickler says, in a message


class NamelessError(TypeError):
    """It can't be sent by its name; why, and what it is, stand in the message."""


def dumps_function(function: Callable[..., Any], task_name: str) -> bytes:
    """Pickle the `function` of a task: `pickle.loads` gives the plain function, not the task.

    Raises:
        TypeError: it can't be sent to another process; the message names the task and the reason.
    """
    return dumps(function, task_name)


def dumps(value: Any, task_name: str, *, has_main: bool | None = None) -> bytes:
    """Pickle `value`; functions of tasks that are in it arrive as plain functions.

    `has_main` says whether the worker has the `__main__` of this process, as the children that
    multiprocessing starts have; None: it has, if that can be imported.
    What is not to be had there, and functions and classes without a name, go with their code, if
    cloudpickle is installed; then the worker needs it, too.

    Raises:
        TypeError: it can't be sent to another process; the message names the task and the reason.
    """
    absent = _modules_that_workers_lack(has_main=has_main)
    try:
        return _dump(_ByName, value, absent)
    except Exception as error:
        refusal, remedy = error, ""
    try:
        return _dump(_by_value(), value, absent)
    except ImportError:
        if isinstance(refusal, NamelessError):
            remedy = (
                ". Define it at the top of a module that the worker can import, or install "
                "cloudpickle, which sends code, here and there"
            )
    except Exception as error:
        refusal = error
    kind = "" if isinstance(refusal, NamelessError) else f"{type(refusal).__name__}: "
    reason = label(f"{kind}{refusal}", WIDTH)
    raise TypeError(f"task {task_name!r} can't be sent to a worker: {reason}{remedy}") from refusal


def bound(function: Callable[..., Any], instance: Any) -> MethodType:
    """Return `function` as a method of `instance`: what a bound method is pickled as."""
    return MethodType(function, instance)


class _ByName(pickle.Pickler):
    """Takes functions and classes by their names alone."""

    absent: frozenset[str]

    def reducer_override(self, obj: Any) -> Any:
        return _reduced(obj, self.absent)


def _by_value() -> type[Any]:
    """Return the pickler that takes code along.

    Raises:
        ImportError: cloudpickle is not installed.
    """
    pickler: Any = import_module("cloudpickle").Pickler  # optional, and not typed

    class ByValue(pickler):
        """Takes code of what can't be had by name."""

        absent: frozenset[str]

        def reducer_override(self, obj: Any) -> Any:
            try:
                reduced = _reduced(obj, self.absent)
            except NamelessError:
                reduced = NotImplemented
            return pickler.reducer_override(self, obj) if reduced is NotImplemented else reduced

    return ByValue


def _dump(kind: type[Any], value: Any, absent: frozenset[str]) -> bytes:
    file = io.BytesIO()
    pickler = kind(file, pickle.HIGHEST_PROTOCOL)
    pickler.absent = absent
    pickler.dump(value)
    return file.getvalue()


def _reduced(obj: Any, absent: frozenset[str]) -> Any:
    """Return how `obj` goes by name: a name, or a function and what to call it with.

    NotImplemented is left to the pickler.

    Raises:
        NamelessError: it can't.
    """
    kind = cast("type[Any]", type(obj))
    name = path_to(obj) if kind is FunctionType or issubclass(kind, type) or _wraps(obj) else None
    if name is None:
        if kind is FunctionType:
            text = f"its function {obj.__qualname__} has no name of its own in a module"
            raise NamelessError(text)
        if kind is MethodType and path_to(obj.__func__) is not None:
            return bound, (obj.__func__, obj.__self__)
        return NotImplemented
    if any(f"{obj.__module__}.".startswith(f"{module}.") for module in absent):
        raise NamelessError(f"{obj.__module__}.{name} is of a module that the worker can't import")
    return NotImplemented if issubclass(kind, type) and obj.__module__ != "__main__" else name


def _wraps(obj: Any) -> bool:
    """Tell whether `obj` has the name of a function that it wraps: a task, or one with a cache."""
    try:
        return "__qualname__" in object.__getattribute__(obj, "__dict__")
    except AttributeError:
        return False


def _modules_that_workers_lack(*, has_main: bool | None) -> frozenset[str]:
    """Name the modules whose functions and classes can't be had by name on the other side."""
    has_main = main_can_be_imported() if has_main is None else has_main
    cloudpickle: Any = sys.modules.get("cloudpickle")
    named: set[str] = set() if cloudpickle is None else cloudpickle.list_registry_pickle_by_value()
    return frozenset(named) if has_main else frozenset({"__main__", *named})


BY_VALUE = {"cloudpickle", "dill"}
"""Picklers that take the code of a function along."""


def check_pickling(task: str, function: Any) -> None:
    """Raise a TypeError that says what to do, if `function` is not what its name stands for.

    That of a decorated function stands for the task.
    """
    if inspect.ismethod(function):
        reason = "it is a method, and the name of the method is that of the task"
    elif not inspect.isfunction(function) or _named(function) is function:
        return
    elif _named(function) is None:
        reason = f"its function {function.__qualname__} has no name of its own in a module"
    else:
        reason = f"{function.__module__}.{function.__qualname__} is the task, not its function"
    if not _is_by_value():
        raise TypeError(
            f"task {task!r} can't be pickled: {reason}. Import the task, or make it, in the "
            "process that needs it; or keep the function under a name of its own in a module, "
            "`double = single_task(double_one)`, which can be pickled. cloudpickle can do more"
        )


def _named(function: Any) -> Any:
    """Return what pickle would find under the name of `function`."""
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found


def _is_by_value() -> bool:
    frame = inspect.currentframe()
    while frame is not None:
        if BY_VALUE & set(frame.f_globals.get("__name__", "").split(".")):
            return True
        frame = frame.f_back
    return False
