"""What do calls get beside the item? Values, values still to come, and shared generators.

A coroutine, a future or the first item of an AsyncStream is resolved once, before the first call,
and shared by all calls and runs of the task; a coroutine function is called once a run: see
`later.py`. An async generator is handed to every call; calls of `anext` on it are serialised, in
the order in which the calls started (`in_turns.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, cast

from .._functions.calls import is_awaitable, outputs

__all__ = ["SideInputs"]

# What is said of values, `kinds.py` says: it is imported where there are some.


class SideInputs:
    """The side inputs of one task, in the form in which they are passed on."""

    def __init__(self, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}
        self.is_pending = self.has_generator = False
        if args or kwargs:
            self._take(args, kwargs or {})

    def extended(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SideInputs:
        """Return these inputs with `args`, if any, in place of theirs, and `kwargs` added."""
        added = SideInputs(args, kwargs)
        added.args = added.args or self.args
        added.kwargs = {**self.kwargs, **added.kwargs}
        added.is_pending |= self.is_pending
        added.has_generator |= self.has_generator
        return added

    def sent(self, owner: str) -> SideInputs:
        """Return what is pickled in place of these inputs of `owner`.

        Raises:
            TypeError: one can't leave this process, or is a function without a name.
        """
        from .._sending.functions import Sent, all_sent
        from .kinds import STAYS
        from .later import Made

        names = [f"side input {number}" for number in range(1, len(self.args) + 1)]
        fields = dict(zip(names, self.args, strict=True))
        fields.update((f"side input {name!r}", value) for name, value in self.kwargs.items())
        for name, value in fields.items():
            if kind := STAYS.get(cast("type[object]", type(value))):
                raise TypeError(
                    f"{owner} can't be pickled: its {name} is {kind}, which can't leave this "
                    "process. Pass a value; or a coroutine function, which is called in each run"
                )
            if isinstance(value, Made):
                factory = all_sent({name: value.factory}, owner)[name]
                fields[name] = Sent(Made, value.name, factory)
        values = list(all_sent(fields, owner).values())
        copy = SideInputs()
        vars(copy).update(vars(self))
        copy.args = tuple(values[: len(names)])
        copy.kwargs = dict(zip(self.kwargs, values[len(names) :], strict=True))
        return copy

    def bind(self, function: Callable[..., Any], *, with_item: bool) -> Callable[[Any], Any]:
        """Make `function` a function of the item alone; for inputs that are here already."""
        args, kwargs = self.args, self.kwargs
        if not with_item:
            return lambda _: function(*args, **kwargs)
        if not args and not kwargs:
            return function
        return lambda item: function(item, *args, **kwargs)

    async def resolve(self, run: object) -> SideInputs:
        """Wait for the inputs that are still to come, for `run`, and return the whole as values."""
        if not self.args and not self.kwargs:
            return self
        from .kinds import value_of

        resolved = SideInputs()
        resolved.args = tuple([await value_of(value, run) for value in self.args])
        resolved.kwargs = {name: await value_of(value, run) for name, value in self.kwargs.items()}
        resolved.has_generator = self.has_generator
        return resolved

    def in_turns(self, function: Callable[..., Any], *, generator: bool) -> Callable[..., Any]:
        """Wrap `function` so that each call gets its own turn at the generators among its inputs.

        What comes out is async: a coroutine function, or an async generator function.
        """
        from .in_turns import Turns

        async def call(*args: Any, **kwargs: Any) -> Any:
            turns = Turns()
            try:
                result: Any = function(*turns.of(args), **turns.of_named(kwargs))
                return await result if is_awaitable(result) else result
            finally:
                turns.end()

        async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
            turns = Turns()
            try:
                result = function(*turns.of(args), **turns.of_named(kwargs))
                async with aclosing(outputs(result)) as values:
                    async for value in values:
                        yield value
            finally:
                turns.end()

        return generate if generator else call

    def _take(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from .in_turns import InOrder
        from .kinds import wrapped
        from .later import Later

        self.args = tuple(
            wrapped(value, f"side input {number}") for number, value in enumerate(args, start=1)
        )
        self.kwargs = {
            name: wrapped(value, f"side input {name!r}") for name, value in kwargs.items()
        }
        values = [*self.args, *self.kwargs.values()]
        self.is_pending = any(isinstance(value, Later) for value in values)
        self.has_generator = any(isinstance(value, InOrder) for value in values)
