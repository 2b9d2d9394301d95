"""How does a call go on that did not give one plain result at once?

Retries, handlers and halving: all that takes several steps, one object a call.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from ..._errors.blame import add_cause
from ..._functions.calls import discard, is_awaitable
from ..._policy import Verdict
from ..place import Place
from .caller import Caller, Part
from .parking import permitted, rests
from .settlement import Settlement, is_failure

if TYPE_CHECKING:
    from ..._functions.timeouts import Deadline

__all__ = ["Attempts"]

_PENDING: Any = object()


class Attempts(Settlement):
    """The attempts at one call of `stage`, for the item or batch at `place`.

    Each is a call of the function, and so has a task, and with it a context, of its own.
    """

    def __init__(
        self,
        stage: Caller,
        place: Place,
        *,
        error: BaseException | None = None,
        result: Any = _PENDING,
        delivered: bool = False,
        skips: bool = False,
        count: int = 1,
    ) -> None:
        """Begin after attempt number `count` that ended with `error` or gave `result`, if one did.

        `skips` says that the policy has decided to skip the item.
        """
        super().__init__(stage, place, delivered=delivered, count=count)
        self._error = error  # here and not in frames, to which its traceback leads
        self._is_late = place.dead  # the run had been ended before that was raised
        self._result = result
        self._skips = skips
        self._deadline: Deadline | None = None  # of the attempts for a part, from the first one on
        self._failure: BaseException | None = None  # of the attempt before, if there is a deadline
        self._end: BaseException | None = None  # that is no failure, and is to end the task as well
        if stage.reporter is not None:  # the first attempt may have been made elsewhere
            stage.reporter.has_answer(place)

    async def attempt(self) -> bool:
        """Make one attempt, and all that follows from it; return whether another is to be made.

        When none is, the place has been given up.
        """
        stage, place = self._stage, self._place
        try:
            await self._try()
        except BaseException as error:
            if self._fails:  # it did not get told
                raise
            self._take_end(error)
            return False
        if self._parts and not place.dead:
            return True
        if place.dead:
            stage.counters.cancelled += self.left
        else:
            stage.line.give_up(place)
        return False

    def let_go(self) -> None:
        """Let go of what was not taken: what a plain function gave is closed, or cancelled."""
        result, self._result = self._result, _PENDING
        error, self._error = self._error, None
        self._failure = None
        if error is not None and self._is_late and not self._skips:
            self._stage.lost(self._place, error, self._count)
        del error  # its traceback leads here
        if result is _PENDING:
            return
        if issubclass(type(result), asyncio.Future):
            self._stage.run.release(cast("asyncio.Future[Any]", result), self._lost)
        elif is_awaitable(result):
            discard(result)

    def _lost(self, error: BaseException) -> None:
        self._stage.lost(self._place, error, self._count)

    @property
    def ends_task(self) -> bool:
        """Whether the attempt ended with what its task is to end with."""
        return self._end is not None

    def raise_end(self) -> None:
        """End the current task with the exception that is to end it, if there is one."""
        end, self._end = self._end, None
        if end is not None:
            self._stage.run.keep(asyncio.current_task())
            try:
                raise end
            finally:
                del end  # its traceback leads here

    def _take_end(self, end: BaseException) -> None:
        """Take note that the call has ended with an exception that the policy says nothing of."""
        stage, place = self._stage, self._place
        if place.dead:
            stage.counters.cancelled += self.left
            stage.lost(place, end, self._count)
            if issubclass(type(end), asyncio.CancelledError):
                return
        elif issubclass(type(end), (KeyboardInterrupt, SystemExit)):
            stage.counters.failed += self.left
            stage.run.crash(end)
        else:
            stage.fail(place, end, self.left, attempt=self._count)
            stage.run.schedule()
        if not issubclass(type(end), Exception):
            self._end = end

    async def _try(self) -> None:
        part = self._parts[-1]
        try:
            run = self._stage.run
            await run.pace.turn()
            if run.paused and self._error is None:  # else there is a failure to see to
                await run.wait_for_pause()
            if self._result is _PENDING and self._error is None:
                await permitted(self._stage, part)
            await self._take(self._outcome(part), part)
        except BaseException as error:
            if self._place.dead or not is_failure(error):
                raise
            if self._stage.reporter is not None:
                self._stage.reporter.has_answer(self._place)
            await self._stage.run.wait_for_pause()
            if self._place.dead:
                raise
            await self._respond(error, part)

    def _outcome(self, part: Part) -> Any:
        """Give what the attempt so far ended with, once; after that, call the function."""
        if self._error is not None:  # raised, so that a handler finds it as the current exception
            try:
                raise self._error
            finally:
                self._error = None
        result, self._result = self._result, _PENDING
        if result is _PENDING:
            self._delivery.has_begun = False
            if self._stage.reporter is not None:
                self._stage.reporter.attempt_begins(part.place, part.inputs, self._count)
            if self._count > 1:
                self._stage.counters.retried += 1
            elif (total := self._stage.call.policy.retry.total_timeout) is not None:
                from ..._functions.timeouts import Deadline

                self._deadline = Deadline(total)
            result = self._stage.function(part.item)
            if self._deadline is not None:
                result = self._deadline.bound(result)
        return result

    async def _respond(self, error: BaseException, part: Part) -> None:
        """Do what the policy says of a failed attempt."""
        stage = self._stage
        policy = stage.call.policy
        stage.attempt_failed(part.place, part.inputs, error, self._count)
        deadline, failure, self._failure = self._deadline, self._failure, None
        self._why = deadline.why if deadline is not None and deadline.left <= 0 else ""
        if failure is not None and self._why and type(error) is TimeoutError:
            error = failure  # the deadline has cut this attempt: what failed is the one before
        try:
            verdict: Verdict = "skip"
            if not self._skips:
                verdict = policy.verdict(error, self._count, part.size, self._delivery.has_begun)
            pause = self._pause(error) if verdict == "retry" else 0.0
        except Exception as raised:  # by `retry_on` or `retry_after`
            add_cause(raised, error)
            self._fail(raised, part)
            return
        if verdict == "retry" and not await rests(stage, part, pause, self.left, deadline):
            verdict = policy.final(part.size, self._delivery.has_begun)
            self._why = deadline.why if deadline is not None else ""
        match verdict:
            case "retry":
                self._failure = None if deadline is None else error
                self._count += 1
            case "handle":
                await self._handle(error, part)
            case "skip":
                await self._skip(error, part)
            case "split":
                self._parts[-1:] = part.halves()
                self._count = 1
            case "fail":
                self._fail(error, part)

    def _pause(self, error: BaseException) -> float:
        """Give the seconds to wait for the next attempt."""
        retry, permits = self._stage.call.policy.retry, self._stage.permits
        asked = retry.asked(error)
        if asked is not None and permits is not None:
            permits.pause(asked)
        return retry.wait(self._count, asked)
