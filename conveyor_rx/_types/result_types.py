"""What do type checkers see of a function's result? None is no output, many are what they hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import TYPE_CHECKING, Any, Never, Protocol, TypeAlias, TypeVar

__all__ = ["Flat", "Item", "Later", "Listed", "Out", "Value"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Where `int | str` meets `T | None`, mypy takes `object` for T; where it meets Value, `int | str`.
# pyright needs no Value, so for pyright nothing is one.
MYPY = False  # mypy, and nobody else, takes it for True
if MYPY:  # pragma: no cover

    class _Value(Protocol):  # pyright: ignore[reportRedeclaration]  # it doesn't know MYPY
        def __dir__(self) -> Any: ...  # to mypy, every type but None has it

else:

    class _Value: ...


if TYPE_CHECKING:
    import typing_extensions

    Item = typing_extensions.TypeVar("Item", bound=Any, default=Any)
    # A function that returns nothing but None: no output. (pyright alone would say: unknown.)
    Out = typing_extensions.TypeVar("Out", default=Never)
    Value = typing_extensions.TypeVar("Value", bound=_Value, default=Never)
else:
    Item = TypeVar("Item", bound=Any)
    Out = TypeVar("Out")
    Value = TypeVar("Value", bound=_Value)


class Listed(Protocol[T_co]):
    """A list, but covariant: a `list[int]` gives outputs of type `int`, and of any wider type."""

    def __iter__(self) -> Iterator[T_co]: ...
    def copy(self) -> list[Any]: ...


Many: TypeAlias = Listed[T] | Iterator[T] | AsyncIterator[T] | None
Flat: TypeAlias = Many[T] | Awaitable[Many[T]]
Later: TypeAlias = Awaitable[T | None]
