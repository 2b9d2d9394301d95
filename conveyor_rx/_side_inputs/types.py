"""What do type checkers see of side inputs? The parameters of the function, behind its item.

Each of the first two by position may also be a coroutine, a future, an AsyncStream or a coroutine
function of the value. By name any of them may; which ones can't be told in types. So where all
values by name are plain ones and don't fit, checkers find an overload that is marked deprecated:
pyright reports it in strict mode, mypy with `--enable-error-code deprecated`. Values of other types
by name are not checked.

Neither are the side inputs of a function whose further parameters all have defaults. A protocol of
overloads (an item alone; an item and one more; an item and a ParamSpec) tells them from functions
without, but pyright then takes the wrong overload of `str` or `max`, and right programs fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    overload,
)

from ..stream import AsyncStream

__all__ = ["Inputs", "Takes", "Takes1"]

if TYPE_CHECKING:
    from typing_extensions import deprecated
else:

    def deprecated(text):
        return lambda function: function


A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
Task = TypeVar("Task")
P = ParamSpec("P")
Func_co = TypeVar("Func_co", covariant=True)
Task_co = TypeVar("Task_co", covariant=True)

Factory: TypeAlias = Callable[[], Coroutine[Any, Any, T]]
Side: TypeAlias = T | Coroutine[Any, Any, T] | asyncio.Future[T] | AsyncStream[T] | Factory[T]
_Plain: TypeAlias = (
    str | bytes | float | list[Any] | tuple[Any, ...] | dict[Any, Any] | set[Any] | None
)
# What is left of a function are its parameters behind the item or the instance, for its result has
# become the task's outputs.
Takes: TypeAlias = Callable[P, None]
Takes1: TypeAlias = Callable[Concatenate[A, P], None]
Takes2: TypeAlias = Callable[Concatenate[A, B, P], None]


class Inputs(Protocol[Func_co, Task_co]):
    """Bind the side inputs that a function gets behind its item; gives the task with them.

    A value is passed as it is. A coroutine, a future or an AsyncStream (its first item) is resolved
    once, before the first call, and shared by all calls and runs of the new task. A coroutine
    function that needs no argument is called once in each run. An async generator is shared by the
    calls; their `anext` take turns in input order.

    Checkers check values by position, and by name where none is still to come.
    """

    @overload
    def __call__(self: Inputs[Takes[P], Task], *args: P.args, **kwargs: P.kwargs) -> Task: ...
    @overload
    def __call__(self) -> Self: ...
    @overload
    def __call__(
        self: Inputs[Takes1[A, P], Task], a: Side[A], /, *args: P.args, **kwargs: P.kwargs
    ) -> Task: ...
    @overload
    def __call__(
        self: Inputs[Takes2[A, B, P], Task],
        a: Side[A],
        b: Side[B],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Task: ...
    @overload
    @deprecated("It is wrong: these side inputs do not fit the parameters of the function.")
    def __call__(self, **kwargs: _Plain) -> Task_co: ...
    @overload
    def __call__(self, **kwargs: Any) -> Task_co: ...
