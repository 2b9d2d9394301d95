"""What do type checkers see of the decorators? The types of the function, kept.

None is no output; lists and generators stand for what they hold; a function that needs more than
its item gives an `UnboundTask`, which at run time is the task itself, but no stage to a checker
before it is called with what it lacks, or, as a method, accessed on its instance.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Never,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    overload,
)

from .error_handling import ErrorAction, ErrorHandler
from .stream import AsyncStream
from .tasks import BatchTask, SingleTask

__all__ = ["BatchTaskDecorator", "UnboundTask", "with_types_of_single_task"]

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
In = TypeVar("In")
Owner = TypeVar("Owner")  # the class that a method belongs to
Task = TypeVar("Task")
P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)
Func_co = TypeVar("Func_co", covariant=True)
Task_co = TypeVar("Task_co", covariant=True)
Owner_contra = TypeVar("Owner_contra", contravariant=True)

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

    # A function that returns nothing but None: no output. (pyright alone would say: unknown.)
    Out = typing_extensions.TypeVar("Out", default=Never)
    Value = typing_extensions.TypeVar("Value", bound=_Value, default=Never)
else:
    Out = TypeVar("Out")
    Value = TypeVar("Value", bound=_Value)


class _Listed(Protocol[T_co]):
    """A list, but covariant: a `list[int]` gives outputs of type `int`, and of any wider type."""

    def __iter__(self) -> Iterator[T_co]: ...
    def copy(self) -> list[Any]: ...


Many: TypeAlias = _Listed[T] | Iterator[T] | AsyncIterator[T] | None
Flat: TypeAlias = Many[T] | Awaitable[Many[T]]
Later: TypeAlias = Awaitable[T | None]
Side: TypeAlias = T | Coroutine[Any, Any, T] | asyncio.Future[T] | AsyncStream[T]
# What is left of a function are its parameters, for its result has become the task's outputs.
Takes: TypeAlias = Callable[Concatenate[A, P], None]
Takes2: TypeAlias = Callable[Concatenate[A, B, P], None]
Takes3: TypeAlias = Callable[Concatenate[A, B, T, P], None]


class _Inputs(Protocol[Func_co, Task_co]):
    """Call it with the side inputs that a function needs, to get the task.

    The first two by position, or any by name, may also be a coroutine, a future or an AsyncStream
    of the value. (In a call with such a one by name, checkers don't check the others.)
    """

    @overload
    def __call__(self) -> Self: ...
    @overload
    def __call__(self: _Inputs[Takes[In, P], Task], *args: P.args, **kwargs: P.kwargs) -> Task: ...
    @overload
    def __call__(
        self: _Inputs[Takes2[In, A, P], Task], a: Side[A], /, *args: P.args, **kwargs: P.kwargs
    ) -> Task: ...
    @overload
    def __call__(
        self: _Inputs[Takes3[In, A, B, P], Task],
        a: Side[A],
        b: Side[B],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Task: ...
    @overload
    def __call__(self, **kwargs: Any) -> Task_co: ...


class UnboundTask(_Inputs[Func_co, Task_co], Protocol[Func_co, Task_co]):
    """A task that lacks side inputs or, being a method, its instance."""

    @property
    def func(self) -> Callable[..., Any]:
        """The function."""
        ...

    @property
    def task_name(self) -> str:
        """The name that statistics and messages use."""
        ...

    @property
    def with_inputs(self) -> _Inputs[Func_co, Task_co]:
        """Bind side inputs; the same as calling the task with them."""
        ...

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(
        self: UnboundTask[Callable[[Owner, In], None], SingleTask[Owner, Out]],
        instance: Owner,
        owner: type[Any] | None = None,
        /,
    ) -> SingleTask[In, Out]: ...
    @overload
    def __get__(
        self: UnboundTask[Takes2[Owner, In, P], SingleTask[Owner, Out]],
        instance: Owner,
        owner: type[Any] | None = None,
        /,
    ) -> _Lacking[In, P, Out]: ...


class _Method(Protocol[Owner_contra, Task_co]):
    """A method that is a batch task: the task is what its instances have."""

    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(self, instance: Owner_contra, owner: type[Any] | None = None, /) -> Task_co: ...


_More: TypeAlias = Callable[Concatenate[A, P], T]
_Lacking: TypeAlias = UnboundTask[Takes[In, P], SingleTask[In, Out]]
_BatchLacking: TypeAlias = UnboundTask[Takes[list[In], P], BatchTask[In, Out]]
_BatchMethod: TypeAlias = Callable[Concatenate[Owner, list[In], P], T]


class SingleTaskDecorator(Protocol):
    """`single_task`; with options it gives itself."""

    @overload
    def __call__(self, func: Callable[[In], Flat[Value]]) -> SingleTask[In, Value]: ...
    @overload
    def __call__(self, func: Callable[[In], Flat[Out | None]]) -> SingleTask[In, Out]: ...
    @overload
    def __call__(self, func: Callable[[In], Awaitable[Value]]) -> SingleTask[In, Value]: ...
    @overload
    def __call__(self, func: Callable[[In], Later[Out]]) -> SingleTask[In, Out]: ...
    @overload
    def __call__(self, func: Callable[[In], Value]) -> SingleTask[In, Value]: ...
    @overload
    def __call__(self, func: Callable[[In], Out | None]) -> SingleTask[In, Out]: ...
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
    ) -> SingleTaskDecorator: ...


class BatchTaskDecorator(Protocol):
    """`batch_task(...)`: a decorator with its options chosen."""

    @overload
    def __call__(self, func: Callable[[list[In]], Flat[Value]]) -> BatchTask[In, Value]: ...
    @overload
    def __call__(self, func: Callable[[list[In]], Flat[Out | None]]) -> BatchTask[In, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[In]], Later[Out]]) -> BatchTask[In, Out]: ...
    @overload
    def __call__(self, func: Callable[[list[In]], Out | None]) -> BatchTask[In, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Flat[Value]]) -> _BatchLacking[In, P, Value]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Flat[Out | None]]) -> _BatchLacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Later[Out]]) -> _BatchLacking[In, P, Out]: ...
    @overload
    def __call__(self, func: _More[list[In], P, Out | None]) -> _BatchLacking[In, P, Out]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Flat[Value]]
    ) -> _Method[Owner, BatchTask[In, Value]]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Flat[Out | None]]
    ) -> _Method[Owner, BatchTask[In, Out]]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Later[Out]]
    ) -> _Method[Owner, BatchTask[In, Out]]: ...
    @overload
    def __call__(
        self, func: Callable[[Owner, list[In]], Out | None]
    ) -> _Method[Owner, BatchTask[In, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Flat[Value]]
    ) -> _Method[Owner, _BatchLacking[In, P, Value]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Flat[Out | None]]
    ) -> _Method[Owner, _BatchLacking[In, P, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Later[Out]]
    ) -> _Method[Owner, _BatchLacking[In, P, Out]]: ...
    @overload
    def __call__(
        self, func: _BatchMethod[Owner, In, P, Out | None]
    ) -> _Method[Owner, _BatchLacking[In, P, Out]]: ...


def with_types_of_single_task(function: Callable[..., Any]) -> SingleTaskDecorator:
    """Give `single_task` the types of its two forms, bare and called."""
    return function
