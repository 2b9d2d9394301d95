"""The values of a run: how it executes, and what its tasks share."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, TypeVar

from ._checks import (
    check_budget,
    check_choice,
    check_count,
    check_dead_letter,
    check_flag,
    check_text,
)
from ._dead_letters import DeadLetter

__all__ = [
    "ContextManager",
    "ExecutionMode",
    "PipelineContext",
    "current_context",
    "get_current_context",
    "set_current_context",
    "with_context",
]

T = TypeVar("T")
ExecutionMode = Literal["ordered", "as_completed"]


class _Unchanged:
    """In place of a setting: it stays as it is. None would be no bound."""

    def __repr__(self) -> str:
        return "unchanged"


UNCHANGED: Any = _Unchanged()  # stands for a value of any type


@dataclasses.dataclass
class PipelineContext:
    """Settings of a run, and the data that its tasks share.

    A pipeline holds one, and each of its runs gets a copy; of `data` one level is copied.

    Args:
        execution_mode: "ordered", results in input order, or "as_completed". Default: "ordered".
        max_parallelism: how many calls may run at once in the whole run. Default: None, no bound.
        pipeline_id: a new one is set for each run; what is given here has no effect.
        data: what tasks share, by name. Default: empty.
        max_in_flight: how many items may be under way in one segment of the pipeline, that is,
            between two points where order is restored. None is no bound. Default: 1,024.
        warn_of_blocking: whether a plain function that holds the event loop for more than 0.1 s is
            logged, at WARNING, once a stage and run. It is timed until 100 calls in a row took less
            than 0.2 ms each. Default: True.
        dead_letter: a function, plain or async, that gets a `Failure` for each item that a task
            skips, before it counts as skipped; for all tasks that have none of their own. Default:
            None.
        max_failures: how many items all tasks together may skip in a run: an int is a number of
            items, a float a share of those of the task that has settled most. One more fails the
            run. Default: None, any number.

    Raises:
        TypeError, ValueError: a field of the wrong type or out of range, named in the message.

    >>> import asyncio
    >>> from conveyor_rx import Pipeline, current_context, single_task
    >>> @single_task
    ... def add(number: int) -> int:
    ...     return number + current_context().data["offset"]
    >>> context = PipelineContext(max_in_flight=10, data={"offset": 100})
    >>> asyncio.run(Pipeline(context).add(add)([1, 2]).collect())
    [101, 102]
    """

    execution_mode: ExecutionMode = "ordered"
    max_parallelism: int | None = None
    pipeline_id: str | None = None
    data: dict[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    max_in_flight: int | None = 1024
    warn_of_blocking: bool = True
    dead_letter: DeadLetter | None = None
    max_failures: float | None = None

    def __post_init__(self) -> None:
        check_choice("execution_mode", self.execution_mode, ExecutionMode)
        check_count("max_parallelism", self.max_parallelism, optional=True)
        check_count("max_in_flight", self.max_in_flight, optional=True)
        check_flag("warn_of_blocking", self.warn_of_blocking)
        check_dead_letter("dead_letter", self.dead_letter)
        check_budget("max_failures", self.max_failures)
        if not isinstance(self.data, dict):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise TypeError(f"data must be a dict, not {self.data!r}")
        check_text("pipeline_id", self.pipeline_id)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: with functions by their names.

        Raises:
            TypeError: one has none.
        """
        from ._sending.functions import all_sent

        return all_sent(vars(self), "the context")

    def copy(self) -> PipelineContext:
        """Return a context of the same values, with a `data` dict of its own."""
        copied = twin_of(self)
        copied.__post_init__()  # what was set since is checked as well
        return copied

    def replace(
        self,
        *,
        execution_mode: ExecutionMode = UNCHANGED,
        max_parallelism: int | None = UNCHANGED,
        max_in_flight: int | None = UNCHANGED,
        warn_of_blocking: bool = UNCHANGED,
        dead_letter: DeadLetter | None = UNCHANGED,
        max_failures: float | None = UNCHANGED,
        pipeline_id: str | None = UNCHANGED,
        data: dict[str, Any] = UNCHANGED,
        **values: Any,
    ) -> PipelineContext:
        """Return a copy with these settings; `values` are added to `data`.

        Raises:
            TypeError, ValueError: a setting of the wrong type or out of range, or a name of one of
                `values` that is nearly that of a setting; by name.
        """
        given = {
            "execution_mode": execution_mode,
            "max_parallelism": max_parallelism,
            "max_in_flight": max_in_flight,
            "warn_of_blocking": warn_of_blocking,
            "dead_letter": dead_letter,
            "max_failures": max_failures,
            "pipeline_id": pipeline_id,
            "data": data,
        }
        for name in values:
            from ._text.near_miss import near_miss

            if setting := near_miss(name, given.keys() - {"pipeline_id"}):  # that isn't for users
                raise TypeError(
                    f"there is no setting {name!r}; did you mean {setting!r}? "
                    f"For data of that name pass data={{{name!r}: ...}}"
                )
        settings = {name: value for name, value in given.items() if value is not UNCHANGED}
        context = dataclasses.replace(self, **settings).copy()
        context.data.update(values)
        return context


def twin_of(context: PipelineContext) -> PipelineContext:
    """Return a copy of a context that needs no check."""
    twin = object.__new__(type(context))
    vars(twin).update(vars(context))
    twin.data = dict(context.data)
    return twin


class _Held:
    """A context to be compared by identity: two that are equal now may be changed differently."""

    __slots__ = ("context",)

    def __init__(self, context: PipelineContext | None) -> None:
        self.context = context


_current: ContextVar[_Held] = ContextVar("conveyor_rx_context", default=_Held(None))  # noqa: B039  # it is not changed


def get_current_context() -> PipelineContext | None:
    """Return the context of the run in which this code is called; None outside of any run."""
    return _current.get().context


def current_context() -> PipelineContext:
    """Return the context of the run in which this code is called: for code that is a task's.

    Raises:
        RuntimeError: no run is going on here, and none was set; `get_current_context` gives None.
    """
    context = get_current_context()
    if context is None:
        raise RuntimeError(
            "there is no current context: this is not called by a task of a run; set one with "
            "ContextManager(PipelineContext(...)), or use get_current_context(), which may be None"
        )
    return context


def set_current_context(context: PipelineContext | None) -> None:
    """Make `context` the current one from here on, in this task or thread."""
    _current.set(_Held(context))


class ContextManager:
    """Make a context the current one within a `with` block.

    >>> with ContextManager(PipelineContext(data={"user": "ada"})):
    ...     current_context().data["user"]
    'ada'
    """

    def __init__(self, context: PipelineContext) -> None:
        self.context = context
        self.previous_context: PipelineContext | None = None

    def __enter__(self) -> PipelineContext:
        self.previous_context = get_current_context()
        set_current_context(self.context)
        return self.context

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        set_current_context(self.previous_context)


async def with_context(context: PipelineContext, coro: Awaitable[T]) -> T:
    """Await `coro` with `context` as the current context, and return what it gives.

    So a function that asks for the context can be tried without a pipeline.

    >>> import asyncio
    >>> async def word() -> str:
    ...     return current_context().data["word"]
    >>> asyncio.run(with_context(PipelineContext(data={"word": "Hello"}), word()))
    'Hello'
    """
    with ContextManager(context):
        return await coro
