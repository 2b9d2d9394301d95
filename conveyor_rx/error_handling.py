"""What can a user say about failures? How often a call is tried, and who decides after that."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from ._checks import (
    check_count,
    check_errors,
    check_flag,
    check_function,
    check_limit,
    check_seconds,
)
from ._dead_letters import DeadLetter, Failure

__all__ = [
    "DeadLetter",
    "ErrorAction",
    "ErrorHandler",
    "Failure",
    "LoggingErrorHandler",
    "RetryAfter",
    "RetryConfig",
    "RetryOn",
]

ErrorAction = Literal["fail", "skip_item", "skip_batch"]
RetryOn: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
RetryAfter: TypeAlias = Callable[[Exception], float | None]
_LONGEST = 2000  # characters of an error in a log


class _Default(float):
    """A number of seconds that nobody chose: it gives way to one that somebody did."""

    __slots__ = ()


DELAY = _Default(1.0)
MAX_DELAY = _Default(60.0)


@dataclass(frozen=True)
class RetryConfig:
    """Say how often a call is tried and how long to wait in between.

    `max_attempts` counts all calls, the first included. The wait after the n-th failed attempt is
    `base_delay * backoff_multiplier ** (n - 1)` seconds, at most `max_delay` seconds (exponential
    backoff); with `exponential_backoff=False` it is `base_delay` each time. Where only one of
    `base_delay` and `max_delay` is given, the default of the other one rises or falls to it if need
    be. `retry_on` says which failures are tried again: those of a type, of one of several, or of
    which a function says True. `retry_after(error)` may give the seconds to wait in place of the
    backoff, as an API asks for; None leaves that. `retry_jitter` adds a random part of so many
    seconds to each wait, from the module `random`, so that not all come back at one moment.
    `total_timeout` is how many seconds all attempts may take, from the first one on, waits
    included: none begins after it, one that is running is cut, and the last failure is raised.

    Raises:
        TypeError, ValueError: a field of the wrong type or out of range, or a `base_delay` above
            `max_delay`; named in the message.

    >>> RetryConfig(base_delay=90).max_delay, RetryConfig(max_delay=0.5).base_delay
    (90.0, 0.5)
    """

    max_attempts: int = 3
    base_delay: float = DELAY
    exponential_backoff: bool = True
    max_delay: float = MAX_DELAY
    backoff_multiplier: float = 2.0
    retry_on: RetryOn = Exception
    retry_jitter: float = 0.0
    retry_after: RetryAfter | None = None
    total_timeout: float | None = None

    def __post_init__(self) -> None:
        check_retries(vars(self))
        if self.base_delay > self.max_delay:  # then one of them is a default
            if isinstance(self.max_delay, _Default):
                object.__setattr__(self, "max_delay", _Default(self.base_delay))
            else:
                object.__setattr__(self, "base_delay", _Default(self.max_delay))

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: with functions by their names.

        Raises:
            TypeError: one has none.
        """
        from ._sending.functions import all_sent

        return all_sent(vars(self), "the RetryConfig")

    def delay(self, attempt: int) -> float:
        """Give the seconds to wait after failed attempt number `attempt` (from 1)."""
        base, multiplier, steps = self.base_delay, self.backoff_multiplier, attempt - 1
        if not self.exponential_backoff or base == 0:
            return base
        try:
            return min(base * float(multiplier) ** steps, self.max_delay)
        except OverflowError:  # of the power; its product with a very small number may be small
            longest = math.log(sys.float_info.max)
            product = math.exp(min(math.log(base) + steps * math.log(multiplier), longest))
            return min(product, self.max_delay)

    def accepts(self, error: BaseException) -> bool:
        """Tell whether a call that failed with `error` may be tried again."""
        wanted = self.retry_on
        if wanted is Exception:  # any failure: a CancelledError of the function's own, too
            return True
        if isinstance(wanted, (type, tuple)):
            return issubclass(type(error), wanted)
        return bool(wanted(cast("Exception", error)))

    def asked(self, error: BaseException) -> float | None:
        """Give the seconds that `retry_after` says are to be waited after `error`, if it does.

        Raises:
            TypeError, ValueError: it gave no number of seconds.
        """
        asked = None if self.retry_after is None else self.retry_after(cast("Exception", error))
        if asked is not None:
            check_seconds("what retry_after returns", asked)
        return asked

    def wait(self, attempt: int, asked: float | None = None) -> float:
        """Give the seconds to wait after failed attempt number `attempt`, or as was `asked` for."""
        if asked is None:
            asked = self.delay(attempt)
        if self.retry_jitter:
            from random import uniform  # it takes a millisecond to import

            asked += uniform(0, self.retry_jitter)
        return asked


