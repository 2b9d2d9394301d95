"""May a call that has failed be made again here and now? By the task, or the turn, that made it.

That is the same as what `attempts.py` does, without its steps: where there is no pause before the
next attempt, there is time for it, and nobody is to be asked.
"""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context

from ...error_handling import RetryConfig
from ..place import DEAD, Place
from ..run import Run
from .caller import Caller

__all__ = ["leaves_nothing", "tries_again"]


def tries_again(
    stage: Caller, place: Place, error: BaseException, attempt: int, *, has_suspended: bool
) -> bool:
    """Tell whether another attempt is to follow at once, and take note of it, if it is.

    The call for `place` has failed at attempt number `attempt`; it keeps its slot.
    """
    run, retry = stage.run, stage.call.policy.retry
    if (
        attempt >= retry.max_attempts
        or not _is_at_once(retry)
        or not issubclass(type(error), Exception)
        or not retry.accepts(error)
        or place.state == DEAD
        or run.paused
        or stage.permits is not None  # to be asked for
        or not run.has_time(is_woken=has_suspended)
    ):
        return False
    if stage.reporter is not None:
        stage.reporter.has_answer(place)
    stage.attempt_failed(place, place.inputs, error, attempt)
    stage.counters.retried += 1
    return True


def leaves_nothing(run: Run, context: Context) -> bool:
    """Tell whether an attempt has left nothing behind in its task, whose context was `context`."""
    task = asyncio.current_task()
    try:
        if copy_context() != context or (task is not None and task.cancelling()):
            return False
    except Exception:  # of a value that does not like to be compared
        return False
    return all(variable.get() is context.get(variable) for variable, _ in run.compared_by_identity)


def _is_at_once(retry: RetryConfig) -> bool:
    """Tell whether there is no pause before an attempt, and no function that may raise."""
    has_pause = retry.base_delay or retry.retry_jitter or retry.retry_after is not None
    return not has_pause and isinstance(retry.retry_on, (type, tuple))
