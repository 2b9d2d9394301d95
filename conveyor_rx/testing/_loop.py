"""How can an event loop run on a clock that jumps?"""

from __future__ import annotations

import asyncio
import math
import random
import selectors
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any

from ._self_pipe import SelectorLoop
from ._timers import Timers, instant
from ._where import describe_task

__all__ = ["DEFAULT_MAX_STEPS", "Deadlock", "StepHook", "StepLimitError", "VirtualLoop"]

DEFAULT_MAX_STEPS = 1_000_000
CLEANUP_STEPS = 100_000  # granted after the limit was hit, so that the tasks can be cancelled
GLANCE = 0.05  # real seconds between two looks at whether other threads still live


class Deadlock(RuntimeError):  # noqa: N818  # the name of the thing, as in "a deadlock"
    """Everything is blocked: nothing is ready, no timer is set, no work runs in threads."""


class StepLimitError(RuntimeError):
    """The loop has run more steps than `max_steps` allows."""


class VirtualLoop(SelectorLoop):
    """Run asyncio code in virtual time.

    The clock starts at 0.0. When nothing is ready it jumps to the next timer, so `sleep(1000)`
    takes no real time. It counts in nanoseconds, so sums of decimal sleeps are exact; timers of
    one instant fire in the order in which they were set. Where it differs from a real loop:

    * While work runs in `run_in_executor`, `to_thread` or a block of `outside_work`, the clock
      stands still and the loop waits in real time. After `patience` real seconds in which nothing
      happened it goes on to the next timer, if there is one.
    * Where a real loop would wait for ever, it raises `Deadlock`, which names the tasks and where
      they wait. While threads that were started during the run live, or sockets are open, it
      first gives them `patience` real seconds to wake it.
    * After `max_steps` steps (callbacks run; None for no limit) it raises `StepLimitError`.
    * `seed` shuffles: each step runs a random one of the ready callbacks. The same seed gives the
      same run. By default they run first in, first out, as asyncio promises.
    * `on_step(loop)` is called before each step. It may cancel tasks; what it raises leaves
      `run_forever` at once, and the hook is not called again.

    Use it as a loop factory:

        >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ...     runner.run(asyncio.sleep(1000))
        ...     runner.get_loop().time()
        1000.0
    """

    # All that it uses of asyncio's private side; tests/testing/test_loop_privates.py guards it.
    _ready: deque[asyncio.Handle]
    _stopping: bool
    _default_executor: Executor | None
    if TYPE_CHECKING:
        _process_events: Callable[[list[tuple[selectors.SelectorKey, int]]], None]
        _check_closed: Callable[[], None]

    def __init__(
        self,
        *,
        seed: int | None = None,
        max_steps: int | None = DEFAULT_MAX_STEPS,
        on_step: StepHook | None = None,
        patience: float = 5.0,
    ) -> None:
        self.seed = seed
        self.on_step = on_step
        self.steps = 0
        self._limit = math.inf if max_steps is None else max_steps
        self._patience = patience
        self._random = None if seed is None else random.Random(seed)
        self._now = 0.0
        self._timers = Timers()
        self._jobs: set[asyncio.Future[Any]] = set()
        self._outside = 0
        self._born_with = set(threading.enumerate())
        self._poller = selectors.DefaultSelector()
        super().__init__(self._poller)
        self._own_files = len(self._poller.get_map())

    # The clock and the timers

    def time(self) -> float:
        """Return the virtual time in seconds since the loop was made."""
        return self._now

    def work_clock(self) -> float:
        """Return the time by which a pipeline measures how long it has worked without a pause.

        Work takes no virtual time, so a pipeline never pauses on its own account, and runs replay.
        """
        return self._now

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,  # handed on to `callback`
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call `callback` when the virtual clock shows `when`, rounded to a nanosecond.

        It is rounded up if the clock shows that already, so that whoever sleeps again until a
        moment has come gets there.

        Raises:
            ValueError: `when` is not a number.
        """
        self._check_closed()
        if math.isnan(when):
            raise ValueError("a timer needs a time, not NaN")
        when = instant(when, self._now)
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers.add(when, handle)
        return handle

    def close(self) -> None:
        """Close the loop and forget its timers."""
        super().close()
        self._timers.clear()

    # Work outside the loop

    @contextmanager
    def outside_work(self) -> Generator[None]:
        """Hold the clock while the block waits for something that the loop doesn't see.

        For threads that the test started itself, for processes and for sockets.
        """
        self._outside += 1
        try:
            yield
        finally:
            self._outside -= 1

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[..., Any],
        *args: Any,  # handed on to `func`
    ) -> asyncio.Future[Any]:
        """Run `func` in an executor; the clock stands still until it is done or cancelled."""
        if executor is None and self._default_executor is None:
            self.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        job = super().run_in_executor(executor, func, *args)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    async def shutdown_default_executor(self, *args: Any, **options: Any) -> None:
        """Wait, in real time, for the threads of the default executor to end."""
        with self.outside_work():  # asyncio joins them in a thread of its own
            await super().shutdown_default_executor(*args, **options)

    def _may_be_woken(self) -> bool:
        """Tell whether a thread started since, or an open socket, could wake the loop."""
        workers: set[threading.Thread] = getattr(self._default_executor, "_threads", set())
        strangers = set(threading.enumerate()) - self._born_with - workers
        return bool(strangers) or len(self._poller.get_map()) > self._own_files

    # The steps

    def _run_once(self) -> None:  # run_forever calls this in a loop
        self._poll(0)
        self._ready.extend(self._timers.take(self._now))
        if not self._ready and not self._stopping:
            self._wait()
            self._ready.extend(self._timers.take(self._now))
        for _ in range(len(self._ready)):
            self._step()

    def _poll(self, timeout: float | None) -> None:
        self._process_events(self._poller.select(timeout))

    def _wait(self) -> None:
        """Wait for work outside while there is any, else move the clock to the next timer."""
        due = self._timers.next()
        if self._jobs or self._outside:
            self._poll(None if due is None else self._patience)
            if self._ready or due is None:
                return
        if due is not None:
            self._now = max(self._now, due)
        else:
            self._wait_for_strangers()

    def _wait_for_strangers(self) -> None:
        """Give what could still wake the loop `patience` real seconds, then raise Deadlock."""
        for _ in range(math.ceil(self._patience / GLANCE)):
            # Looked at before the poll: a thread that wakes the loop and dies is then seen by it.
            may_be_woken = self._may_be_woken()
            self._poll(GLANCE if may_be_woken else 0)
            if self._ready:
                return
            if not may_be_woken:
                break
        raise Deadlock(self._report())

    def _report(self) -> str:
        tasks = [task for task in asyncio.all_tasks(self) if not task.done()]
        lines = sorted(f"\n  {describe_task(task)}" for task in tasks)
        return (
            f"at {self._now} s, after {self.steps} steps, nothing is ready, no timer is set and "
            f"no work runs in threads; {len(tasks)} tasks wait:{''.join(lines)}"
        )

    def _step(self) -> None:
        if self._random is not None:
            self._ready.rotate(-self._random.randrange(len(self._ready)))
        handle = self._ready.popleft()
        if handle.cancelled():
            return
        try:
            self._count_step()
        except BaseException:
            self._ready.appendleft(handle)
            raise
        if not handle.cancelled():
            handle._run()  # as BaseEventLoop does
        del handle  # a traceback may lead to this frame

    def _count_step(self) -> None:
        if self.steps >= self._limit:
            limit, self._limit = self._limit, self.steps + CLEANUP_STEPS
            raise StepLimitError(f"more than {limit} steps, at {self._now} s")
        self.steps += 1
        if self.on_step is not None:
            try:
                self.on_step(self)
            except BaseException:
                self.on_step = None
                raise


StepHook = Callable[[VirtualLoop], object]
