"""Which names of a module are imported when somebody asks for them? Those that few programs use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["names_later"]


def names_later(module: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of `module`: it imports the names in `places` from there, once.

    The places are modules of this package: "._stats". A name may be that of the module itself.
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
        value: Any = import_module(places[name], __package__)
        if places[name] != f".{name}":
            value = getattr(value, name)
        setattr(sys.modules[module], name, value)
        return value

    return get
