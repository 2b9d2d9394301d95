"""How do editors and type checkers see the options of tasks? By name, type and text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypedDict

from ._dead_letters import DeadLetter
from ._limits.concurrency import Limit
from ._limits.rate import RateLimit
from .error_handling import ErrorAction, ErrorHandler, RetryAfter, RetryConfig, RetryOn
from .workers import WorkerKind, Workers

__all__ = [
    "ClassOptions",
    "DecoratorOptions",
    "OwnTaskOptions",
    "SingleClassOptions",
    "SingleDecoratorOptions",
    "SingleStatefulOptions",
    "StatefulOptions",
]


class _OfEveryTask(TypedDict, total=False):
    on_error: ErrorAction
    """What becomes of an item whose call failed for good: "fail" (the default) ends the run there,
    "skip_item" drops it (a batch is halved until the failing items stand alone), "skip_batch"
    drops the batch."""
    error_handler: ErrorHandler | None
    """Who is asked after the last attempt, before `on_error`."""
    task_name: str | None
    """The name in messages, statistics and pictures. Default: the function's name."""


class _WithRetries(TypedDict, total=False):
    retry_attempts: int
    """Calls in all, the first one included. Default: 1."""
    retry_delay: float
    """Seconds to wait before the second call. Default: 1.0."""
    retry_exponential_backoff: bool
    """Whether the wait doubles each time (the default), or stays."""
    retry_max_delay: float
    """The longest wait, in seconds. Default: 60.0."""
    retry_on: RetryOn
    """Which failures are tried again: a type, a tuple of types, or a function of the exception.
    Default: all."""
    retry_jitter: float
    """Up to so many seconds, at random, are added to each wait. Default: 0.0."""
    retry_after: RetryAfter | None
    """A function of the exception: the seconds to wait, in place of the backoff, or None."""
    total_timeout: float | None
    """The seconds that all attempts may take, from the first one on, waits included. Default: None,
    no limit."""


class _WithRetryConfig(TypedDict, total=False):
    retry_config: RetryConfig | None
    """How often a call is tried, and the waits in between. Default: once."""


class _OfCalls(TypedDict, total=False):
    concurrency_limit: int | Limit | None
    """How many calls may run at once. None, the default: as many as the window `max_in_flight`
    holds, 1,024 unless set; for a batch task: 1. A `Limit` or an `AdaptiveLimit` may be shared."""
    timeout: float | None
    """The seconds that each attempt may take, of an async function. Then the call is cancelled and
    has failed with TimeoutError. Default: None, no limit."""
    rate_limit: RateLimit[Any] | Sequence[RateLimit[Any]] | None
    """How much may start in which time: one `RateLimit`, or several that all have to allow it. They
    may be shared with other tasks."""
    dead_letter: DeadLetter | None
    """A function, plain or async, that gets a `Failure` for each item that is skipped, before it
    counts as skipped. Default: that of the context, if it has one."""
    max_failures: float | None
    """How many items may be skipped in a run: an int is a number of items, a float a share. One
    more fails the run. Default: None, any number."""


class _WithExecutor(TypedDict, total=False):
    executor: WorkerKind | Executor | Workers[None] | None
    """Where the calls of a plain function are made: "threads", "processes", "interpreters", an
    executor of `concurrent.futures`, or `Workers(...)`. Default: None, on the event loop."""


class OwnTaskOptions(_OfEveryTask, _WithRetryConfig, total=False):
    """The options of `BaseTask`."""


class _OfSingleTasks(TypedDict, total=False):
    key: Callable[[Any], Any] | None
    """A function of the item: calls for items with equal keys follow each other, in input order."""


class StatefulOptions(_OfEveryTask, _WithRetries, _WithRetryConfig, _OfCalls, total=False):
    """The options of `batch_task` for workers with a setup, which are beside them."""


class SingleStatefulOptions(StatefulOptions, _OfSingleTasks, total=False):
    """The options of `single_task` for workers with a setup, which are beside them."""


class SingleDecoratorOptions(SingleStatefulOptions, _WithExecutor, total=False):
    """The options of `single_task`; `flatten` is beside them, for the types depend on it."""


class DecoratorOptions(StatefulOptions, _WithExecutor, total=False):
    """The options of `batch_task`; `flatten` is beside them, for the types depend on it."""


class ClassOptions(OwnTaskOptions, _OfCalls, total=False):
    """The options of `BatchTask`, beside its sizes."""

    executor: WorkerKind | Executor | Workers[Any] | None
    """Where the calls of a plain function are made. Default: None, on the event loop."""

    flatten: bool
    """Whether a list or generator that the function gives is one output for each element (the
    default), or one output."""


class SingleClassOptions(ClassOptions, _OfSingleTasks, total=False):
    """The options of `SingleTask`."""
