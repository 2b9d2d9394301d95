"""What do type checkers see of a task that lacks something? Side inputs, its instance, its class.

At run time that is the task itself; to a checker it is no stage before it is called with what it
lacks, or, as a method, accessed on its instance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, Self, TypeVar, overload

from .._side_inputs.types import Inputs, Takes, Takes1
from ..tasks import SingleTask

__all__ = ["BoundOnAccess", "Lacking", "Takes", "UnboundTask"]

T = TypeVar("T")
In = TypeVar("In")
Out = TypeVar("Out")
Owner = TypeVar("Owner")  # the class that a method belongs to
Task = TypeVar("Task")
P = ParamSpec("P")
Out_co = TypeVar("Out_co", covariant=True)
Func_co = TypeVar("Func_co", covariant=True)
Task_co = TypeVar("Task_co", covariant=True)
First_co = TypeVar("First_co", covariant=True)


class Lacking(Inputs[Func_co, Task_co], Protocol[Func_co, Task_co]):
    """A task that lacks side inputs."""

    @property
    def func(self) -> Callable[..., Any]:
        """The function."""
        ...

    @property
    def task_name(self) -> str:
        """The name that statistics and messages use."""
        ...

    @property
    def with_inputs(self) -> Inputs[Func_co, Task_co]:
        """Bind side inputs; the same as calling the task with them."""
        ...


class UnboundTask(  # pyright: ignore[reportInvalidTypeVarUse]  # see below
    Lacking[Func_co, SingleTask[First_co, Out_co]],  # pyright: ignore[reportInvalidTypeArguments]
    Protocol[First_co, Func_co, Out_co],
):
    """A task that lacks side inputs or, being a method, its instance or class.

    First_co is the item's type or the owner's. It is covariant so that a method may be overridden
    by one whose `self` is the subclass.
    """

    @overload
    def __get__(
        self: UnboundTask[type[Owner], Callable[[In], None], Out],
        instance: object,
        owner: type[Owner],
        /,
    ) -> SingleTask[In, Out]: ...
    @overload
    def __get__(
        self: UnboundTask[type[Owner], Takes1[In, P], Out],
        instance: object,
        owner: type[Owner],
        /,
    ) -> UnboundTask[In, Takes[P], Out]: ...
    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(
        self: UnboundTask[Owner, Callable[[In], None], Out],
        instance: Owner,
        owner: type[Any] | None = None,
        /,
    ) -> SingleTask[In, Out]: ...
    @overload
    def __get__(
        self: UnboundTask[Owner, Takes1[In, P], Out],
        instance: Owner,
        owner: type[Any] | None = None,
        /,
    ) -> UnboundTask[In, Takes[P], Out]: ...


class BoundOnAccess(Protocol[First_co, Task_co]):
    """A method that is a batch task: the task is what its instances, or its classes, have."""

    @overload
    def __get__(
        self: BoundOnAccess[type[Owner], Task], instance: object, owner: type[Owner], /
    ) -> Task: ...
    @overload
    def __get__(self, instance: None, owner: type[Any], /) -> Self: ...
    @overload
    def __get__(
        self: BoundOnAccess[Owner, Task], instance: Owner, owner: type[Any] | None = None, /
    ) -> Task: ...
