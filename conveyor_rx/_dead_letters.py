"""What does a function for dead letters get? An item that was skipped, and why it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

__all__ = ["DeadLetter", "Failure"]


class Failure(NamedTuple):
    """An item that was skipped, as a function for dead letters (`dead_letter=`) gets it."""

    item: Any
    """What the task's function was called with; of a batch, one of its items."""
    error: BaseException
    """What the last attempt raised; its traceback begins in the function. An `Exception`, or a
    CancelledError that the function raised itself."""
    task_name: str
    inputs: tuple[int, ...]
    """The numbers, from 0, of the source's items that the item comes from, as in notes and logs.
    Several behind a batch; none if they are not known."""
    attempts: int
    """How many attempts were made: of a batch that was halved, those with this item alone."""


DeadLetter: TypeAlias = Callable[[Failure], object]
"""Plain or async; what a plain function returns is awaited if it can be, and else has no effect."""
