"""What is a task? A stage with a name and options, and a `process` of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable
from typing import TYPE_CHECKING, TypeVar, Unpack

from .._given_options import chosen
from .._options import TaskOptions
from .._shown_options import shows_options
from ..context import PipelineContext, get_current_context
from ..error_handling import ErrorAction, ErrorHandler, RetryConfig
from ..pipeline import Stage

if TYPE_CHECKING:
    from .._option_types import OwnTaskOptions

__all__ = ["BaseTask"]

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class BaseTask(Stage[In, Out]):
    """A stage of one's own: subclass it and override `process`.

    `process` gets the items as an async iterable and gives its outputs as another; it is a
    coroutine function that returns one, or an async generator function. The engine pulls from it at
    the consumer's pace, gives it items at its own, and closes it. Order and errors are its own: the
    options are there for a subclass to read.

    Args:
        on_error: "fail" (the default), "skip_item" or "skip_batch".
        retry_config: a `RetryConfig`; None, the default, is one attempt.
        error_handler: an `ErrorHandler` or None, the default.
        task_name: the name in messages, statistics and pictures; by default that of the class.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, named in the message.

    >>> import asyncio
    >>> class Pairs(BaseTask):
    ...     async def process(self, items):
    ...         last = None
    ...         async for item in items:
    ...             yield (last, item)
    ...             last = item
    >>> asyncio.run(Pairs()([1, 2]).collect())
    [(None, 1), (1, 2)]
    """

    _options = TaskOptions()  # so that a subclass need not call __init__

    @shows_options(TaskOptions)
    def __init__(self, **options: Unpack[OwnTaskOptions]) -> None:
        self._options = chosen(TaskOptions, type(self).__name__, options)

    def __repr__(self) -> str:
        return self.task_name

    @property
    def task_name(self) -> str:
        return self._options.task_name or type(self).__name__

    @property
    def on_error(self) -> ErrorAction:
        """What becomes of an item that fails for good."""
        return self._options.on_error

    @property
    def retry_config(self) -> RetryConfig:
        """How often a call is tried."""
        return self._options.retries

    @property
    def error_handler(self) -> ErrorHandler | None:
        """Who is asked before `on_error`."""
        return self._options.error_handler

    def process(
        self, items: AsyncIterable[In]
    ) -> AsyncIterable[Out] | Awaitable[AsyncIterable[Out]]:
        """Give the outputs of this stage for `items`; `await` what it returns, for any task."""
        raise NotImplementedError(f"{type(self).__name__} must override process")

    def get_context(self) -> PipelineContext | None:
        """Return the context of the run in which this code is called; None outside of any run."""
        return get_current_context()
