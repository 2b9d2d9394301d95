"""How does a plain function become a stage? By one of two decorators."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Unpack

from ._given_options import of_decorator
from ._later import names_later
from ._options import BatchOptions, SingleOptions
from ._shown_options import shows_options
from .tasks import BatchTask, SingleTask

if TYPE_CHECKING:
    from ._option_types import DecoratorOptions
    from ._types.batch_types import with_types_of_batch_task
    from ._types.task_types import UnboundTask, with_types_of_single_task
else:  # types take as long to make as all tasks, and to run they do nothing

    def with_types_of_single_task(function):
        return function

    with_types_of_batch_task = with_types_of_single_task


__all__ = ["UnboundTask", "batch_task", "single_task"]

__getattr__ = names_later(__name__, {"UnboundTask": "._types.unbound_task"})


@with_types_of_single_task
@shows_options(SingleOptions, with_retries=True)
def single_task(func: Callable[..., Any] | None = None, **options: Unpack[DecoratorOptions]) -> Any:
    """Make a function of one item a stage; used bare, or with options: `@single_task(...)`.

    The function may be plain, `async`, a generator or an async generator function, a method, or
    another callable. Its first parameter is the item. Other parameters without a default are side
    inputs: call the task with them, or use `with_inputs`. On a method, write the decorator above
    `@classmethod`, `@staticmethod` and `@abc.abstractmethod`.

    What it returns: None is no output. A list or a generator is one output for each element that is
    not None. Any other value is one output, also a tuple or an array.

    Args:
        func: the function; left out where options are given.
        on_error: what happens to an item whose call has failed for good. "fail" ends the run with
            that exception; "skip_item" and "skip_batch" drop the item. Default: "fail".
        retry_attempts: calls in all, the first one included. Default: 1.
        retry_delay: seconds to wait before the second call. Default: 1.0.
        retry_exponential_backoff: whether the wait doubles each time. Default: True.
        retry_max_delay: the longest wait, in seconds. Default: 60.0. If only one of the two delays
            is given, the default of the other one gives way to it.
        retry_on: which failures are tried again: a type of exception, a tuple of types, or a
            function that is given the exception and says True or False. Others go straight to
            `error_handler` and `on_error`. Default: all.
        retry_jitter: up to so many seconds, at random, are added to each wait. Default: 0.0.
        retry_after: a function that is given the exception and returns the seconds to wait in place
            of the backoff (what a Retry-After header says), or None. Default: None.
        total_timeout: how many seconds all attempts may take from the first one on, with the waits.
            None begins after it, and one that is running is cut (but a plain function is not). Then
            the last failure counts. Default: None, no limit.
        retry_config: a `RetryConfig` in place of all these.
        error_handler: an `ErrorHandler` that is asked after the last attempt, before `on_error`.
        task_name: the name in messages, statistics and pictures. Default: the function's name.
        concurrency_limit: how many calls may run at once. Default: None, as many as the window
            `max_in_flight` holds; that is 1,024 unless you set it. Calls of a plain `def` always
            run one at a time, unless it has an `executor`; a limit above 1 on it gives a
            RuntimeWarning. With workers of its own a task has four calls for each of them, times
            `chunk`: they run, or are on their way. A `Limit` or an `AdaptiveLimit` counts the calls
            of all tasks that share it.
        flatten: whether a list or a generator that the function returns gives one output for each
            element. False: it is one output, such as a row or an embedding. Default: True.
        timeout: how many seconds each attempt may take; for an async function or an async generator
            function, or with `executor`. Then the call is cancelled and awaited, and has failed
            with TimeoutError, a failure like any other. What it runs in a thread
            (`asyncio.to_thread`, or `executor="threads"`) goes on there, and its result is lost. A
            process of `executor="processes"` is ended, and another takes its place. Of a generator
            the time counts in which it works, not that in which it waits for room. Default: None,
            no limit.
        rate_limit: how much may start in which time: a `RateLimit`, or a list of them, all of which
            have to allow it. Tasks may share it. Default: None.

        key: a function of the item: calls for items with equal keys follow each other, in input
            order, and retries too; calls for other keys go on beside them. Default: None.
        dead_letter: a function, plain or async, that gets a `Failure` for each item that is
            skipped: once it is given up for good, and before it counts as skipped. What the
            function raises fails the run. Default: None, that of the context, if there is one.
        max_failures: how many items may be skipped in a run; one more fails the run at its place.
            An int is a number of items. A float is a share, judged once 100 items have settled, and
            at the end. Default: None, any number.
        executor: where the calls of a plain function, or of a plain generator function, are made:
            "threads", "processes" or "interpreters", which then live for a run; `Workers(...)`,
            which says how many there are, and what they set up; or an executor of
            `concurrent.futures`. To other processes go the function, by its name, the items and
            the side inputs, pickled, and context variables don't. A generator's outputs come when
            it has ended. Default: None, the event loop.

    Order: results stand in input order, or as completed. With `concurrency_limit=1`, and for
    generator functions, calls start in input order, too.
    Errors: retries come first, then `error_handler`, then `on_error`.
    Cancellation: calls that run are cancelled and awaited.
    Pressure: at most `concurrency_limit` calls run at once.
    Pickle: a task at the top of a module goes by its name, and arrives as the task of that module;
    that of a method goes with its instance.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, named in the message.

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
    chosen = of_decorator(SingleOptions, "single_task", options)

    def decorate(func: Callable[..., Any]) -> SingleTask[Any, Any]:
        return SingleTask(func, **chosen)

    return decorate if func is None else decorate(func)


