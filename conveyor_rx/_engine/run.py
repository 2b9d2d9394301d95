"""What do the operators of one run share? Turns, tasks, the cap on parallel calls, the end."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from reactivex import abc

from .._inputs import Inputs
from .closing.ending import Ending, innermost
from .closing.failures import Failures
from .counters import Counters
from .turns.nesting import NESTED
from .turns.relay import UNBOUNDED
from .turns.trampoline import Trampoline
from .watermark import Watermark

if TYPE_CHECKING:
    from .observing.tracer import Tracer

__all__ = ["REST", "UNBOUNDED", "Listener", "Run", "enclosing"]

REST = 1
"""The bit of the worker that shares out what room is left (`rest.py`): it is enrolled first."""

enclosing: ContextVar[Run | None] = ContextVar("conveyor_rx_enclosing", default=None)
"""The run whose turn it is: streams that are subscribed in it are awaited at its end."""

_log = logging.getLogger("conveyor_rx")
_Coroutine = Coroutine[Any, Any, Any]
Listener = Callable[[BaseException], bool]


class Roomy(Protocol):
    """A window, as a run sees it."""

    bit: int

    def share_room(self) -> None:
        """Let calls go on that wait for room, as many as there is room for."""


class Ends(Protocol):
    """What may end a run early (`early_end.py`), as the run sees it."""

    def cancel(self) -> None:
        """Let go of the run, which is over."""


class Run(Trampoline):
    """One subscription of a compiled pipeline, from its first pull to its one end."""

    __slots__ = (
        "__weakref__",
        "_around",
        "_children",
        "_thread",
        "cap",
        "chain",
        "closed",
        "compared_by_identity",
        "cutting",
        "early_end",
        "emitting",
        "ending",
        "failure",
        "failures",
        "inputs",
        "is_cut_short",
        "listener",
        "max_in_flight",
        "max_parallelism",
        "on_crash",
        "on_pause",
        "ordered",
        "over",
        "parent",
        "roomy",
        "running",
        "skipping",
        "starved",
        "tracer",
        "warns_of_blocking",
        "watermark",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: Context,
        *,
        ordered: bool = True,
        max_in_flight: int | None = None,
        max_parallelism: int | None = None,
        warns_of_blocking: bool = False,
        tracer: Tracer | None = None,
    ) -> None:
        self.failures = Failures(loop)
        self.ending = Ending(loop, context.get(innermost))
        self.ending.failures = weakref.ref(self.failures)
        context.run(innermost.set, self.ending)
        super().__init__(loop, context)
        self.turns_context.run(enclosing.set, self)
        # In a context these may be equal to another value, and yet are not that.
        self.compared_by_identity = [
            (variable, value)
            for variable, value in context.items()
            if value is not None and type(value).__eq__ is not object.__eq__
        ]
        self.ordered = ordered
        self.max_in_flight = max_in_flight or UNBOUNDED
        self.max_parallelism = max_parallelism or UNBOUNDED
        self.warns_of_blocking = warns_of_blocking
        self.cap = self.max_parallelism  # calls that may run at once now: none in a pause
        self.tracer = tracer  # tells the probes, if there are any
        self.running = 0  # calls at this moment, in all stages
        self.inputs: Inputs = None  # of the source: what the value that is handed on comes from
        self.roomy: dict[Roomy, None] = {}  # those that have room left while calls wait for it
        self.starved = 0  # bits of the workers that get a turn when a call ends, of any stage
        self.emitting: set[object] = set()  # while they pass on a value of several
        self.skipping: list[Counters] = []  # of the stages that have skipped something
        self.failure: BaseException | None = None  # of the call that ends the run
        self.closed = False
        self.is_cut_short = False  # its source was stopped before the end of the data
        self.watermark: Watermark | None = None  # which items are settled, once it is linked up
        self.cutting: deque[Any] | None = None  # subscribers whose upstream is being cut off
        self.chain: abc.DisposableBase | None = None  # the subscription, from the outlet upwards
        self.early_end: Ends | None = None
        self._children: set[Run] = set()  # of streams inside foreign operators of this one
        self.parent: Run | None = None
        self._around: Callable[[], Run | None] = lambda: None  # the same, also when this is closed
        self.listener: Listener | None = None  # hears of failures that nobody else hears of
        self.on_crash: Callable[[BaseException], None] | None = None
        self.on_pause: list[Callable[[], None]] = []  # of those who would stop other runs
        self.over: asyncio.Future[None] | None = None  # of the one that waits until it is closed
        self._thread = threading.get_ident()

    def start(self, coroutine: _Coroutine, name: str) -> asyncio.Task[Any]:
        """Start a task in its own copy of the run's context; it begins at the loop's next turn."""
        # Not `loop.create_task`: a task factory could make it start at once, or elsewhere.
        return asyncio.Task(coroutine, loop=self.loop, name=name, context=self.context.copy())

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """Cancel `task` and keep it until it has ended.

        One that has not begun would never see it: it begins, finds that it is not wanted, and
        returns. So does one that is passing on a value, when it gets back. The current one has
        closed its own run, and goes on.
        """
        if task.done():
            return
        self.keep(task)
        state = inspect.getcoroutinestate(cast("_Coroutine", task.get_coro()))
        if state == "CORO_SUSPENDED" or (
            # It is at work further up the stack, and has started another that works at once.
            state == "CORO_RUNNING"
            and task not in self.emitting
            and task is not asyncio.current_task(self.loop)
        ):
            task.cancel()

    def keep(self, task: asyncio.Task[Any] | None) -> None:
        """Keep `task` until it has ended: the run ends after it."""
        if task is not None:
            self.ending.keep(task)

    def release(self, future: asyncio.Future[Any], lost: Callable[[BaseException], None]) -> None:
        """Cancel a future that a call has left to the run, and keep it; `lost` gets its failure."""

        def ended(future: asyncio.Future[Any]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                lost(error)

        if future.get_loop() is not self.loop:
            return  # nobody could await it here
        if future.done():
            ended(future)
            return
        future.add_done_callback(ended)
        self.ending.keep(future)
        future.cancel()

    def wake_starved(self) -> None:
        """Give a turn to those that wait for a call to end."""
        self.ready |= self.starved
        self.starved = 0

    def lose(self, inputs: Inputs) -> None:
        """Take note that a value is let go of, and its items are not settled."""
        if self.watermark is not None:
            self.watermark.lose(inputs)

    def lose_sight(self) -> None:
        """Take note that a value goes where nobody can say what becomes of it."""
        if self.watermark is not None:
            self.watermark.hold()

    def pause(self) -> None:
        super().pause()
        self.cap = 0
        for step_aside in self.on_pause:
            step_aside()

    def go_on(self) -> None:
        if not self.closed:
            self.cap = self.max_parallelism
            super().go_on()
            if not self.roomy:
                self.ready &= ~REST

    def in_thread(self) -> bool:
        """Tell whether the caller is in the thread of the run's loop."""
        return threading.get_ident() == self._thread

    def within(self, work: Callable[..., None], *args: Any) -> None:
        """Do `work`, which leads into other runs; if that is nested too deep, do it soon."""
        if not self.in_thread():
            work(*args)
        elif self.nesting.depth < NESTED:
            self.nesting.within(work, *args)
        else:
            self.nesting.waiting.append(partial(self._do, work, args))

    def _do(self, work: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            work(*args)
        except Exception as error:
            self.crash(error)

    def crash(self, error: BaseException) -> None:
        report, self.on_crash = self.on_crash, None
        try:
            if report is not None:
                if self.tracer is not None:
                    self.tracer.note_end(error)
                report(error)
            elif not (issubclass(type(error), Exception) and self.pass_up(error)):
                self.failures.add(error, "in an observer")
        finally:
            self.close()

    def pass_up(self, error: BaseException) -> bool:
        """Fail with `error`, which the foreign operators behind this run failed to pass on.

        The run around this one does, or who has subscribed to those operators. Tell whether there
        is anybody.
        """
        around = self._around()
        if around is not None and not around.closed:
            around.crash(error)
            return True
        return self.listener is not None and self.listener(error)

    def break_off(self, error: BaseException) -> None:
        """End the run, and the current task, with an exception that no call has claimed.

        It is an observer's, or one of our own. Raised again, it ends the task in sight of all that
        look at tasks: the end of the process, and what nobody else hears of any more.
        """
        is_heard = not self.closed
        self.crash(error)
        if not is_heard or not issubclass(type(error), Exception):
            self.keep(asyncio.current_task(self.loop))
            raise error

    def close(self) -> None:
        """Stop everything at once: nothing starts from here on. Idempotent, from any thread."""
        if not self.in_thread():
            if not self.loop.is_closed():
                self.loop.call_soon_threadsafe(self.close)
            return
        if self.closed:
            return
        settled = self._freeze()
        self.closed = self.ending.closed = True
        self.pause()
        self.ready = 0
        if self.relay.making is not None:
            self.relay.closer = asyncio.current_task(self.loop)
        chain, self.chain = self.chain, None
        if chain is not None and self.draining:
            chain.dispose()
        elif chain is not None:
            self.turns_context.run(chain.dispose)
        if self.tracer is not None:
            self.tracer.finish(settled)
        for stage in self.skipping:
            came = stage.snapshot().in_
            _log.warning("task %r skipped %d of %d items", stage.stage, stage.skipped, came)
        self.workers = []
        self.roomy = {}
        end, self.early_end = self.early_end, None
        if end is not None:
            end.cancel()
        self.on_crash = self.failure = None
        self.on_pause = []
        if self.over is not None and not self.over.done():
            self.over.set_result(None)
        self.turns_context = Context()
        if self.parent is not None:
            self.parent._children.discard(self)
            self.parent = None

    def _freeze(self) -> int:
        """Note what is settled, before all is let go of, and return what probes are told of it."""
        watermark, tracer, settled = self.watermark, self.tracer, 0
        if watermark is not None:
            try:
                watermark.freeze()
                if tracer is not None:
                    settled = watermark.at_end(is_complete=tracer.is_complete)
            except Exception as error:  # after one of our own, which may have broken a line
                self.failures.add(error, "in the engine")
        return settled

    async def wait_closed(self) -> None:
        """Close, and wait until every task of the run has ended, even when cancelled meanwhile.

        Who calls it from inside of the run waits for less, or not at all: see `ending.py`.

        Raises:
            asyncio.CancelledError: the waiting task was cancelled.
        """
        self.close()
        await self.ending.wait()

    def adopt(self, child: Run) -> None:
        """Make this run wait, at its end, for the tasks of `child`, and raise what fails there."""
        child.parent = self
        child._around = weakref.ref(self)
        child.listener = self.listener
        self._children.add(child)
        self.ending.adopt(child.ending)
        child.failures = self.failures
        child.ending.failures = self.ending.failures

    def is_ended(self) -> bool:
        """Tell whether no task of the run is left."""
        return not self.ending.tasks
