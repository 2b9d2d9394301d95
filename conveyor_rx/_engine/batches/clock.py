"""Since when is a batch open, and is it due? The clock of one batch stage."""

from __future__ import annotations

import asyncio

from ..run import Run

__all__ = ["Clock"]


class Clock:
    """Says when a batch is due, `wait` seconds after its first item came: then it sets a bit.

    One timer is enough for many batches: it is set again only when it has gone off, and finds that
    another batch is open by then.
    """

    __slots__ = ("_bit", "_opened", "_run", "_timer", "_wait", "is_due")

    def __init__(self, run: Run, wait: float) -> None:
        self._run = run
        self._bit = 0  # of the worker that is to have a turn
        self._wait = wait
        self._opened: float | None = None  # when the first item of the open batch came
        self._timer: asyncio.TimerHandle | None = None
        self.is_due = False

    def start(self, bit: int) -> None:
        """Take note that a batch is open, unless it was noted before."""
        if self._opened is not None:
            return
        self._bit = bit
        self._opened = self._run.loop.time()
        if not self._wait:
            self.is_due = True
        elif self._timer is None:
            self._set()

    def stop(self) -> None:
        """Take note that the batch was cut."""
        self._opened = None
        self.is_due = False

    def cancel(self) -> None:
        """Stop for good."""
        self.stop()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _set(self) -> None:
        assert self._opened is not None
        time = self._opened + self._wait
        self._timer = self._run.loop.call_at(time, self._goes_off, self._opened)

    def _goes_off(self, opened: float) -> None:
        self._timer = None
        if self._opened is None:
            return
        if self._opened > opened:  # it is another batch
            self._set()
            return
        self.is_due = True
        self._run.ready |= self._bit
        self._run.schedule()
