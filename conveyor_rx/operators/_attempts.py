"""How does a call go on that did not give one plain result at once?

Retries, handlers, halving and generators: all that takes several steps, one object a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol, cast

from .._calls import AWAITABLES, Call, outputs
from .._stats import Counters
from ..error_handling import Verdict
from ._line import Line, Place
from ._run import Run

__all__ = ["Attempts", "Caller"]

_PENDING: Any = object()


class Caller(Protocol):
    """The operator whose calls these are."""

    run: Run
    line: Line
    call: Call
    function: Callable[[Any], Any]
    counters: Counters

    def emit(self, place: Place, value: Any) -> None:
        """Pass on one output of several."""

    def fail(self, place: Place, error: BaseException, size: int, *, attempt: int) -> None:
        """End the run at `place` with `error`."""

    async def room(self, place: Place) -> None:
        """Wait until `place` may put another output in the line."""


class Attempts:
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
    ) -> None:
        """Begin after a first attempt that ended with `error` or gave `result`, if one is given."""
        self._stage = stage
        self._place = place
        self._error = error  # here and not in frames, to which its traceback leads
        self._result = result
        self._count = 1  # the number of the current attempt
        self._delivered = False  # it has put out something
        # What is still to be done, the next last: the item or batch, or the halves of that.
        self._pieces: list[tuple[Any, int]] = [(place.value, place.weight)]

    @property
    def left(self) -> int:
        """Of how many items it is not known yet what becomes of them."""
        return sum(size for _, size in self._pieces)

    async def attempt(self) -> bool:
        """Make one attempt, and all that follows from it; return whether another is to be made.

        When none is, the place has been given up.
        """
        stage, place = self._stage, self._place
        try:
            await self._try()
        except BaseException as end:
            if place.dead:
                stage.counters.cancelled += self.left
                if isinstance(end, Exception | asyncio.CancelledError):
                    return False
            elif isinstance(end, KeyboardInterrupt | SystemExit):
                stage.counters.failed += self.left
                stage.run.crash(end)
            else:
                stage.fail(place, end, self.left, attempt=self._count)
                stage.run.schedule()
            raise
        if self._pieces and not place.dead:
            return True
        if place.dead:
            stage.counters.cancelled += self.left
        else:
            stage.line.give_up(place)
        return False

    async def _try(self) -> None:
        item, size = self._pieces[-1]
        try:
            await self._stage.run.wait_for_pause()
            await self._take(self._outcome(item), size)
        except BaseException as error:
            if self._place.dead or not _is_failure(error):
                raise
            await self._respond(error, item, size)

    def _outcome(self, item: Any) -> Any:
        """Give what the first attempt ended with, once; after that, call the function."""
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None
        result, self._result = self._result, _PENDING
        if result is _PENDING:
            self._delivered = False
            result = self._stage.function(item)
        return result

    async def _respond(self, error: BaseException, item: Any, size: int) -> None:
        """Do what the policy says of a failed attempt."""
        stage = self._stage
        policy = stage.call.policy
        match policy.verdict(self._count, size, self._delivered):
            case Verdict.RETRY:
                stage.counters.retried += 1
                await asyncio.sleep(policy.retry.delay(self._count))
                self._count += 1
            case Verdict.HANDLE:
                await self._handle(error, item, size)
            case Verdict.SKIP:
                stage.counters.skipped += size
                self._settled(size)
            case Verdict.SPLIT:
                batch, half = cast("Sequence[Any]", item), size // 2
                self._pieces[-1:] = [(batch[half:], size - half), (batch[:half], half)]
                self._count = 1
            case Verdict.FAIL:
                self._fail(error, size)

    async def _take(self, result: Any, size: int) -> None:
        """Deliver what a call gave, generators lazily, as far as the line has room."""
        stage, place = self._stage, self._place
        if isinstance(result, AWAITABLES):
            result = await cast("Awaitable[Any]", result)
        async with aclosing(outputs(result)) as values:
            async for value in values:
                await stage.room(place)
                if place.dead:
                    raise asyncio.CancelledError
                self._delivered = True
                stage.emit(place, value)
                stage.run.drain()
                if stage.run.is_late():
                    await stage.run.breathe()
                if place.dead:
                    raise asyncio.CancelledError
        if result is None:
            stage.counters.dropped += size
        else:
            stage.counters.completed += size
        self._settled(size)

    async def _handle(self, error: BaseException, item: Any, size: int) -> None:
        policy = self._stage.call.policy
        assert policy.handler is not None
        try:
            answer = policy.handler.handle_error(
                cast("Exception", error), item, policy.task_name, self._count
            )
            go_on, value = await answer
        except BaseException as raised:
            if self._place.dead or not _is_failure(raised):
                raise
            if raised is not error and raised.__cause__ is None:
                raised.__cause__ = error
            self._fail(raised, size)
            return
        if go_on:
            await self._take(value, size)
        else:
            self._fail(error, size)

    def _settled(self, size: int) -> None:
        self._pieces.pop()
        self._count = 1
        self._stage.counters.running -= size

    def _fail(self, error: BaseException, size: int) -> None:
        attempt = self._count
        self._settled(size)
        self._stage.fail(self._place, error, size, attempt=attempt)


def _is_failure(error: BaseException) -> bool:
    """Tell whether `error` is the call's own, and no end of the process or cancellation."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or not task.cancelling()
    return isinstance(error, Exception)
