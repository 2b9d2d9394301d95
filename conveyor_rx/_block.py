"""What is a `with` block of ours? A generator that yields once, and ends alike in any case.

`contextlib.contextmanager` assigns to the exception that passes through, and some refuse that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import ContextDecorator
from typing import Generic, ParamSpec, Self, TypeVar

__all__ = ["block"]

P = ParamSpec("P")
T = TypeVar("T")


class _Block(ContextDecorator, Generic[T]):
    def __init__(self, begin: Callable[[], Generator[T]]) -> None:
        self._begin = begin

    def _recreate_cm(self) -> Self:  # each call of a decorated function is a block of its own
        return type(self)(self._begin)

    def __enter__(self) -> T:
        self._generator = self._begin()
        return next(self._generator)

    def __exit__(self, *_: object) -> None:
        next(self._generator, None)


def block(function: Callable[P, Generator[T]]) -> Callable[P, _Block[T]]:
    """Make a function that gives such blocks of a generator function."""

    @functools.wraps(function)
    def begin(*args: P.args, **kwargs: P.kwargs) -> _Block[T]:
        return _Block(functools.partial(function, *args, **kwargs))

    return begin
