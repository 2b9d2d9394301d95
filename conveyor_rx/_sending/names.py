"""What does pickle find under a name, and what stands behind that? A task stands for a function."""

from __future__ import annotations

import os.path
import sys
from typing import Any

__all__ = ["found_at", "is_named", "main_can_be_imported", "path_to"]

WRAPPED = "__wrapped__"
DEEPEST = 20  # decorators above each other; an object may claim to have one more without end


def found_at(module: str | None, name: str) -> Any:
    """Return what pickle finds under the dotted `name` in `module`; None if there is nothing."""
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def is_named(value: Any) -> bool:
    """Tell whether `value` is what is found under its own name, such as a function or a task."""
    name = getattr(value, "__qualname__", None)
    return isinstance(name, str) and found_at(_module_of(value), name) is value


def path_to(function: Any) -> str | None:
    """Return the dotted name in its module under which pickle finds `function`; None: it does not.

    A decorated function is found behind what has its name: `fetch.__wrapped__`, if `fetch` is a
    task or comes from another decorator that says what it wraps.
    """
    path: Any = getattr(function, "__qualname__", None)
    if not isinstance(path, str):
        return None
    found = found_at(_module_of(function), path)
    for _ in range(DEEPEST):
        if found is function:
            return path
        found, path = getattr(found, WRAPPED, None), f"{path}.{WRAPPED}"
    return None


def main_can_be_imported() -> bool:
    """Tell whether another process can import `__main__`: a script, or a module run by `-m`.

    It can't what was typed: in a notebook, at a prompt, behind `-c`, or on the standard input. Nor
    does multiprocessing import a package that is run by `-m`: its `__main__.py` may have no guard.
    """
    main = sys.modules["__main__"]
    if hasattr(sys, "ps1"):  # a prompt
        return False
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return spec.name.rpartition(".")[2] != "__main__"
    return os.path.isfile(getattr(main, "__file__", None) or "")


def _module_of(value: Any) -> str | None:
    module = getattr(value, "__module__", None)
    return module if isinstance(module, str) else None
