"""What do type checkers see of the decorators? The types of the function, kept.

None is no output; lists and generators stand for what they hold; a function that needs more than
its item gives an `UnboundTask`, which at run time is the task itself, but no stage to a checker
before it is called with what it lacks, or, as a method, accessed on its instance.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Never,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)

from ._unbound_task import BoundOnAccess, Lacking, Takes, UnboundTask
from .error_handling import ErrorAction, ErrorHandler
from .tasks import BatchTask, SingleTask

__all__ = ["BatchTaskDecorator", "UnboundTask", "with_types_of_single_task"]

T = TypeVar("T")
In = TypeVar("In", bound=Any)  # so that a lambda may do with it what it likes
Owner = TypeVar("Owner")  # the class that a method belongs to
P = ParamSpec("P")
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


class _Listed(Protocol[T_co]):
    """A list, but covariant: a `list[int]` gives outputs of type `int`, and of any wider type."""

    def __iter__(self) -> Iterator[T_co]: ...
    def copy(self) -> list[Any]: ...


Many: TypeAlias = _Listed[T] | Iterator[T] | AsyncIterator[T] | None
Flat: TypeAlias = Many[T] | Awaitable[Many[T]]
Later: TypeAlias = Awaitable[T | None]

# A function whose item may be of any type, and decides on that of its outputs. pyright makes a
# generic task of it. mypy can't, and of `T` takes what it meets first: there it gives a task of
# Any, and for pyright nothing is one.
if MYPY:  # pragma: no cover

    class _Some: ...

    _Same: TypeAlias = _Some | _Listed[_Some] | Iterator[_Some] | AsyncIterator[_Some]
    _Kept: TypeAlias = _Same | Awaitable[_Some | _Listed[_Some]]

    class _OfSome(Protocol):  # pyright: ignore[reportRedeclaration]  # it doesn't know MYPY
        def __call__(self, item: _Some, /) -> _Kept: ...

    class _OfSomes(Protocol):  # pyright: ignore[reportRedeclaration]  # it doesn't know MYPY
        def __call__(self, items: list[_Some], /) -> _Kept: ...

else:

    class _OfSome: ...

    class _OfSomes: ...


_More: TypeAlias = Callable[Concatenate[In, P], T]
_Lacking: TypeAlias = UnboundTask[In, Takes[P], Out]
_BatchLacking: TypeAlias = Lacking[Takes[P], BatchTask[In, Out]]
_BatchMethod: TypeAlias = Callable[Concatenate[Owner, list[In], P], T]


class SingleTaskDecorator(Protocol):
    """`single_task`; with options it gives itself."""

    @overload
    def __call__(
        self,
        func: None = None,
        *,
        on_error: ErrorAction = "fail",
        retry_attempts: int = 1,
        retry_delay: float = 1.0,
        retry_exponential_backoff: bool = True,
        retry_max_delay: float = 60.0,
        error_handler: ErrorHandler | None = None,
        task_name: str | None = None,
        concurrency_limit: int | None = None,
        flatten: bool = True,
    ) -> SingleTaskDecorator: ...
    @overload
    def __call__(self, func: _OfSome | _OfSomes) -> SingleTask[Any, Any]: ...
    @overload
    def __call__(self, func: Callable[[Item], Flat[Value]]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item], Flat[Out | None]]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[Item], Awaitable[Value]]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item], Later[Out]]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[Item], Value]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item], Out | None]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[], Flat[Value]]) -> SingleTask[Never, Value]: ...
    @overload
    def __call__(self, func: Callable[[], Flat[Out | None]]) -> SingleTask[Never, Out]: ...
    @overload
    def __call__(self, func: Callable[[], Later[Out]]) -> SingleTask[Never, Out]: ...
    @overload
    def __call__(self, func: Callable[[], Out | None]) -> SingleTask[Never, Out]: ...
    @overload
    def __call__(self, func: _More[In, P, Flat[Value]]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, P, Flat[Out | None]]) -> _Lacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _More[In, P, Awaitable[Value]]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, P, Later[Out]]) -> _Lacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _More[In, P, Value]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, P, Out | None]) -> _Lacking[In, P, Out]: ...


class BatchTaskDecorator(Protocol):
    """`batch_task(...)`: a decorator with its options chosen."""

    @overload
    def __call__(self, func: Callable[[list[Item]], Flat[Value]]) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Flat[Out | None]]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Later[Out]]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Out | None]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Flat[Value]]) -> _BatchLacking[P, In, Value]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Flat[Out | None]]) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Later[Out]]) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Out | None]) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Flat[Value]]
    ) -> BoundOnAccess[Owner, BatchTask[In, Value]]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Flat[Out | None]]
    ) -> BoundOnAccess[Owner, BatchTask[In, Out]]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Later[Out]]
    ) -> BoundOnAccess[Owner, BatchTask[In, Out]]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Out | None]
    ) -> BoundOnAccess[Owner, BatchTask[In, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Flat[Value]]
    ) -> BoundOnAccess[Owner, _BatchLacking[P, In, Value]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Flat[Out | None]]
    ) -> BoundOnAccess[Owner, _BatchLacking[P, In, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Later[Out]]
    ) -> BoundOnAccess[Owner, _BatchLacking[P, In, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Out | None]
    ) -> BoundOnAccess[Owner, _BatchLacking[P, In, Out]]: ...


def with_types_of_single_task(function: Callable[..., Any]) -> SingleTaskDecorator:
    """Give `single_task` the types of its two forms, bare and called."""
    return function
