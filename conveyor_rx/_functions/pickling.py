"""Can a function be pickled, and what to do if it can't? pickle takes functions by their names."""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ["check_pickling"]

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
