"""Is the value of an option what it should be? Each check names the option in its error."""

from __future__ import annotations

import math
import sys
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, cast, get_args

__all__ = [
    "as_number",
    "check_budget",
    "check_choice",
    "check_count",
    "check_dead_letter",
    "check_errors",
    "check_flag",
    "check_function",
    "check_limit",
    "check_seconds",
    "check_share",
    "check_text",
]


def as_number(name: str, value: object) -> float:
    """Return a number of any type, as those of NumPy, as a float; raise unless it is finite."""
    if isinstance(value, (bool, str, bytes)) or not hasattr(type(value), "__float__"):
        raise TypeError(f"{name} must be a number, not {value!r}")
    try:
        number = float(cast("float", value))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, not {value!r}")
    return number


def check_budget(name: str, value: object) -> None:
    """Raise unless `value` is a number of items, a share of them, or None."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be an int (items), a float (a share) or None, not {value!r}")
    if isinstance(value, int):
        if value < 0:
            raise ValueError(f"{name} must be at least 0, not {value!r}")
    elif not 0 < value < 1:  # nor is NaN
        raise ValueError(
            f"{name} must be greater than 0 and less than 1 if it is a float, a share of the "
            f"items, not {value!r}; an int is a number of items"
        )


def check_choice(name: str, value: object, choices: Any) -> None:
    """Raise unless `value` is one of `choices`, a `Literal`."""
    allowed = get_args(choices)
    if not isinstance(value, str) or value not in allowed:
        texts = list(map(repr, allowed))
        right = " or ".join(texts) if len(texts) == 2 else f"one of {', '.join(texts)}"
        raise ValueError(f"{name} must be {right}, not {value!r}")


def check_count(name: str, value: object, *, optional: bool = False) -> None:
    """Raise unless `value` is a whole number of at least 1 (or None where `optional`)."""
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        kind = "an int or None" if optional else "an int"
        raise TypeError(f"{name} must be {kind}, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value!r}")


def check_dead_letter(name: str, value: object) -> None:
    """Raise unless `value` is a function that does something when it is called, or None."""
    if value is None:
        return
    call = getattr(value, "__call__", None)  # noqa: B004  # of an object: its own may be async
    is_generator = any(map(isgeneratorfunction, (value, call))) or any(
        map(isasyncgenfunction, (value, call))
    )
    if not callable(value) or is_generator:
        raise TypeError(
            f"{name} must be a function, plain or async (no generator), of a Failure, or None, "
            f"not {value!r}"
        )


def check_errors(name: str, value: object, *, tells: str = "whether to try again") -> None:
    """Raise unless `value` is a type of exception, a tuple of such types, or a function.

    `tells` is what that function tells of an exception.
    """
    types = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    are_types = types and all(isinstance(one, type) and issubclass(one, Exception) for one in types)
    if not are_types and (isinstance(value, (type, tuple)) or not _is_plain(value)):
        raise TypeError(
            f"{name} must be a subclass of Exception, a tuple of these, or a plain function that "
            f"tells of an exception {tells}, not {value!r}"
        )


def check_flag(name: str, value: object) -> None:
    """Raise unless `value` is True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, not {value!r}")


def check_function(name: str, value: object) -> None:
    """Raise unless `value` is a plain function or None."""
    if value is not None and not _is_plain(value):
        raise TypeError(f"{name} must be a plain function or None, not {value!r}")


def check_limit(name: str, value: object) -> None:
    """Raise unless `value` is a finite number of seconds above 0, or None."""
    if value is None:
        return
    check_seconds(name, value)
    if not value:
        raise ValueError(f"{name} must be greater than 0; None is no limit")


def check_seconds(name: str, value: object) -> None:
    """Raise unless `value` is a finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not 0 <= value <= sys.float_info.max:  # nor is NaN
        raise ValueError(f"{name} must be finite and at least 0, not {value!r}")


def check_share(name: str, value: object) -> None:
    """Raise unless `value` is a number between 0 and 1, and neither of them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, not {value!r}")


def check_text(name: str, value: object) -> None:
    """Raise unless `value` is a str or None."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be a str or None, not {value!r}")


def _is_plain(value: object) -> bool:
    """Tell whether `value` can be called, and does not give a coroutine, which is always true."""
    call = getattr(value, "__call__", None)  # noqa: B004  # of an object: its own may be async
    return callable(value) and not (iscoroutinefunction(value) or iscoroutinefunction(call))
