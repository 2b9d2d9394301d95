"""What do type checkers see of `batch_task`? A function of a list of items is a task of items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import (
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    Unpack,
    overload,
)

from .._option_types import DecoratorOptions, StatefulOptions
from .._side_inputs.types import Takes
from ..tasks import BatchTask
from ..workers import Workers
from .result_types import Flat, Item, Later, Out, Value
from .stateful_types import StatefulBatchDecorator, StatefulBatchDecoratorOfLists
from .unbound_task import BoundOnAccess, Lacking

__all__ = ["with_types_of_batch_task"]

T = TypeVar("T")
In = TypeVar("In", bound=Any)  # so that a lambda may do with it what it likes
Owner = TypeVar("Owner")  # the class that a method belongs to
P = ParamSpec("P")
State = TypeVar("State")  # what the setup of workers gives

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


class BatchTaskMaker(Protocol):
    """`batch_task`: its options choose the decorator."""

    @overload
    def __call__(  # noqa: D418  # editors show it here
        self,
        min_size: int = 1,
        max_size: int | None = None,
        *,
        max_wait: float | None = None,
        max_weight: float | None = None,
        weight: Callable[[Any], float] | None = None,
        group_by: Callable[[Any], Hashable] | None = None,
        flatten: Literal[True] = True,
        **options: Unpack[DecoratorOptions],
    ) -> BatchTaskDecorator:
        """Make a function of a list of items a stage; always called: `@batch_task(max_size=10)`.

        It gets `max_size` items at a time; fewer, but at least `min_size`, after `max_wait` seconds
        and at the end. `retry_attempts` calls in all; then `error_handler` or `on_error` decides.
        With `flatten=False` a list that the function returns is one output.
        """
        ...

    @overload
    def __call__(
        self,
        min_size: int = 1,
        max_size: int | None = None,
        *,
        max_wait: float | None = None,
        max_weight: float | None = None,
        weight: Callable[[Any], float] | None = None,
        group_by: Callable[[Any], Hashable] | None = None,
        flatten: Literal[False],
        **options: Unpack[DecoratorOptions],
    ) -> BatchTaskOfLists: ...
    @overload
    def __call__(
        self,
        min_size: int = 1,
        max_size: int | None = None,
        *,
        executor: Workers[State],
        max_wait: float | None = None,
        max_weight: float | None = None,
        weight: Callable[[Any], float] | None = None,
        group_by: Callable[[Any], Hashable] | None = None,
        flatten: Literal[True] = True,
        **options: Unpack[StatefulOptions],
    ) -> StatefulBatchDecorator[State]: ...
    @overload
    def __call__(
        self,
        min_size: int = 1,
        max_size: int | None = None,
        *,
        executor: Workers[State],
        max_wait: float | None = None,
        max_weight: float | None = None,
        weight: Callable[[Any], float] | None = None,
        group_by: Callable[[Any], Hashable] | None = None,
        flatten: Literal[False],
        **options: Unpack[StatefulOptions],
    ) -> StatefulBatchDecoratorOfLists[State]: ...


def with_types_of_batch_task(function: Callable[..., Any]) -> BatchTaskMaker:
    """Give `batch_task` the types of its forms: what it gives goes by its options."""
    return function
