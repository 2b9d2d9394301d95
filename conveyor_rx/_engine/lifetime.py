"""How does a run end, and who hears of what fails? All stops at once; its tasks are awaited."""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, Self, cast

from reactivex import abc

from .closing.ending import Ending, innermost
from .closing.failures import Failures
from .turns.trampoline import Trampoline

if TYPE_CHECKING:
    from .observing.tracer import Tracer

__all__ = ["Lifetime"]

_Coroutine = Coroutine[Any, Any, Any]
_Listener = Callable[[BaseException], bool]


class Lifetime(Trampoline):
    """The turns of a run, the tasks that belong to it, its one end, and the runs around it."""

    __slots__ = (
        "__weakref__",
        "_around",
        "_children",
        "_thread",
        "chain",
        "closed",
        "emitting",
        "ending",
        "failures",
        "listener",
        "on_crash",
        "over",
        "parent",
        "tracer",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, context: Context, tracer: Tracer | None
    ) -> None:
        self.failures = Failures(loop)
        self.ending = Ending(loop, context.get(innermost))
        self.ending.failures = weakref.ref(self.failures)
        context.run(innermost.set, self.ending)
        super().__init__(loop, context)
        self.tracer = tracer  # tells the probes, if there are any
        self.emitting: set[object] = set()  # while they pass on a value of several
        self.closed = False
        self.chain: abc.DisposableBase | None = None  # the subscription, from the outlet upwards
        self._children: set[Self] = set()  # of streams inside foreign operators of this one
        self.parent: Self | None = None
        self._around: Callable[[], Self | None] = lambda: None  # the same, also when this is closed
        self.listener: _Listener | None = None  # hears of failures that nobody else hears of
        self.on_crash: Callable[[BaseException], None] | None = None
        self.over: asyncio.Future[None] | None = None  # of the one that waits until it is closed
        self._thread = threading.get_ident()

    def in_thread(self) -> bool:
        """Tell whether the caller is in the thread of the run's loop."""
        return threading.get_ident() == self._thread

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
        self._let_go(settled)
        self.workers = []
        self.on_crash = None
        if self.over is not None and not self.over.done():
            self.over.set_result(None)
        self.turns_context = Context()
        if self.parent is not None:
            self.parent._children.discard(self)
            self.parent = None

    def _freeze(self) -> int:
        """Note what is settled, before all is let go of, and return what probes are told of it."""
        raise NotImplementedError

    def _let_go(self, settled: int) -> None:
        """Tell of the end, and let go of what operators share: nothing of it goes on."""
        raise NotImplementedError

    async def wait_closed(self) -> None:
        """Close, and wait until every task of the run has ended, even when cancelled meanwhile.

        Who calls it from inside of the run waits for less, or not at all: see `ending.py`.

        Raises:
            asyncio.CancelledError: the waiting task was cancelled.
        """
        self.close()
        await self.ending.wait()

    def is_ended(self) -> bool:
        """Tell whether no task of the run is left."""
        return not self.ending.tasks

    def adopt(self, child: Self) -> None:
        """Make this run wait, at its end, for the tasks of `child`, and raise what fails there."""
        child.parent = self
        child._around = weakref.ref(self)
        child.listener = self.listener
        self._children.add(child)
        self.ending.adopt(child.ending)
        child.failures = self.failures
        child.ending.failures = self.ending.failures
