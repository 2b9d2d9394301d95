"""Who asks how something is to be pickled? Some picklers take code along, and `copy` keeps all.

An object that is pickled isn't told by whom. The pickler is the nearest caller that can be seen.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Pickler", "current_pickler", "is_within"]

WITH_CODE = {"cloudpickle", "dill"}
"""Packages of picklers that take the code of a function along; others have copies of them."""
BETWEEN = {__name__.partition(".")[0], "pickle", "copyreg"}
REDUCERS = {"__reduce__", "__reduce_ex__", "__getstate__"}
"""Methods of subclasses that ask ours; nor are they the pickler."""


class Pickler(NamedTuple):
    """What a pickler does with functions."""

    takes_code: bool = False
    """Those without a name travel, too."""
    absent: frozenset[str] = frozenset()
    """Modules that the other side can't import: of these it takes the code, names or not."""
    copies: bool = False
    """It is none: `copy` leaves functions as they are."""

    def keeps(self, module: str | None) -> bool:
        """Tell whether it is to get functions of `module` as they are, whatever their names."""
        return self.copies or is_within(module, self.absent)


def current_pickler() -> Pickler:
    """Return what is known of the pickler that is at work; to be called while it is."""
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))  # which code that is executed may lack
        if module.partition(".")[0] not in BETWEEN and frame.f_code.co_name not in REDUCERS:
            return _of(module, frame.f_globals)
        frame = frame.f_back
    return Pickler()


def is_within(module: str | None, packages: frozenset[str]) -> bool:
    """Tell whether `module` is one of `packages`, or in one."""
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


def _of(module: str, namespace: Mapping[str, Any]) -> Pickler:
    if module == "copy":
        return Pickler(copies=True)
    if not WITH_CODE & set(module.split(".")):
        return Pickler()
    registered = namespace.get("list_registry_pickle_by_value", frozenset[str])()
    return Pickler(takes_code=True, absent=frozenset({"__main__", *registered}))
