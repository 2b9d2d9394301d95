"""What do type checkers see of `batch_task`? A function of a list of items is a task of items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from .._side_inputs.types import Takes
from ..tasks import BatchTask
from .result_types import Flat, Item, Later, Out, Value
from .unbound_task import BoundOnAccess, Lacking

__all__ = ["BatchTaskDecorator", "BatchTaskOfLists"]

T = TypeVar("T")
In = TypeVar("In", bound=Any)  # so that a lambda may do with it what it likes
Owner = TypeVar("Owner")  # the class that a method belongs to
P = ParamSpec("P")

_More: TypeAlias = Callable[Concatenate[In, P], T]
_BatchLacking: TypeAlias = Lacking[Takes[P], BatchTask[In, Out]]
_BatchMethod: TypeAlias = Callable[Concatenate[Owner, list[In], P], T]


class BatchTaskDecorator(Protocol):
    """`batch_task(...)`: a decorator with its options chosen."""

    @overload
    def __call__(self, func: Callable[[list[Item]], Flat[Value]]) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Flat[Out | None]]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(
        self, func: Callable[[list[Item]], Awaitable[Value]]
    ) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Later[Out]]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Value]) -> BatchTask[Item, Value]: ...
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


class BatchTaskOfLists(Protocol):
    """`batch_task(..., flatten=False)`: a list is one output, as any other value."""

    @overload
    def __call__(
        self, func: Callable[[list[Item]], Awaitable[Value]]
    ) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Later[Out]]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Value]) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item]], Out | None]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Later[Out]]) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Out | None]) -> _BatchLacking[P, In, Out]: ...
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
        self, func: _BatchMethod[Owner, In, P, Later[Out]]
    ) -> BoundOnAccess[Owner, _BatchLacking[P, In, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Out | None]
    ) -> BoundOnAccess[Owner, _BatchLacking[P, In, Out]]: ...
