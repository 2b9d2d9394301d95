"""How is a task pickled or copied? By the name that stands for it; else by what it is made of.

On the other side the name gives that module's own task. What was made from a task, by `with_inputs`
for example, or has no name, arrives as a task that is like it, made of the same function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, Generic, Self, SupportsIndex, TypeVar, cast

from .._functions.calls import Call, name_of
from .._options import CallOptions
from .base_task import BaseTask
from .binding import Binding

__all__ = ["PickledTask"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class PickledTask(BaseTask[In, Out], Generic[In, Out]):
    """A task that has the names of its function, and is pickled by them."""

    _options: CallOptions
    _binding: Binding
    _bound_by_call: list[str]
    _descriptor: Any  # what binds the function of a class or static method
    _made_call: Call | None = None  # for all runs: nothing about the task changes
    __wrapped__: Callable[..., Any]

    def _take_names(self, function: Callable[..., Any]) -> None:
        """Take the names of `function` and its text, as `functools.wraps` does."""
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        while isinstance(function, functools.partial):
            function = function.func
        self.__name__ = getattr(function, "__name__", None) or name_of(function)
        self.__qualname__ = getattr(function, "__qualname__", None) or self.__name__
        module = getattr(function, "__module__", None)
        if isinstance(module, str):
            self.__module__ = module  # else it stays that of the class

    def __copy__(self) -> Self:
        return self._copy(self._binding)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing about it changes

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Pickle the task by its name; where that doesn't stand for it, by what it is made of.

        Raises:
            TypeError: a function among its parts has no name, or a side input belongs to this
                process.
        """
        named = self._named()
        return super().__reduce_ex__(protocol) if named is None else named

    def __getstate__(self) -> dict[str, Any]:
        from .._sending.functions import all_sent

        owner = f"task {self.task_name!r}"
        return {
            **vars(self),
            "__wrapped__": all_sent({"function": self.__wrapped__}, owner)["function"],
            "_binding": self._binding.sent(owner),
            "_descriptor": None if self._descriptor is None else type(self._descriptor),
            "_made_call": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self._descriptor is not None:  # a class method itself can't be pickled
            self._descriptor = self._descriptor(self.__wrapped__)

    def _copy(self, binding: Binding) -> Self:
        task = object.__new__(type(self))
        vars(task).update(vars(self))
        task._binding = binding
        task._made_call = None
        task._bound_by_call = []
        return task

    def _named(self) -> Any:
        """Return how to pickle the task by name, as `__reduce__` may; None if it has none.

        The task of a method is had from its instance, that of a class or static method from the
        class: each access makes one anew. Where a class goes with its code, it may not have its
        methods yet when they are asked for.
        """
        from .._sending.names import found_at, path_to
        from .._sending.picklers import current_pickler

        pickler, function = current_pickler(), self._binding.func
        if pickler.keeps(self.__module__):
            return None
        if path := path_to(self):
            return path
        if pickler.takes_code and path_to(self.__wrapped__) is None:
            return None
        if isinstance(function, MethodType):
            owner, name = function.__self__, getattr(function, "__name__", "")
        else:
            scope, _, name = self.__qualname__.rpartition(".")
            owner = found_at(self.__module__, scope)
        return (getattr, (owner, name)) if self._is_like(getattr(owner, name, None)) else None

    def _is_like(self, other: object) -> bool:
        """Tell whether `other` has the same function, bound to the same object, and all else."""
        if type(other) is not type(self):
            return False
        task = cast("PickledTask[Any, Any]", other)
        theirs, ours = task._binding, self._binding
        return (
            task._options is self._options
            and task._descriptor is self._descriptor
            and theirs.func == ours.func
            and theirs.inputs is ours.inputs
            and theirs.with_item == ours.with_item
        )
