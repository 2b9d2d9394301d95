"""What do type checkers see of `single_task`? The types of the function, kept.

A function that needs more than its item gives an `UnboundTask`, which at run time is the task
itself, but no stage to a checker before it is called with what it lacks, or, as a method, accessed
on its instance.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import (
    Any,
    Concatenate,
    Literal,
    Never,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    Unpack,
    overload,
)

from .._option_types import SingleDecoratorOptions, SingleStatefulOptions
from .._side_inputs.types import Takes
from ..tasks import SingleTask
from ..workers import Workers
from .result_types import Flat, Item, Later, Listed, Out, Value
from .stateful_types import StatefulDecorator, StatefulDecoratorOfLists
from .unbound_task import UnboundTask

__all__ = ["UnboundTask", "with_types_of_single_task"]

T = TypeVar("T")
In = TypeVar("In", bound=Any)  # so that a lambda may do with it what it likes
P = ParamSpec("P")
State = TypeVar("State")  # what the setup of workers gives

# A function whose item may be of any type, and decides on that of its outputs. pyright makes a
# generic task of it. mypy can't, and of `T` takes what it meets first: there it gives a task of
# Any, and for pyright nothing is one.
MYPY = False  # mypy, and nobody else, takes it for True
if MYPY:  # pragma: no cover

    class _Some: ...

    _Same: TypeAlias = _Some | Listed[_Some] | Iterator[_Some] | AsyncIterator[_Some]
    _Kept: TypeAlias = _Same | Awaitable[_Some | Listed[_Some]]

    class _OfSome(Protocol):  # pyright: ignore[reportRedeclaration]  # it doesn't know MYPY
        def __call__(self, item: _Some, /) -> _Kept: ...

    class _OfSomes(Protocol):  # pyright: ignore[reportRedeclaration]  # it doesn't know MYPY
        def __call__(self, items: list[_Some], /) -> _Kept: ...

else:

    class _OfSome: ...

    class _OfSomes: ...


_More: TypeAlias = Callable[Concatenate[In, P], T]
_Lacking: TypeAlias = UnboundTask[In, Takes[P], Out]


class SingleTaskDecorator(Protocol):
    """`single_task`; with options it gives itself."""

    @overload
    def __call__(  # noqa: D418  # editors show it here
        self,
        func: None = None,
        *,
        flatten: Literal[True] = True,
        **options: Unpack[SingleDecoratorOptions],
    ) -> SingleTaskDecorator:
        """Make a function of one item a stage; used bare or with options.

        At most `concurrency_limit` calls at once (None: as many as the window holds, 1,024 by
        default). `retry_attempts` calls in all; then `error_handler` or `on_error` decides. With
        `flatten=False` a list that the function returns is one output.
        """
        ...

    @overload
    def __call__(
        self,
        func: None = None,
        *,
        flatten: Literal[False],
        **options: Unpack[SingleDecoratorOptions],
    ) -> SingleTaskOfLists: ...
    @overload
    def __call__(
        self,
        func: None = None,
        *,
        executor: Workers[State],
        flatten: Literal[True] = True,
        **options: Unpack[SingleStatefulOptions],
    ) -> StatefulDecorator[State]: ...
    @overload
    def __call__(
        self,
        func: None = None,
        *,
        executor: Workers[State],
        flatten: Literal[False],
        **options: Unpack[SingleStatefulOptions],
    ) -> StatefulDecoratorOfLists[State]: ...
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


class SingleTaskOfLists(Protocol):
    """`single_task(flatten=False)`: a list is one output, as any other value."""

    @overload
    def __call__(self, func: _OfSome | _OfSomes) -> SingleTask[Any, Any]: ...
    @overload
    def __call__(self, func: Callable[[Item], Awaitable[Value]]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item], Later[Out]]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[Item], Value]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item], Out | None]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[], Later[Out]]) -> SingleTask[Never, Out]: ...
    @overload
    def __call__(self, func: Callable[[], Out | None]) -> SingleTask[Never, Out]: ...
    @overload
    def __call__(self, func: _More[In, P, Awaitable[Value]]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, P, Later[Out]]) -> _Lacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _More[In, P, Value]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, P, Out | None]) -> _Lacking[In, P, Out]: ...


def with_types_of_single_task(function: Callable[..., Any]) -> SingleTaskDecorator:
    """Give `single_task` the types of its forms: bare, and called with options."""
    return function
