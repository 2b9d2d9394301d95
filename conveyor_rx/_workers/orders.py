"""What do workers get of a task? Its function with its side inputs, under a name of their own."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from types import AsyncGeneratorType, GeneratorType
from typing import Any, NamedTuple, cast

from .._functions.calls import discard, is_awaitable, name_of
from .._functions.pickling import dumps

__all__ = ["Order", "Setup", "Work"]


class Setup(NamedTuple):
    """What a worker has to do once, before its first call."""

    name: str
    """Of the workers; whatever has the same name is done once in each of them."""
    function: Callable[[], Any]


@dataclass(frozen=True, eq=False, repr=False)
class Work:
    """A function with its side inputs, as a worker calls it."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    with_item: bool = True
    setup: Setup | None = None

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Give what a worker needs, each with its name in messages."""
        if inspect.ismethod(self.function):
            yield "the instance of the method", self.function.__self__
        yield "the function", self.function
        for number, value in enumerate(self.args, start=1):
            yield f"side input {number}", value
        for name, value in self.kwargs.items():
            yield f"side input {name!r}", value
        if self.setup is not None:
            yield "setup", self.setup.function

    def result(self, item: Any, state: Any) -> Any:
        """Call the function; what `setup` gave is its second argument, if there is a setup.

        Raises:
            TypeError: it gives something that can't leave a worker: an awaitable, for example.
        """
        first = (item,) if self.with_item else ()
        if self.setup is not None:
            first = (*first, state)
        result: Any = self.function(*first, *self.args, **self.kwargs)
        kind = cast("type[Any]", type(result))
        awaits = is_awaitable(result)
        if kind is GeneratorType and not awaits:
            return list(cast("Generator[Any]", result))
        if not awaits and kind is not AsyncGeneratorType:
            return result
        if awaits:
            discard(result)
        raise TypeError(
            f"{name_of(self.function)} gave {kind.__name__} in a worker, where no event loop runs; "
            "return a value, a list or a generator"
        )


class Order:
    """The work of one stage in one run, and how it travels."""

    data = b""
    """The work, pickled, if it is to be."""
    name = b""
    """What workers call it that know it; another one in each run, for side inputs may change."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def pickle(self, task_name: str, *, has_main: bool | None) -> None:
        """Make `data`; `has_main` says whether workers have the `__main__` of this process.

        Raises:
            TypeError: the function or something with it can't be pickled; the task is named.
        """
        try:
            self.data = dumps(self.work, task_name, has_main=has_main)
        except TypeError as error:
            culprit = self._culprit(task_name, has_main=has_main)
            raise TypeError(f"{error}{culprit}") from error.__cause__
        self.name = os.urandom(16)

    def _culprit(self, task_name: str, *, has_main: bool | None) -> str:
        """Say which part of the work can't be pickled."""
        for name, part in self.work.parts():
            try:
                dumps(part, task_name, has_main=has_main)
            except TypeError:
                return f" (that is {name})"
        return ""
