"""How is a plain function called? Inline, in a context of its own; timed, while it may be long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from types import GeneratorType
from typing import Any, cast

from ..._functions.calls import is_awaitable
from ...error_handling import Verdict
from ..place import DEAD, WAITING, Place
from .attempts import Attempts
from .blocking import BLOCKING, LOOKS, SHORT, Look
from .notices import Notices

if sys.version_info >= (3, 12):  # tasks can begin within the call that makes them
    from .task_calls import TaskCalls
else:
    from .late_calls import LateCalls as TaskCalls

__all__ = ["PlainCalls"]


class PlainCalls(TaskCalls):
    """The calls of one plain function in one run.

    Cancellation: there is nothing to cancel, but what it has returned: see `attempts.py`.
    """

    _looks = LOOKS  # at short calls that are still to come
    _notices: Notices

    # -- private

    def _start_plain(self, place: Place) -> None:
        counters, reporter, context = self.counters, self.reporter, self.run.context.copy()
        if reporter is not None:
            context.run(reporter.call_started, place)
            if place.state == DEAD:  # a probe has closed the run
                counters.cancelled += place.weight
                return
        counters.running += place.weight
        try:
            result = context.run(self.function, place.value)
        except (KeyboardInterrupt, SystemExit):
            counters.running -= place.weight
            counters.failed += place.weight
            raise
        except BaseException as error:
            counters.running -= place.weight
            self._failed_inline(place, error, delivered=False)
            return
        counters.running -= place.weight
        kind: type[Any] = type(result)  # pyright: ignore[reportUnknownVariableType]  # of any value
        if (kind is self._plain or id(kind) in self._plains) and place.state == WAITING:
            if reporter is not None:
                reporter.call_gave(place, result)
            counters.ones += 1
            place.value = result
            self.out.on_next(place)
        elif self._takes_steps(result):
            if kind is GeneratorType and place.state == WAITING and not is_awaitable(result):
                self._begin_steps(place, cast("Generator[Any]", result), context)
                return
            attempts = Attempts(self, place, result=result)
            self._begin(place, self._step(place, attempts), attempts)
        else:
            if reporter is not None:
                reporter.call_gave(place, result)
            self._settle(place, result)

    def _start_watched(self, place: Place) -> None:
        """Make a call of a plain function that may be long: not if the time is used up."""
        run = self.run
        if run.clock() > run.pace.end and run.pace.is_late():
            self.queue.appendleft(place)
            run.ready |= self.bit
            return
        self.function = look = Look(self.function, run.clock)
        try:
            self._start_plain(place)
        finally:
            self.function = look.function
        self._looks = self._looks - 1 if look.took < SHORT else LOOKS
        if look.took > BLOCKING:
            self._notices.blocks(look.took)
        if not self._looks:
            self._start = type(self)._start_plain

    def _failed_inline(self, place: Place, error: BaseException, *, delivered: bool) -> None:
        verdict = self.call.policy.verdict(1, place.weight, delivered)
        if place.dead:
            self.counters.cancelled += place.weight
            self.lost(place, error, 1)
        elif verdict is Verdict.FAIL or not isinstance(error, Exception | asyncio.CancelledError):
            if self.reporter is not None:
                self.reporter.attempt_failed(place, place.inputs, error, 1)
            self.fail(place, error, place.weight, attempt=1)
        elif verdict is Verdict.SKIP:
            self._skip(place, error)
        else:
            attempts = Attempts(self, place, error=error, delivered=delivered)
            self._begin(place, self._step(place, attempts), attempts)

    def _skip(self, place: Place, error: BaseException) -> None:
        if self.reporter is not None:
            self.reporter.attempt_failed(place, place.inputs, error, 1)
            self.reporter.settled(place, place.inputs, "skipped")
            self.reporter.is_over(place)
        self.skips(error, place.inputs)
        self.counters.skipped += place.weight
        self.line.give_up(place)
