"""How does a plain function become a stage? By one of two decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

from ._batch_types import BatchTaskDecorator, BatchTaskOfLists
from ._task_types import UnboundTask, with_types_of_single_task
from .error_handling import (
    DELAY,
    MAX_DELAY,
    ErrorAction,
    ErrorHandler,
    RetryConfig,
    check_count,
    check_delays,
    check_flag,
    check_seconds,
)
from .tasks import BatchTask, SingleTask

__all__ = ["UnboundTask", "batch_task", "single_task"]


@with_types_of_single_task
def single_task(
    func: Callable[..., Any] | None = None,
    *,
    on_error: ErrorAction = "fail",
    retry_attempts: int = 1,
    retry_delay: float = DELAY,
    retry_exponential_backoff: bool = True,
    retry_max_delay: float = MAX_DELAY,
    error_handler: ErrorHandler | None = None,
    task_name: str | None = None,
    concurrency_limit: int | None = None,
    flatten: bool = True,
) -> Any:
    """Make a function of one item a stage; used bare or with options.

    `func` is a function, generator function or method, plain or async, or another callable. None
    that it returns is no output; a list or generator is one output for each element that is not
    None; anything else, a tuple or an array too, is one output. With `flatten=False` so is a list:
    a row, an embedding. What it needs beside the item is bound by calling the task with it. On a
    method the decorator stands above `@classmethod`, `@staticmethod` and `@abc.abstractmethod`.

    Order: results in input order, or as completed; with `concurrency_limit=1` and for generator
    functions calls start in input order, too. Errors: `retry_attempts` calls in all, waiting
    `retry_delay` seconds, then (with `retry_exponential_backoff`) twice as long each time, at most
    `retry_max_delay` (if only one of these is given, the other's default gives way); then
    `error_handler` is asked, or `on_error` decides: "fail" ends the run, "skip_item" and
    "skip_batch" drop the item. Cancellation: running calls are cancelled and awaited. Pressure: at
    most `concurrency_limit` calls run at once. None, and so the bare decorator, is no limit: as
    many as the window `max_in_flight` holds, 1,024 by default. A plain `def` runs one call at a
    time; a limit above 1 on it is a RuntimeWarning.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, by name.

    >>> import asyncio
    >>> @single_task
    ... async def double(x: int) -> int:
    ...     return x * 2
    >>> @single_task(on_error="skip_item", task_name="to number")
    ... def parse(text: str) -> int:
    ...     return int(text)
    >>> asyncio.run((parse | double)(["1", "two", "3"]).collect())
    [2, 6]
    """
    retry = _retry(retry_attempts, retry_delay, retry_exponential_backoff, retry_max_delay)

    def decorate(func: Callable[..., Any]) -> SingleTask[Any, Any]:
        return SingleTask(
            func,
            on_error=on_error,
            retry_config=retry,
            error_handler=error_handler,
            task_name=task_name,
            concurrency_limit=concurrency_limit,
            flatten=flatten,
        )

    return decorate if func is None else decorate(func)


@overload
def batch_task(
    min_size: int = 1,
    max_size: int | None = None,
    *,
    on_error: ErrorAction = "fail",
    retry_attempts: int = 1,
    retry_delay: float = DELAY,
    retry_exponential_backoff: bool = True,
    retry_max_delay: float = MAX_DELAY,
    error_handler: ErrorHandler | None = None,
    task_name: str | None = None,
    concurrency_limit: int | None = None,
    flatten: Literal[True] = True,
) -> BatchTaskDecorator: ...
@overload
def batch_task(
    min_size: int = 1,
    max_size: int | None = None,
    *,
    on_error: ErrorAction = "fail",
    retry_attempts: int = 1,
    retry_delay: float = DELAY,
    retry_exponential_backoff: bool = True,
    retry_max_delay: float = MAX_DELAY,
    error_handler: ErrorHandler | None = None,
    task_name: str | None = None,
    concurrency_limit: int | None = None,
    flatten: Literal[False],
) -> BatchTaskOfLists: ...
def batch_task(
    min_size: int = 1,
    max_size: int | None = None,
    *,
    on_error: ErrorAction = "fail",
    retry_attempts: int = 1,
    retry_delay: float = DELAY,
    retry_exponential_backoff: bool = True,
    retry_max_delay: float = MAX_DELAY,
    error_handler: ErrorHandler | None = None,
    task_name: str | None = None,
    concurrency_limit: int | None = None,
    flatten: bool = True,
) -> BatchTaskDecorator | BatchTaskOfLists:
    """Make a function of a list of items a stage; always called: `@batch_task(max_size=10)`.

    The function gets `max_size` consecutive items (None: `min_size`); what is left at the end is a
    last batch if it has at least `min_size` items, else it is dropped, counted and logged. What it
    returns is taken as for `single_task`, and so are the options.

    Order: outputs in the order of the batches, or as completed; batches run one at a time unless
    `concurrency_limit` allows more. Errors: as for `single_task`, but "skip_item" halves a failing
    batch until the failing items stand alone, "skip_batch" drops it, and a handler gets the batch.
    Cancellation: running calls are cancelled and awaited. Pressure: the window counts items.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, by name; or used bare.

    >>> import asyncio
    >>> @batch_task(max_size=2)
    ... async def add_up(numbers: list[int]) -> int:
    ...     return sum(numbers)
    >>> asyncio.run(add_up([1, 2, 3, 4, 5]).collect())
    [3, 7, 5]
    """
    if callable(min_size):
        name = getattr(min_size, "__name__", "func")
        raise TypeError(
            f"batch_task needs a batch size for {name}: write @batch_task(max_size=...)"
        )
    retry = _retry(retry_attempts, retry_delay, retry_exponential_backoff, retry_max_delay)

    def decorate(func: Callable[..., Any]) -> Any:
        return BatchTask[Any, Any](
            func,
            min_size=min_size,
            max_size=max_size,
            on_error=on_error,
            retry_config=retry,
            error_handler=error_handler,
            task_name=task_name,
            concurrency_limit=concurrency_limit,
            flatten=flatten,
        )

    return decorate


def _retry(attempts: int, delay: float, exponential: bool, max_delay: float) -> RetryConfig:
    """Check the decorators' options under their own names, which differ from the fields'."""
    check_count("retry_attempts", attempts)
    check_seconds("retry_delay", delay)
    check_flag("retry_exponential_backoff", exponential)
    check_seconds("retry_max_delay", max_delay)
    check_delays("retry_delay", delay, "retry_max_delay", max_delay)
    return RetryConfig(
        max_attempts=attempts,
        base_delay=delay,
        exponential_backoff=exponential,
        max_delay=max_delay,
    )
