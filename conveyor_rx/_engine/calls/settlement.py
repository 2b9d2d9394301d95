"""What becomes of the items of a call? They are passed on, handled or skipped, or the run fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any, cast

from ..._dead_letters import Failure
from ..._errors.blame import add_cause
from ..._errors.tracebacks import without_engine
from ..._functions.calls import MANY, Call, is_awaitable
from ..._inputs import numbers_of
from ...error_handling import checked_answer, no_answer
from ..place import Place
from .caller import Caller, Outcome, Part
from .delivery import Delivery

__all__ = ["Settlement", "is_failure"]


class Settlement:
    """What is still to be done for the item or batch at `place`, part by part."""

    def __init__(self, stage: Caller, place: Place, *, delivered: bool, count: int) -> None:
        self._stage = stage
        self._place = place
        self._count = count  # the number of the current attempt
        self._delivery = Delivery(stage, place, has_begun=delivered)
        self._fails = False  # the run is being told of its failure
        self._why = ""  # there is no other attempt, if that is not for the policy to say
        # What is still to be done, the next last: the item or batch, or the halves of that.
        self._parts = [Part(place, place.value, place.weight, 0)]

    @property
    def left(self) -> int:
        """Of how many items it is not known yet what becomes of them."""
        return sum(part.size for part in self._parts)

    # -- for those who make the attempts

    async def _take(self, result: Any, part: Part) -> None:
        """Deliver what a call gave."""
        if is_awaitable(result):
            result = await cast("Awaitable[Any]", result)
            if self._stage.reporter is not None:
                self._stage.reporter.has_answer(self._place)
        if self._place.dead:  # it may be the handler that has closed its own run
            raise asyncio.CancelledError
        if not self._stage.call.flatten or not issubclass(type(result), MANY):
            if result is not None:
                self._stage.emit_one(self._place, result, part.inputs)
            self._settle(part, "dropped" if result is None else "completed")
            return
        await self._delivery.all_of(result, part)
        self._settle(part, "completed")

    async def _handle(self, error: BaseException, part: Part) -> None:
        policy = self._stage.call.policy
        assert policy.handler is not None
        try:
            answer = policy.handler.handle_error(
                cast("Exception", error), part.item, policy.task_name, self._count
            )
            if not is_awaitable(answer):
                raise no_answer(policy.handler, answer, is_async=False)
            go_on, value = checked_answer(policy.handler, await answer)
        except BaseException as raised:
            self._fail_instead(raised, error, part)
            return
        if go_on:
            await self._take(value, part)
        else:
            self._fail(error, part)

    async def _skip(self, error: BaseException, part: Part) -> None:
        """Give up the items of a part: once their dead letters were accepted, if any are."""
        stage, losses = self._stage, self._stage.losses
        if losses is not None and (why := losses.exceed(part.size)):
            self._fail(error, part, why)
            return
        if losses is not None and losses.letter is not None:
            failures = _failures(part, error, stage.call, self._count)
            try:
                await losses.post(stage.run, self._place, failures)
            except BaseException as raised:
                self._fail_instead(raised, error, part)
                return
            stage.counters.dead_lettered += part.size
            if stage.reporter is not None:
                stage.reporter.dead_lettered(part.place, part.inputs, error)
        stage.skips(error, part.size, part.inputs, self._count)
        self._settle(part, "skipped")

    # -- private

    def _settle(self, part: Part, outcome: Outcome) -> None:
        self._count = 1
        self._stage.settled(part, outcome)
        self._parts.pop()

    def _fail_instead(self, raised: BaseException, error: BaseException, part: Part) -> None:
        """End the run with what has just been raised by who was told of `error`."""
        if self._place.dead or not is_failure(raised):
            raise  # it is called where that is being handled
        if raised is not error:
            add_cause(raised, error)
        self._fail(raised, part)

    def _fail(self, error: BaseException, part: Part, why: str = "") -> None:
        self._parts.pop()
        self._fails = True
        self._stage.counters.running -= part.size
        why = ", ".join(filter(None, (self._why, why)))
        self._stage.fail(
            self._place, error, part.size, attempt=self._count, inputs=part.inputs, why=why
        )


def is_failure(error: BaseException) -> bool:
    """Tell whether `error` is the call's own, and no end of the process or cancellation."""
    if issubclass(type(error), asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or not task.cancelling()
    return issubclass(type(error), Exception)


def _failures(part: Part, error: BaseException, call: Call, attempts: int) -> Iterator[Failure]:
    """Give a dead letter for each item of `part`, which is skipped after so many attempts."""
    error = without_engine(error)
    name = call.policy.task_name
    if not call.policy.splits:
        yield Failure(part.item, error, name, numbers_of(part.inputs), attempts)
        return
    for one in part.ones():
        yield Failure(one.item, error, name, numbers_of(one.inputs), attempts)
