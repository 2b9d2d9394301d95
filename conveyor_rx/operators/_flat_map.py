"""How do calls run at once? `flat_map` with a concurrency limit, over the places of a line.

A plain function is called inline, an async one in one task; what is not one plain result at the
first attempt (generators, retries, handlers, halving) goes the slow way of `_attempts.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any

from reactivex import Observable

from .._calls import AWAITABLES, MANY, Call, is_short
from .._stats import Counters
from ..error_handling import Verdict
from ._admission import Admission
from ._attempts import Attempts, Outcome, Part
from ._line import Line
from ._place import DEAD, WAITING, Place
from ._run import EAGER, Run
from ._subscriber import lift
from ._trampoline import DEPTH

__all__ = ["FlatMap", "flat_map"]

_Task: Any = asyncio.Task  # `eager_start` came with 3.12
_SPECIAL = MANY + AWAITABLES


class FlatMap(Admission):
    """The calls of one task in one run.

    Order: calls start in the order of arrival; a new arrival never overtakes one that waits.
    Errors: as the call's policy says; a failure goes to the line, at the item's place.
    Cancellation: the line cancels the task of a place; it is awaited before the run has ended.
    Pressure: none of its own: what waits here stands in the line, which is the gate.
    """

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
        super().__init__(run, line, call, limit, counters, counts_input)
        self._plain: set[type] = set()  # types of results that were met and are one output
        self._shortcut = True  # take them without further ado
        kind = type(self)
        if call.is_generator:
            self._start = kind._start_generator
        elif call.is_async:
            self._start = kind._start_async
        else:
            self._start = kind._start_plain

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

    def attempt_begins(self, part: Part, attempt: int) -> None: ...

    def attempt_gave(self, part: Part, result: Any) -> None: ...

    def attempt_failed(self, part: Part, error: BaseException, attempt: int) -> None: ...

    def settled(self, part: Part, outcome: Outcome) -> None:
        """Count the items of `part`: it is known what becomes of them."""
        counters = self.counters
        counters.running -= part.size
        setattr(counters, outcome, getattr(counters, outcome) + part.size)

    # -- private

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
            if type(result) in self._plain and place.weight == 1 and place.state == WAITING:
                self._complete(place, result)
            elif isinstance(result, _SPECIAL) and not is_short(result):
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
        run = self.run
        self._running += 1
        run.running += 1
        self.counters.running += place.weight
        call, context = self._call(place), run.context.copy()
        if EAGER:  # as `run.start` does, in line for speed
            task = _Task(call, loop=run.loop, context=context, eager_start=True)
        else:
            task = _Task(call, loop=run.loop, context=context)
        if not task.done():
            place.task = task
            if place.state == DEAD or not EAGER:
                self._started(place, task, place.weight, eager=True)

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
            self._started(place, task, left, eager=eager)

    def _started(self, place: Place, task: asyncio.Task[Any], left: int, *, eager: bool) -> None:
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
        if run.starved or self._queue or self._resuming:
            self._freed()

    def _freed(self) -> None:
        run = self.run
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
        is_plain = place.weight == 1 and type(result) in self._plain
        if not is_plain and isinstance(result, MANY) and not is_short(result):
            await self._go_on(place, Attempts(self, place, result=result))
            return
        run = self.run
        try:
            if is_plain and place.state == WAITING:  # as `_end` and `_settle` do, in line for speed
                place.task = None
                place.value = result
                self._running -= 1
                run.running -= 1
                if self._queue:
                    run.ready |= self.bit
                if run.starved or self._resuming:
                    self._freed()
                counters = self.counters
                counters.running -= 1
                counters.completed += 1
                counters.out += 1
                self.out.on_next(place)
            else:
                self._end(place, place.weight)
                self._settle(place, result)
            if run.ready:
                run.drain()
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
            if self._shortcut:
                self._plain.add(type(result))  # pyright: ignore[reportUnknownArgumentType]  # of any value
            self._complete(place, result)

    def _complete(self, place: Place, result: Any) -> None:
        """Pass on the one output of one item."""
        counters = self.counters
        counters.completed += 1
        counters.out += 1
        place.value = result
        self.out.on_next(place)


def flat_map(stage: FlatMap) -> Callable[[Observable[Any]], Observable[Any]]:
    """Call a function for each place of a line, as `stage` says."""
    stage.line.stages.append(stage)
    stage.run.enroll(stage)
    return lift(lambda: stage)
