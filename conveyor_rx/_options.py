"""Which options does a task have? A record for each kind of task, checked when it is made.

A new option is a field here, with its check; a key in `_option_types.py`, with its text for
editors; and the part of the engine that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, cast

from ._checks import (
    check_budget,
    check_choice,
    check_count,
    check_dead_letter,
    check_flag,
    check_function,
    check_limit,
    check_seconds,
    check_text,
)
from ._dead_letters import DeadLetter
from ._record import Record
from .error_handling import ErrorAction, ErrorHandler, RetryConfig

if TYPE_CHECKING:
    from ._limits.concurrency import Limit
    from ._limits.rate import RateLimit
    from ._limits.shared import SharedLimit

__all__ = [
    "BatchOptions",
    "CallOptions",
    "SingleOptions",
    "TaskOptions",
]

_ONCE = RetryConfig(max_attempts=1)


class TaskOptions(Record):
    """The options of every task.

    Raises:
        TypeError, ValueError: one of the wrong type or out of range, named in the message.
    """

    on_error: ErrorAction = "fail"
    retry_config: RetryConfig | None = None
    error_handler: ErrorHandler | None = None
    task_name: str | None = None

    def _check(self) -> None:
        check_choice("on_error", self.on_error, ErrorAction)
        if self.retry_config is not None and not isinstance(self.retry_config, RetryConfig):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
            raise TypeError(f"retry_config must be a RetryConfig, not {self.retry_config!r}")
        handle = getattr(self.error_handler, "handle_error", None)
        is_class = isinstance(self.error_handler, type)
        if self.error_handler is not None and (is_class or not callable(handle)):
            raise TypeError(
                f"error_handler must be an ErrorHandler (an object with handle_error), "
                f"not {self.error_handler!r}"
            )
        check_text("task_name", self.task_name)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: with functions by their names.

        Raises:
            TypeError: one has none.
        """
        from ._sending.functions import all_sent

        owner = f"task {self.task_name!r}" if self.task_name else "a task"
        for part in self._parts():  # here they are part of a task that has a name
            all_sent(part, owner)
        return all_sent(vars(self), owner)

    def _parts(self) -> list[dict[str, Any]]:
        return [] if self.retry_config is None else [vars(self.retry_config)]

    @property
    def retries(self) -> RetryConfig:
        """How often a call is tried; once, if nothing was said."""
        return _ONCE if self.retry_config is None else self.retry_config


class CallOptions(TaskOptions):
    """The options of a task that calls a function."""

    concurrency_limit: int | Limit | None = None
    flatten: bool = True
    timeout: float | None = None
    rate_limit: RateLimit[Any] | Sequence[RateLimit[Any]] | None = None
    dead_letter: DeadLetter | None = None
    max_failures: float | None = None
    executor: Any = None  # checked where executors are known, when a function is given

    def _check(self) -> None:
        super()._check()
        _check_concurrency(self.concurrency_limit)
        _check_rates(self.rate_limit)
        check_flag("flatten", self.flatten)
        check_limit("timeout", self.timeout)
        check_dead_letter("dead_letter", self.dead_letter)
        check_budget("max_failures", self.max_failures)
        if self.max_failures is not None and self.on_error == "fail":
            raise ValueError(
                "max_failures has no effect with on_error='fail', as the first failure ends the "
                "run; it goes with on_error='skip_item' or 'skip_batch'"
            )

    @property
    def limit(self) -> int | None:
        """How many calls may run at once in each run; None: as many as the window holds."""
        return self.concurrency_limit if isinstance(self.concurrency_limit, int) else None

    @property
    def limits(self) -> tuple[SharedLimit, ...]:
        """What attempts have to ask for that other tasks and runs may share."""
        rates, limit = self.rate_limit, self.concurrency_limit
        found: list[SharedLimit] = []
        if rates is not None:
            found += rates if isinstance(rates, (list, tuple)) else [cast("RateLimit[Any]", rates)]
        if limit is not None and not isinstance(limit, int):
            found.append(limit)
        return tuple(found)

    def _parts(self) -> list[dict[str, Any]]:
        from ._limits.shared import settings_of

        return [*super()._parts(), *map(settings_of, self.limits)]


class SingleOptions(CallOptions):
    """The options of a task that calls a function of one item."""

    key: Callable[[Any], Any] | None = None

    def _check(self) -> None:
        check_function("key", self.key)
        super()._check()


class BatchOptions(CallOptions):
    """The options of a task that calls a function of a list of items."""

    min_size: int = 1
    max_size: int | None = None
    max_wait: float | None = None
    max_weight: float | None = None
    weight: Callable[[Any], float] | None = None
    group_by: Callable[[Any], Hashable] | None = None

    def _check(self) -> None:
        check_count("min_size", self.min_size)
        check_count("max_size", self.max_size, optional=True)
        if self.max_size is not None and self.max_size < self.min_size:
            raise ValueError(
                f"max_size must be at least min_size={self.min_size}, not {self.max_size}"
            )
        if self.max_wait is not None:
            check_seconds("max_wait", self.max_wait)
            if self.full_size == self.min_size:
                raise ValueError(
                    f"max_wait has no effect if max_size is min_size={self.min_size}: a batch that "
                    f"is due has at least min_size items, so give a larger max_size"
                )
        self._check_weights()
        check_function("group_by", self.group_by)
        super()._check()

    @property
    def limit(self) -> int | None:
        return 1 if self.concurrency_limit is None else super().limit

    @property
    def full_size(self) -> int | None:
        """The number of items in a full batch; None: its weight says when it is full."""
        if self.max_size is None and self.max_weight is not None:
            return None
        return self.max_size or self.min_size

    def _check_weights(self) -> None:
        check_function("weight", self.weight)
        if self.max_weight is None:
            if self.weight is not None:
                raise ValueError(
                    "weight has no effect without max_weight: say how heavy a batch is"
                )
            return
        check_seconds("max_weight", self.max_weight)
        if not self.max_weight:
            raise ValueError("max_weight must be greater than 0; None is no limit")
        if self.weight is None:
            raise ValueError(
                "max_weight has no effect without weight, a function that gives the weight of an "
                "item, such as len"
            )


# Who has made a limit has imported what limits are.


def _check_concurrency(value: object) -> None:
    """Raise unless `value` is a number of calls, a Limit or None."""
    if value is not None and not isinstance(value, int):
        from ._limits.concurrency import Limit

        if isinstance(value, Limit):
            return
    check_count("concurrency_limit", value, optional=True)


def _check_rates(value: object) -> None:
    """Raise unless `value` is a RateLimit, several different ones, or None."""
    if value is None:
        return
    from ._limits.rate import RateLimit

    if isinstance(value, RateLimit):
        return
    wanted = "rate_limit must be a RateLimit or a list of them"
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{wanted}, not {value!r}")
    found: list[object] = []
    for one in cast("Sequence[object]", value):
        if not isinstance(one, RateLimit):
            raise TypeError(f"{wanted}, and in it is {one!r}")
        if any(one is other for other in found):
            raise ValueError(f"rate_limit holds {one!r} twice")
        found.append(cast("object", one))
