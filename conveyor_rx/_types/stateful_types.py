"""What do type checkers see of a function that gets what a setup gave? A task without that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from .._side_inputs.types import Takes
from ..tasks import BatchTask, SingleTask
from .result_types import Flat, Item, Out, Value
from .unbound_task import BoundOnAccess, Lacking, UnboundTask

__all__ = [
    "StatefulBatchDecorator",
    "StatefulBatchDecoratorOfLists",
    "StatefulDecorator",
    "StatefulDecoratorOfLists",
]

T = TypeVar("T")
In = TypeVar("In", bound=Any)
State = TypeVar("State", covariant=True)  # what the setup gives
Owner = TypeVar("Owner")  # the class that a method belongs to
P = ParamSpec("P")

_More: TypeAlias = Callable[Concatenate[In, State, P], T]
_Lacking: TypeAlias = UnboundTask[In, Takes[P], Out]
_BatchLacking: TypeAlias = Lacking[Takes[P], BatchTask[In, Out]]
_Method: TypeAlias = Callable[[Owner, In, State], T]
_Bound: TypeAlias = BoundOnAccess[Owner, SingleTask[In, Out]]
_BatchBound: TypeAlias = BoundOnAccess[Owner, BatchTask[In, Out]]


class StatefulDecorator(Protocol[State]):
    """`single_task(executor=Workers(..., setup=...))`: the state is the second argument."""

    @overload
    def __call__(self, func: Callable[[Item, State], Flat[Value]]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(
        self, func: Callable[[Item, State], Flat[Out | None]]
    ) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[Item, State], Value]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item, State], Out | None]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: _More[In, State, P, Flat[Value]]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, State, P, Flat[Out | None]]) -> _Lacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _More[In, State, P, Value]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, State, P, Out | None]) -> _Lacking[In, P, Out]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, In, State, Flat[Value]]
    ) -> _Bound[Owner, In, Value]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, In, State, Flat[Out | None]]
    ) -> _Bound[Owner, In, Out]: ...
    @overload
    def __call__(self, func: _Method[Owner, In, State, Value]) -> _Bound[Owner, In, Value]: ...
    @overload
    def __call__(self, func: _Method[Owner, In, State, Out | None]) -> _Bound[Owner, In, Out]: ...


class StatefulDecoratorOfLists(Protocol[State]):
    """The same with `flatten=False`: a list is one output, as any other value."""

    @overload
    def __call__(self, func: Callable[[Item, State], Value]) -> SingleTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[Item, State], Out | None]) -> SingleTask[Item, Out]: ...
    @overload
    def __call__(self, func: _More[In, State, P, Value]) -> _Lacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[In, State, P, Out | None]) -> _Lacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _Method[Owner, In, State, Value]) -> _Bound[Owner, In, Value]: ...
    @overload
    def __call__(self, func: _Method[Owner, In, State, Out | None]) -> _Bound[Owner, In, Out]: ...


class StatefulBatchDecorator(Protocol[State]):
    """`batch_task(executor=Workers(..., setup=...))`: the state is behind the list."""

    @overload
    def __call__(
        self, func: Callable[[list[Item], State], Flat[Value]]
    ) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(
        self, func: Callable[[list[Item], State], Flat[Out | None]]
    ) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[Item], State], Value]) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item], State], Out | None]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(
        self, func: _More[list[In], State, P, Flat[Value]]
    ) -> _BatchLacking[P, In, Value]: ...
    @overload
    def __call__(
        self, func: _More[list[In], State, P, Flat[Out | None]]
    ) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], State, P, Value]) -> _BatchLacking[P, In, Value]: ...
    @overload
    def __call__(
        self, func: _More[list[In], State, P, Out | None]
    ) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, list[In], State, Flat[Value]]
    ) -> _BatchBound[Owner, In, Value]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, list[In], State, Flat[Out | None]]
    ) -> _BatchBound[Owner, In, Out]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, list[In], State, Value]
    ) -> _BatchBound[Owner, In, Value]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, list[In], State, Out | None]
    ) -> _BatchBound[Owner, In, Out]: ...


class StatefulBatchDecoratorOfLists(Protocol[State]):
    """The same with `flatten=False`: a list is one output, as any other value."""

    @overload
    def __call__(self, func: Callable[[list[Item], State], Value]) -> BatchTask[Item, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[Item], State], Out | None]) -> BatchTask[Item, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], State, P, Value]) -> _BatchLacking[P, In, Value]: ...
    @overload
    def __call__(
        self, func: _More[list[In], State, P, Out | None]
    ) -> _BatchLacking[P, In, Out]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, list[In], State, Value]
    ) -> _BatchBound[Owner, In, Value]: ...
    @overload
    def __call__(
        self, func: _Method[Owner, list[In], State, Out | None]
    ) -> _BatchBound[Owner, In, Out]: ...
