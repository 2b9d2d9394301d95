"""What is an Rx operator, and what is it called?"""

from __future__ import annotations

import inspect
from typing import Any

from .._functions.annotations import annotation_texts

__all__ = ["is_operator", "operator_name"]


def is_operator(value: object) -> bool:
    """Tell whether `value` can be taken for a function `Observable -> Observable`.

    That is what reactivex made (`reactivex.compose` included), and a function whose annotations
    speak of Observables. Any other function is more likely one that lacks its decorator.
    """
    if not callable(value) or inspect.isclass(value):
        return False
    return _is_reactivex(value) or any("Observable" in text for text in annotation_texts(value))


def operator_name(operator: Any) -> str:
    """Return the name by which users know `operator`, such as `ops.map`."""
    if inspect.isfunction(operator) and _is_reactivex(operator):
        curried = inspect.getclosurevars(operator).nonlocals.get("fun")  # as reactivex does it
        if curried is not None:
            return "ops." + getattr(curried, "__name__", "operator").rstrip("_")
    return getattr(operator, "__name__", type(operator).__name__).strip("_")


def _is_reactivex(value: object) -> bool:
    return (getattr(value, "__module__", None) or "").partition(".")[0] == "reactivex"
