"""How does the plain function of a task get to a worker? As bytes: by its name, or with its code.

pickle takes functions by their names, and the name of a decorated one is that of its task: it is
looked up there, and unwrapped. What has no name, or one that the worker can't look up, is taken
with its code, by cloudpickle, where that is installed.
"""

from __future__ import annotations

import io
import pickle
import sys
from importlib import import_module
from types import FunctionType, MethodType
from typing import Any, cast

from .._sending.functions import REMEDY, NamelessError, bound, why_nameless
from .._sending.names import main_can_be_imported, path_to
from .._sending.picklers import is_within
from .._text.labels import label

__all__ = ["dumps"]

WIDTH = 300  # of what a pickler says, in a message


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
            remedy = f". {REMEDY}; or install cloudpickle, here and there, which takes code along"
    except Exception as error:
        refusal = error
    kind = "" if isinstance(refusal, TypeError) else f"{type(refusal).__name__}: "
    reason = label(f"{kind}{refusal}", WIDTH)
    raise TypeError(f"task {task_name!r} can't be sent to a worker: {reason}{remedy}") from refusal


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
            raise NamelessError(f"its function {why_nameless(obj)}")
        if kind is MethodType and path_to(obj.__func__) is not None:
            return bound, (obj.__func__, obj.__self__)
        return NotImplemented
    if is_within(obj.__module__, absent):
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
