"""How do calls run at once? `flat_map` with a concurrency limit, over the places of a line.

A plain function is called inline, an async one in one task; what is not one plain result at the
first attempt (generators, retries, handlers, halving) goes the slow way of `_attempts.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

from reactivex import Observable

from .._calls import AWAITABLES, MANY, Call, is_short
from .._stats import Counters
from ..error_handling import Verdict
from ._attempts import Attempts, Outcome, Part
from ._line import DEAD, Line, Place
from ._run import EAGER, UNBOUNDED, Run
from ._subscriber import Subscriber, lift
from ._trampoline import DEPTH

__all__ = ["FlatMap", "flat_map"]

_SPECIAL = MANY + AWAITABLES


class FlatMap(Subscriber):
    """The calls of one task in one run.

    Order: calls start in the order of arrival; a new arrival never overtakes one that waits.
    Errors: as the call's policy says; a failure goes to the line, at the item's place.
    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    Pressure: none of its own: what waits here stands in the line, which is the gate.
    """

    bit = 0

    def __init__(
        self,
        run: Run,
        line: Line,
        call: Call,
        limit: int | None,
        counters: Counters,
        counts_input: bool,
    ) -> None:
        """Make at most `limit` calls at once (None: no limit); a buffer counts its input itself."""
        self.run = run
        self.line = line
        self.call = call
        self.function = call.function
        self.counters = counters
        self._limit = limit or UNBOUNDED
        self._arrival = 1 if counts_input else 0
        self._running = 0
        self._queue: deque[Place] = deque()
        self._given_back: list[Place] = []  # places whose calls did not begin, because of a pause
        self._resuming: deque[asyncio.Future[None]] = deque()
        self._prepare = call.prepare
        self._busy = call.prepare is not None  # something has to be seen to before any call
        self._preparing: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None
        kind = type(self)
        if call.is_generator:
            self._start: Callable[[Any, Place], None] = kind._start_generator
        elif call.is_async:
            self._start = kind._start_async
        else:
            self._start = kind._start_plain

    def on_next(self, value: Place) -> None:
        self.counters.in_ += self._arrival
        run = self.run
        if (
            self._queue
            or self._given_back
            or self._busy
            or run.depth >= DEPTH
            or self._running >= self._limit
            or run.running >= run.max_parallelism
            or run.paused
        ):
            self._queue.append(value)
            if self._running < self._limit:  # else the end of a call wakes us
                run.ready |= self.bit
        else:
            run.depth += 1
            self._start(self, value)
            run.depth -= 1

    def step(self) -> None:
        run = self.run
        if self._prepare is not None:
            self._prepare_first()
        elif run.running >= run.max_parallelism:
            run.starved |= self.bit
        elif self._resuming and (self.call.is_generator or self._running < self._limit):
            self._resume_one()
        elif self._given_back:
            waiting = [*self._given_back, *self._queue]
            self._queue = deque(sorted(waiting, key=attrgetter("number")))
            self._given_back = []
            run.ready |= self.bit
        elif self._queue and self._running < self._limit:
            place = self._queue.popleft()
            if self._broken is not None:
                self.fail(place, self._broken, place.weight, attempt=0)
            else:
                self._start(self, place)
            if self._queue and self._running < self._limit:
                run.ready |= self.bit

    def purge(self) -> None:
        waiting = [*self._given_back, *self._queue]
        self._queue, self._given_back = deque[Place](), []
        for place in waiting:
            if place.dead:
                self.counters.cancelled += place.weight
            else:
                self._queue.append(place)

    def cut(self) -> None:
        self.purge()
        if self._prepare is not None:  # let go of side inputs that were not needed
            self.call = replace(self.call, function=_unprepared, prepare=None)
            self.function = _unprepared
            self._prepare = None
        if self._preparing is not None:
            self.run.cancel(self._preparing)

    def fail(self, place: Place, error: BaseException, size: int, *, attempt: int) -> None:
        """End the run at `place` with `error`."""
        if place.dead:  # a handler has closed its own run
            self.counters.cancelled += size
            return
        self.counters.failed += size
        self.line.fail(place, self.call.policy.blame(error, place.number, attempt))

    def emit(self, place: Place, value: Any) -> None:
        """Pass on one output of several; what is done with it is not done here and now."""
        if value is None:
            self.counters.dropped_outputs += 1
        else:
            self.counters.out += 1
            self.run.depth += DEPTH
            self.out.on_next(self.line.insert(value, place))
            self.run.depth -= DEPTH

    async def room(self, place: Place) -> None:
        """Wait until `place` may put another output in the line.

        Meanwhile the call does not count for `max_parallelism`, else the calls that would make
        room could not start. The call of a generator task keeps its slot: those start in order, so
        the head always holds one. A plain function that happens to return a generator gives its
        slot back, as the head may be waiting for it.
        """
        while not self.line.has_room(place):  # again, if it was taken while a slot was waited for
            await self._wait_for_room(place)

    def attempt_begins(self, part: Part, attempt: int) -> None: ...

    def attempt_gave(self, part: Part, result: Any) -> None: ...

    def attempt_failed(self, part: Part, error: BaseException, attempt: int) -> None: ...

    def settled(self, part: Part, outcome: Outcome) -> None:
        """Count the items of `part`: it is known what becomes of them."""
        counters = self.counters
        counters.running -= part.size
        setattr(counters, outcome, getattr(counters, outcome) + part.size)

    # -- private

    async def _wait_for_room(self, place: Place) -> None:
        keeps_slot = self.call.is_generator
        run = self.run
        self._running -= not keeps_slot
        run.running -= 1
        run.ready |= run.starved | self.bit
        run.starved = 0
        run.drain()
        granted = False
        try:
            if place.dead:  # by what was done in between
                raise asyncio.CancelledError
            await self.line.room(place)
            self._resuming.append(turn := self.run.loop.create_future())
            self.run.wake(self)
            try:
                await turn
            finally:
                granted = turn.done() and not turn.cancelled()
        finally:
            if not granted:
                self._running += not keeps_slot
                self.run.running += 1

    def _resume_one(self) -> None:
        turn = self._resuming.popleft()
        if not turn.done():
            self._running += not self.call.is_generator
            self.run.running += 1
            turn.set_result(None)
        if self._resuming or self._queue:
            self.run.ready |= self.bit

    def _prepare_first(self) -> None:
        if self._preparing is None and self._queue:
            self._preparing = self.run.start(self._bind())

    async def _bind(self) -> None:
        if self.run.closed or self._prepare is None:
            return
        try:
            self.function = await self._prepare()
        except (Exception, asyncio.CancelledError) as error:
            if self.run.closed:
                return
            self._broken = error
        self._prepare = None
        self._busy = self._broken is not None
        self.run.wake(self)

    def _start_plain(self, place: Place, context: Context | None = None) -> None:
        item = place.value
        self.counters.running += place.weight
        try:
            result = (context or self.run.context.copy()).run(self.function, item)
        except (KeyboardInterrupt, SystemExit):
            self.counters.failed += place.weight
            raise
        except BaseException as error:
            self._failed_inline(place, error)
        else:
            if isinstance(result, _SPECIAL) and not is_short(result):
                attempts = Attempts(self, place, result=result)
                self._begin(place, self._go_on(place, attempts), eager=False)
            else:
                self._settle(place, result)
        finally:
            self.counters.running -= place.weight

    def _failed_inline(self, place: Place, error: BaseException) -> None:
        verdict = self.call.policy.verdict(1, place.weight, False)
        if place.dead:
            self.counters.cancelled += place.weight
        elif verdict is Verdict.FAIL or not isinstance(error, Exception | asyncio.CancelledError):
            self.fail(place, error, place.weight, attempt=1)
        elif verdict is Verdict.SKIP:
            self._skip(place, error)
        else:
            attempts = Attempts(self, place, error=error)
            self._begin(place, self._go_on(place, attempts), eager=False)

    def _skip(self, place: Place, error: BaseException) -> None:  # for who watches
        self.counters.skipped += place.weight
        self.line.give_up(place)

    def _start_async(self, place: Place) -> None:
        self._begin(place, self._call(place), eager=True)

    def _start_generator(self, place: Place) -> None:
        self._begin(place, self._generate(place), eager=False)

    def _begin(self, place: Place, call: Coroutine[Any, Any, None], *, eager: bool) -> None:
        self._running += 1
        self.run.running += 1
        self.counters.running += place.weight
        self._start_task(place, call, place.weight, eager=eager)

    def _start_task(
        self, place: Place, call: Coroutine[Any, Any, None], left: int, *, eager: bool
    ) -> None:
        task = self.run.start(call, eager=eager)
        if not task.done():
            place.task = task
            if place.dead:  # it has closed its own run
                self.run.keep(task)
            if not (eager and EAGER):
                task.add_done_callback(partial(self._lost, place, left))

    def _end(self, place: Place, size: int) -> None:
        """Free the slot, and count `size` items as running no more.

        This comes before a result is passed on, for then the place may be called again.
        """
        place.task = None
        self._running -= 1
        self.counters.running -= size
        run = self.run
        run.running -= 1
        run.ready |= run.starved
        run.starved = 0
        if self._queue or self._resuming:
            run.ready |= self.bit

    async def _call(self, place: Place) -> None:
        """Make one call of an async function."""
        if place.state == DEAD or self.run.paused:
            self._not_begun(place)
            return
        item = place.value
        try:
            result = await self.function(item)
        except (KeyboardInterrupt, SystemExit) as end:
            self._end(place, place.weight)
            self.counters.failed += place.weight
            self.run.crash(end)
            self.run.keep(asyncio.current_task())
            raise
        except BaseException as error:
            await self._go_on(place, Attempts(self, place, error=error))
            return
        if isinstance(result, MANY) and not is_short(result):
            await self._go_on(place, Attempts(self, place, result=result))
            return
        self._end(place, place.weight)
        try:
            self._settle(place, result)
            self.run.drain()
        except Exception as error:  # of an observer, downstream
            self.run.crash(error)
        except BaseException as end:  # of the process, by a function called downstream
            self.run.crash(end)
            self.run.keep(asyncio.current_task())
            raise

    def _lost(self, place: Place, left: int, task: asyncio.Task[Any]) -> None:
        """Take note that `task` was cancelled from outside before it began."""
        if task.cancelled() and place.task is task:
            self._end(place, left)
            if place.dead:
                self.counters.cancelled += left
            else:
                self.fail(place, asyncio.CancelledError(), left, attempt=0)
            self.run.schedule()

    def _not_begun(self, place: Place) -> None:
        """Undo the start of a call whose task comes to run when it is unwanted, or not yet."""
        self._end(place, place.weight)
        if place.state == DEAD:
            self.counters.cancelled += place.weight
        else:
            self._given_back.append(place)
            self.run.ready |= self.bit

    async def _generate(self, place: Place) -> None:
        """Make one call of a generator function."""
        if place.state == DEAD or self.run.paused:
            self._not_begun(place)
        else:
            await self._go_on(place, Attempts(self, place))

    async def _go_on(self, place: Place, attempts: Attempts) -> None:
        """Go the slow way: make one attempt, and let another task make the next."""
        again = False
        try:
            if place.state == DEAD:
                self.counters.cancelled += attempts.left
            else:
                again = await attempts.attempt()
        except BaseException:  # a cancellation from outside, or the end of the process
            self.run.keep(asyncio.current_task())
            raise
        finally:
            if not again:
                self._end(place, attempts.left)
        if again:
            self._start_task(place, self._go_on(place, attempts), attempts.left, eager=False)
        self.run.drain()

    def _settle(self, place: Place, result: Any) -> None:
        """Take the result of a call that went well at once."""
        counters = self.counters
        if place.state == DEAD:
            counters.cancelled += place.weight
        elif result is None:
            counters.dropped += place.weight
            self.line.give_up(place)
        elif isinstance(result, list):
            counters.completed += place.weight
            for value in result:  # pyright: ignore[reportUnknownVariableType]  # a user's list
                self.emit(place, value)
            self.line.give_up(place)
        elif place.weight != 1:  # a batch: its one output takes up the room of one
            counters.completed += place.weight
            self.emit(place, result)
            self.line.give_up(place)
        else:
            counters.completed += 1
            counters.out += 1
            place.value = result
            self.out.on_next(place)


def _unprepared(item: Any) -> Any:
    raise RuntimeError("a call without its side inputs")


def flat_map(stage: FlatMap) -> Callable[[Observable[Any]], Observable[Any]]:
    """Call a function for each place of a line, as `stage` says."""
    stage.line.stages.append(stage)
    stage.run.enroll(stage)
    return lift(lambda: stage)
