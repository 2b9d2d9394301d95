"""Since when is a batch open, and which are due? The clock of the batches of one stage."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ..run import Run
from .open_batches import OpenBatch

__all__ = ["Clock"]


class Clock:
    """Says which batches are due, `wait` seconds after their first items came: then it sets a bit.

    One timer is enough for all of them: that of the oldest. It is set again only when it has gone
    off, and finds others that are open by then.
    """

    __slots__ = ("_bit", "_run", "_timer", "_wait", "_young", "due")

    def __init__(self, run: Run, wait: float) -> None:
        self._run = run
        self._bit = 0  # of the worker that is to have a turn
        self._wait = wait
        self._timer: asyncio.TimerHandle | None = None
        self._young: OrderedDict[OpenBatch, None] = OrderedDict()  # that are not due, by age
        self.due: OrderedDict[OpenBatch, None] = OrderedDict()  # by age

    def start(self, batch: OpenBatch, bit: int) -> None:
        """Take note that the first item of `batch` has come."""
        self._bit = bit
        if not self._wait:
            batch.is_due = True
            self.due[batch] = None
            return
        batch.opened = self._run.loop.time()
        self._young[batch] = None
        if self._timer is None:
            self._set(batch.opened)

    def stop(self, batch: OpenBatch) -> None:
        """Take note that `batch` was cut, or let go."""
        if batch.is_due:
            del self.due[batch]
        else:
            del self._young[batch]

    def cancel(self) -> None:
        """Stop for good."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _set(self, opened: float) -> None:
        self._timer = self._run.loop.call_at(opened + self._wait, self._goes_off, opened)

    def _goes_off(self, opened: float) -> None:
        """Take note that those are due which were open at `opened`."""
        self._timer = None
        while self._young:
            batch = next(iter(self._young))
            if batch.opened > opened:
                self._set(batch.opened)
                break
            del self._young[batch]
            batch.is_due = True
            self.due[batch] = None
        if self.due:
            self._run.ready |= self._bit
            self._run.schedule()