class ErrorHandler:
    """Decide in code of your own what becomes of a call that failed for good.

    It is asked after the last retry and instead of `on_error`. Subclass it and override
    `handle_error`; pass an instance as `error_handler`.

    >>> import asyncio
    >>> from conveyor_rx import single_task
    >>> class Zero(ErrorHandler):
    ...     async def handle_error(self, error, item, task_name, attempt):
    ...         return True, 0
    >>> to_int = single_task(error_handler=Zero())(int)
    >>> asyncio.run(to_int(["1", "x"]).collect())
    [1, 0]
    """

    async def handle_error(
        self, error: Exception, item: Any, task_name: str, attempt: int
    ) -> tuple[bool, Any]:
        """Return `(True, value)` to go on with `value` (None drops), `(False, None)` to fail.

        `item` is what the function was called with: for a batch task the list of items.
        An exception raised here fails the run, with `error` as its cause.
        """
        raise NotImplementedError(f"{type(self).__name__} must override handle_error")


class LoggingErrorHandler(ErrorHandler):
    """Log the error at ERROR and go on with `replacement_value` (None drops the item).

    Task name and error are written in one line, without control characters.
    """

    def __init__(self, logger: logging.Logger | None = None, replacement_value: Any = None) -> None:
        self.logger = logging.getLogger("conveyor_rx") if logger is None else logger
        self.replacement_value = replacement_value

    async def handle_error(
        self, error: Exception, item: Any, task_name: str, attempt: int
    ) -> tuple[bool, Any]:
        from ._text.labels import label, terminal

        name, text = terminal(task_name), label(error, _LONGEST)
        self.logger.error("%s failed at attempt %d: %s", name, attempt, text)
        return True, self.replacement_value


def checked_answer(handler: ErrorHandler, answer: Any) -> tuple[bool, Any]:
    """Return what `handler` has answered.

    Raises:
        TypeError: it is no `(True, value)` and no `(False, value)`.
    """
    if issubclass(type(answer), tuple) and len(answer) == 2:
        go_on, value = cast("tuple[object, Any]", answer)
        if go_on is not None and hasattr(type(go_on), "__bool__"):  # True, or one of NumPy's
            return bool(go_on), value
    raise no_answer(handler, answer, is_async=True)


def no_answer(handler: ErrorHandler, answer: Any, *, is_async: bool) -> TypeError:
    """Make the error that says what a handler should be; contents of items are not in it."""
    name = f"{type(handler).__name__}.handle_error"
    kind = "None" if answer is None else f"a value of type {type(answer).__name__!r}"
    if answer is not None and issubclass(type(answer), tuple):
        kind = f"a tuple of {', '.join(type(part).__name__ for part in answer) or 'nothing'}"
    if not is_async:
        return TypeError(f"{name} must be async (`async def handle_error`), but it returned {kind}")
    return TypeError(
        f"{name} must return (True, value) to go on with that value, or (False, None) to fail; "
        f"it returned {kind}"
    )


def check_retries(fields: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
    """Raise unless `fields` are those of a RetryConfig; `names` has what the user calls them.

    Raises:
        TypeError, ValueError: one is of the wrong type or out of range, or somebody chose both
            delays, and one above the maximum.
    """
    called = {name: name for name in fields} | dict(names or {})
    base, longest = fields["base_delay"], fields["max_delay"]
    check_count(called["max_attempts"], fields["max_attempts"])
    check_seconds(called["base_delay"], base)
    check_seconds(called["max_delay"], longest)
    check_flag(called["exponential_backoff"], fields["exponential_backoff"])
    check_seconds(called["backoff_multiplier"], fields["backoff_multiplier"])
    check_errors(called["retry_on"], fields["retry_on"])
    check_seconds(called["retry_jitter"], fields["retry_jitter"])
    check_function(called["retry_after"], fields["retry_after"])
    check_limit(called["total_timeout"], fields["total_timeout"])
    if base > longest and not any(isinstance(delay, _Default) for delay in (base, longest)):
        raise ValueError(
            f"{called['base_delay']} must be at most {called['max_delay']}={longest!r}, "
            f"not {base!r}"
        )
