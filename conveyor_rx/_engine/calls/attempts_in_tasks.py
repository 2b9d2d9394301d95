"""How are the attempts at a call made? Each in a task of its own (retries, handlers, halving).

What such a step is, `attempts.py` says. The task of a step begins at the loop's next turn, so that
the stack stays flat. The line cancels the task of a place; it is awaited before the run has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from ..._errors.blame import add_cause
from ..closing.cancellation import cancellation_of
from ..place import DEAD, Place
from .again import tries_again
from .attempts import Attempts
from .caller import Caller

__all__ = ["begin", "begin_attempts", "begins", "end_unbegun", "failed_inline", "go_on"]

_Coroutine = Coroutine[Any, Any, None]


def begin(stage: Caller, place: Place, call: _Coroutine) -> None:
    """Make a call in a task that begins at the loop's next turn."""
    stage.begin_call(place)
    _start(stage, place, call, place.weight, None)


def begins(stage: Caller, place: Place) -> bool:
    """Tell whether a call whose task has begun is to be made; if not, take it back."""
    if place.state != DEAD and not stage.run.paused:
        if stage.reporter is not None:
            stage.reporter.call_started(place)
        if place.state != DEAD:  # else a probe has closed the run
            return True
    stage.take_back(place)
    return False


def begin_attempts(stage: Caller, place: Place, attempts: Attempts) -> None:
    """Go on, in a task, with a call that was made inline."""
    stage.begin_call(place)
    _start(stage, place, _step(stage, place, attempts), place.weight, attempts)


async def go_on(stage: Caller, place: Place, attempts: Attempts) -> None:
    """Go the slow way: make one attempt, and let another task make the next."""
    again = False
    try:
        if place.state == DEAD:
            stage.counters.cancelled += attempts.left
        else:
            again = await attempts.attempt()
    finally:
        if not again:
            attempts.let_go()
            stage.tell_end(place)
            stage.end_call(place, attempts.left)
    if again:
        _start(stage, place, _step(stage, place, attempts), attempts.left, attempts)
    if not attempts.ends_task:
        stage.run.drain()


def failed_inline(stage: Caller, place: Place, error: BaseException, *, delivered: bool) -> None:
    """Do what the policy says of a call that failed in a turn."""
    attempt, failure = 1, error
    while True:
        try:
            verdict = stage.call.policy.verdict(failure, attempt, place.weight, delivered)
        except Exception as raised:  # by `retry_on`
            add_cause(raised, failure)
            failure, verdict = raised, "fail"
        if verdict != "retry" or stage.call.is_generator:
            break
        if not tries_again(stage, place, failure, attempt, has_suspended=False):
            break
        attempt += 1
        again = _failed_again(stage, place, attempt)
        if again is None:
            return
        failure = again
    if place.dead:
        stage.counters.cancelled += place.weight
        stage.lost(place, failure, attempt)
    elif verdict == "fail" or not isinstance(failure, Exception | asyncio.CancelledError):
        stage.attempt_failed(place, place.inputs, failure, attempt)
        stage.fail(place, failure, place.weight, attempt=attempt)
    elif verdict == "skip":
        _skip(stage, place, failure, attempt)
    else:
        begin_attempts(
            stage, place, Attempts(stage, place, error=failure, delivered=delivered, count=attempt)
        )


def _failed_again(stage: Caller, place: Place, attempt: int) -> BaseException | None:
    """Make an attempt at a call of a plain function; return what it raises, if it does."""
    counters, context = stage.counters, stage.run.context.copy()
    if stage.reporter is not None and place.state != DEAD:
        context.run(stage.reporter.attempt_begins, place, place.inputs, attempt)
    if place.state == DEAD:  # a probe has closed the run
        counters.cancelled += place.weight
        return None
    counters.running += place.weight
    try:
        result = context.run(stage.function, place.value)
    except (KeyboardInterrupt, SystemExit):
        counters.failed += place.weight
        raise
    except BaseException as error:
        return error
    finally:
        counters.running -= place.weight
    if stage.takes_steps(result, place.weight):
        begin_attempts(stage, place, Attempts(stage, place, result=result, count=attempt))
    else:
        if stage.reporter is not None:
            stage.reporter.call_gave(place, result)
        stage.settle(place, result)
    return None


def end_unbegun(stage: Caller, place: Place, left: int, task: asyncio.Task[Any]) -> None:
    """End a call whose task was cancelled from outside before it began."""
    stage.tell_end(place)
    stage.end_call(place, left)
    if place.dead:
        stage.counters.cancelled += left
    else:
        stage.fail(place, cancellation_of(task), left, attempt=0)
    stage.run.schedule()


def _start(
    stage: Caller, place: Place, call: _Coroutine, left: int, attempts: Attempts | None
) -> None:
    run = stage.run
    place.task = task = run.start(call, stage.name)
    if place.dead:
        run.keep(task)
    task.add_done_callback(partial(_lost, stage, place, left, attempts))


def _lost(
    stage: Caller, place: Place, left: int, attempts: Attempts | None, task: asyncio.Task[Any]
) -> None:
    """Take note that `task` was cancelled from outside before it began."""
    if task.cancelled() and place.task is task:
        if attempts is not None:
            attempts.let_go()
        end_unbegun(stage, place, left, task)


async def _step(stage: Caller, place: Place, attempts: Attempts) -> None:
    """Make one attempt, in a task of its own."""
    try:
        await go_on(stage, place, attempts)
    except BaseException as error:
        stage.run.break_off(error)
        return
    attempts.raise_end()


def _skip(stage: Caller, place: Place, error: BaseException, attempt: int) -> None:
    """Give up an item, unless it is one too many: in a task, if there is a dead letter to write."""
    losses, reporter = stage.losses, stage.reporter
    if losses is not None and losses.letter is not None:
        begin_attempts(stage, place, Attempts(stage, place, error=error, skips=True, count=attempt))
        return
    why = "" if losses is None else losses.exceed(place.weight)
    stage.attempt_failed(place, place.inputs, error, attempt)
    if why:
        stage.fail(place, error, place.weight, attempt=attempt, why=why)
        return
    if reporter is not None:
        reporter.settled(place, place.inputs, "skipped")
        reporter.is_over(place)
    stage.skips(error, place.weight, place.inputs, attempt)
    stage.counters.skipped += place.weight
    stage.line.give_up(place)
