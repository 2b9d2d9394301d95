"""What does a value stand for when it is data: many items, one item, or a mistake?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any, cast

from ..._functions.calls import attribute_of, discard, is_awaitable, is_generator, name_of

__all__ = ["check_data", "is_iterable"]

_ONE_ITEM = (str, bytes, bytearray, memoryview, Mapping)
_WHOLE = ("__dataframe__", "__pydantic_fields__", "__fields_set__")
"""What tables and models of pydantic 2 and 1 have, which, iterated, give columns or fields."""
_FUNCTIONS = (FunctionType, MethodType, partial)


def is_iterable(data: object) -> bool:
    """Tell whether `data`, which is not asynchronous, stands for many items."""
    kind: type[Any] = type(data)
    if isinstance(data, _ONE_ITEM) or _is_whole(kind) or _has_no_axis(data):
        return False
    if hasattr(kind, "__iter__"):
        return kind.__iter__ is not None
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__")


def check_data(data: object) -> None:
    """Refuse what is a step short of data, and close a coroutine, which nobody else will await.

    It looks at types alone, so that no user code runs.

    Raises:
        TypeError: `data` is to be awaited, or is a generator function that was not called.
    """
    kind = type(data)
    if is_awaitable(data) and attribute_of(kind, "__aiter__") is None:
        what, fix = f"{kind.__name__}{_name(data)}", "await it first: pipeline(await ...)"
        discard(data)
    elif kind in _FUNCTIONS and is_generator(cast("Callable[..., Any]", data)):
        what, fix = f"generator function{_name(data)}", "call it: pipeline(function())"
    else:
        return
    raise TypeError(f"the data is a {what}; {fix}. If it is an item itself, put it in a list")


def _is_whole(kind: type[Any]) -> bool:
    """Tell whether values of a type are one record or table, though iterating would split them."""
    if any(hasattr(kind, name) for name in _WHOLE):
        return True
    # Arrow's columns have one type for all of their values, and its readers are iterators.
    of_many = ("dtype", "type", "__next__")
    return hasattr(kind, "__arrow_c_stream__") and not any(hasattr(kind, name) for name in of_many)


def _has_no_axis(data: Any) -> bool:
    """Tell whether `data` is an array of no dimension: its type can be iterated, it can't be."""
    kind = cast("type[Any]", type(data))
    return hasattr(kind, "ndim") and type(data.ndim) is int and data.ndim == 0


def _name(data: Any) -> str:
    has_name = type(data) in (*_FUNCTIONS, CoroutineType, GeneratorType)
    return f" {name_of(data)!r}" if has_name else ""
