"""How heavy is an item, and to which group does it belong? As the user's functions say, checked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import inf
from types import CoroutineType
from typing import Any, TypeAlias

from ..._functions.calls import discard

__all__ = ["GroupBy", "Measures", "Weight"]

Weight: TypeAlias = Callable[[Any], float]
GroupBy: TypeAlias = Callable[[Any], Any]


class Measures:
    """The functions that a batch task asks about each item: each may be missing."""

    __slots__ = ("group_by", "weight")

    def __init__(self, weight: Weight | None = None, group_by: GroupBy | None = None) -> None:
        self.weight = weight
        self.group_by = group_by

    def weight_of(self, item: Any) -> float:
        """Give the weight of `item`; 0 where items have none.

        Raises:
            TypeError, ValueError: the function gave no number, or one that is less than 0.
            BaseException: whatever the function raises.
        """
        if self.weight is None:
            return 0
        weight: Any = self.weight(item)
        kind: type[Any] = type(weight)  # pyright: ignore[reportUnknownVariableType]  # of any value
        if kind is not int and kind is not float:
            weight = _number(weight, kind)
        if not weight >= 0:  # nor is NaN
            raise ValueError(f"what weight returns must be at least 0, not {weight!r}")
        return (
            weight if weight <= sys.float_info.max else inf
        )  # an int may be larger than any float

    def key_of(self, item: Any) -> tuple[Any, int]:
        """Give the key of the group of `item`, and its hash; None is that of all, without groups.

        Raises:
            TypeError: the function gave what has no hash.
            BaseException: whatever the function, or the hash of the key, raises.
        """
        if self.group_by is None:
            return None, 0
        key = self.group_by(item)
        _check_is_no_coroutine("group_by", key)
        try:
            return key, hash(key)
        except TypeError as error:
            raise TypeError(
                f"what group_by returns must be hashable, and a {type(key).__name__} is not: "
                "return a tuple or a str, for example"
            ) from error


def _number(weight: Any, kind: type[Any]) -> float:
    """Make a number of NumPy, a Decimal or the like a float."""
    _check_is_no_coroutine("weight", weight)
    if issubclass(kind, bool) or not hasattr(kind, "__float__"):
        raise TypeError(f"what weight returns must be a number, not a {kind.__name__}")
    return float(weight)


def _check_is_no_coroutine(name: str, value: Any) -> None:
    if type(value) is CoroutineType:
        discard(value)
        raise TypeError(f"{name} must be a plain function, but it returned a coroutine")
