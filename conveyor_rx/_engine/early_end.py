"""How does a run end early without loss? Its source stops; what was pulled goes on to its end.

To the user this is `drain`. In the engine that word means that turns are taken (`trampoline.py`).
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Protocol

from .run import Run

__all__ = ["EarlyEnd"]


class Source(Protocol):
    """Where the run begins."""

    bit: int

    def stop(self) -> None:
        """Pull nothing more. The end is told in a turn, behind all that was pulled."""


class Outlet(Protocol):
    """Where the run ends."""

    def give_up(self) -> None:
        """End the run at once; whoever waits is told so when nothing of it is left."""


class EarlyEnd:
    """Ends `run` early: the end of its source, as if nothing more had come.

    From there on it is the end that it would have been. So it takes place where turns are taken: a
    run that pauses ends when it goes on. A time limit is heeded in a pause as well.
    """

    __slots__ = ("__weakref__", "_deadline", "_outlet", "_source", "_timer", "has_begun", "run")

    def __init__(self, run: Run, source: Source, outlet: Outlet) -> None:
        self.run = run
        self._source = source
        self._outlet = outlet
        self.has_begun = False
        self._deadline = 0.0  # of the timer
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, timeout: float | None) -> None:
        """End the run early; after `timeout` seconds at once. Idempotent, from any thread."""
        run = self.run
        if not run.in_thread():
            if not run.loop.is_closed():
                run.loop.call_soon_threadsafe(self.begin, timeout)
            return
        if not self.has_begun and not run.closed:
            self.has_begun = True
            if run.tracer is not None:
                run.tracer.drains()
            run.is_cut_short = True
            self._source.stop()
            run.ready |= self._source.bit
            run.schedule()
        self.limit(timeout)

    def limit(self, timeout: float | None) -> None:
        """End the run at once when `timeout` seconds are over, if that is earlier than before."""
        run = self.run
        if not run.in_thread():
            if not run.loop.is_closed():
                run.loop.call_soon_threadsafe(self.limit, timeout)
            return
        if timeout is None or run.closed:
            return
        deadline = run.loop.time() + timeout
        if self._timer is not None:
            if self._deadline <= deadline:
                return
            self._timer.cancel()
        self._deadline = deadline
        # In the context of a run, that may hold it, and of a call, a timer is kept for too long.
        self._timer = run.loop.call_at(deadline, self._give_up, context=Context())

    def cancel(self) -> None:
        """Let go of the run, which is over."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _give_up(self) -> None:
        self._timer = None
        if not self.run.closed:
            self.run.context.copy().run(self._outlet.give_up)