@with_types_of_batch_task
@shows_options(BatchOptions, with_retries=True)
def batch_task(  # noqa: D417  # by name
    min_size: int = 1,
    max_size: int | None = None,
    *,
    max_wait: float | None = None,
    max_weight: float | None = None,
    weight: Callable[[Any], float] | None = None,
    group_by: Callable[[Any], Hashable] | None = None,
    **options: Any,
) -> Any:
    """Make a function of a list of items a stage; always called: `@batch_task(max_size=10)`.

    The function gets `max_size` consecutive items at a time. What it may be, and what becomes of
    its result, is as for `single_task`.

    Args:
        min_size: how many items the last batch needs at least. A smaller rest is dropped, counted
            and logged as a warning. Default: 1.
        max_size: how many items a full batch has. Default: None, the same as `min_size`; with
            `max_weight`, no limit of its own.
        max_wait: after how many seconds, from its first item on, a batch is due that is not full.
            It is cut as soon as there is a slot for it, and grows until then. 0: whatever is there
            when a slot is free. A batch of fewer than `min_size` items goes on waiting. Default:
            None, only a full batch is cut, and the last one.
        max_weight: how heavy a batch may be, in the unit of `weight`. An item that would make it
            heavier opens the next batch, and one that is heavier alone goes alone. Without a
            `max_size` a batch has as many items as that allows, and at most `max_in_flight`.
            Default: None, items have no weight.
        weight: a plain function that gives the weight of an item, a number of at least 0: `len`, or
            the number of its tokens. It must be given with `max_weight`.
        group_by: a plain function that gives the key of an item, which can be hashed. A batch is of
            one key. Each key has its own open batch; together these hold at most `max_in_flight`
            items, and past that the oldest is cut. Default: None, all items are of one group.
        on_error: what happens to a batch whose call has failed for good. "fail" ends the run with
            that exception. "skip_item" halves the batch and tries again, until the items that fail
            stand alone, and drops those. "skip_batch" drops the batch. Default: "fail".
        retry_attempts: calls in all, the first one included. Default: 1.
        retry_delay: seconds to wait before the second call. Default: 1.0.
        retry_exponential_backoff: whether the wait doubles each time. Default: True.
        retry_max_delay: the longest wait, in seconds. Default: 60.0. If only one of the two delays
            is given, the default of the other one gives way to it.
        retry_on: which failures are tried again: a type of exception, a tuple of types, or a
            function that is given the exception and says True or False. Others go straight to
            `error_handler` and `on_error`. Default: all.
        retry_jitter: up to so many seconds, at random, are added to each wait. Default: 0.0.
        retry_after: a function that is given the exception and returns the seconds to wait in place
            of the backoff (what a Retry-After header says), or None. Default: None.
        total_timeout: how many seconds all attempts may take from the first one on, with the waits.
            None begins after it, and one that is running is cut (but a plain function is not). Then
            the last failure counts. Default: None, no limit.
        retry_config: a `RetryConfig` in place of all these.
        error_handler: an `ErrorHandler` that is asked after the last attempt, before `on_error`; it
            gets the list of items.
        task_name: the name in messages, statistics and pictures. Default: the function's name.
        concurrency_limit: how many calls may run at once. Default: None, one at a time. A `Limit`
            or an `AdaptiveLimit` counts the calls of all tasks that share it.
        flatten: whether a list or a generator that the function returns gives one output for each
            element. False: it is one output. Default: True.
        timeout: how many seconds each attempt may take; for an async function or an async generator
            function, or with `executor`. Then the call is cancelled and awaited, and has failed
            with TimeoutError, a failure like any other. What it runs in a thread
            (`asyncio.to_thread`, or `executor="threads"`) goes on there, and its result is lost. A
            process of `executor="processes"` is ended, and another takes its place. Of a generator
            the time counts in which it works, not that in which it waits for room. Default: None,
            no limit.
        rate_limit: how much may start in which time: a `RateLimit`, or a list of them, all of which
            have to allow it. Tasks may share it. Default: None.
        dead_letter: a function, plain or async, that gets a `Failure` for each item that is
            skipped: once it is given up for good, and before it counts as skipped. What the
            function raises fails the run. Default: None, that of the context, if there is one.
        max_failures: how many items may be skipped in a run; one more fails the run at its place.
            An int is a number of items. A float is a share, judged once 100 items have settled, and
            at the end. Default: None, any number.
        executor: where the calls of a plain function, or of a plain generator function, are made:
            "threads", "processes" or "interpreters", which then live for a run; `Workers(...)`,
            which says how many there are, and what they set up; or an executor of
            `concurrent.futures`. To other processes go the function, by its name, the items and
            the side inputs, pickled, and context variables don't. A generator's outputs come when
            it has ended. Default: None, the event loop.

    Order: batches start in the order in which they were cut, which without `group_by` is input
    order; their outputs stand in that order, or as completed.
    Errors: retries come first, then `error_handler`, then `on_error`. An item for which `weight` or
    `group_by` fails, or gives no weight or no key, has failed alone, and is not tried again.
    Cancellation: calls that run are cancelled and awaited.
    Pressure: the window `max_in_flight` counts the items of the batches.
    Pickle: as for `single_task`.

    Raises:
        TypeError, ValueError: an option of the wrong type or out of range, named in the message; or
            the decorator is used without a call.

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
    given: dict[str, Any] = {
        "min_size": min_size,
        "max_size": max_size,
        "max_wait": max_wait,
        "max_weight": max_weight,
        "weight": weight,
        "group_by": group_by,
        **options,
    }
    chosen = of_decorator(BatchOptions, "batch_task", given)

    def decorate(func: Callable[..., Any]) -> BatchTask[Any, Any]:
        return BatchTask(func, **chosen)

    return decorate
