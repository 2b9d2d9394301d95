"""How do items become batches? They stay open here until the trigger of the stage cuts them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from reactivex import Observable

from ..._inputs import Inputs
from ..._stats import Counters
from ..run import Run
from ..subscriber import Subscriber, lift
from .clock import Clock
from .trigger import Cut, Trigger

if TYPE_CHECKING:
    from ..observing.reporter import BatchReporter

__all__ = ["Batches", "collect"]

_log = logging.getLogger("conveyor_rx")


class Calls(Protocol):
    """What makes the calls for the batches."""

    def has_slot(self) -> bool:
        """Tell whether a call could begin now."""
        ...


class Batches(Subscriber):
    """The open items of one batch task: a worker between two segments.

    Order: as they come. Errors: a failed call upstream discards the open items; any other error
    comes after them. Cancellation: they are let go. Pressure: none of its own; the trigger sets a
    bound to what is open.
    """

    bit = 0
    calls: Calls
    _clock: Clock | None = None

    def __init__(
        self,
        run: Run,
        trigger: Trigger,
        counters: Counters,
        reporter: BatchReporter | None = None,
    ) -> None:
        self.run = run
        self._trigger = trigger
        self._asked_at = trigger.asked_at
        self._counters = counters
        self._reporter = reporter
        self._items: list[Any] = []
        self._inputs: list[Inputs] = []  # that each of them comes from
        self._ended = False
        self._ending: Exception | None = None
        if trigger.max_wait is not None:
            self._clock = Clock(run, trigger.max_wait)

    def on_next(self, value: Any) -> None:
        self._counters.in_ += 1
        items, inputs = self._items, self.run.inputs
        items.append(value)
        self._inputs.append(inputs)
        if self._reporter is not None:
            self._reporter.waits(inputs)
        if len(items) >= self._asked_at:
            self._ask()

    def on_error(self, error: Exception) -> None:
        self._end(error)

    def on_completed(self) -> None:
        self._end(None)

    def step(self) -> None:
        """Cut a batch that is due, and deal with the end of the input."""
        if self._clock is not None and self._clock.is_due and not self._ended:
            self._cut_due()
        if not self._ended:
            return
        self._ended = False
        error, self._ending = self._ending, None
        if error is not None and error is self.run.failure:
            self.cut()
        else:
            self._cut_rest()
        if self._clock is not None:
            self._clock.cancel()
        if error is None:
            self.out.on_completed()
        else:
            self.out.on_error(error)

    def cut(self) -> None:
        self._counters.cancelled += len(self._items)
        self._items, self._inputs = [], []
        self._ended = False
        self._ending = None
        if self._clock is not None:
            self._clock.cancel()

    # -- private

    def _ask(self) -> None:
        while len(self._items) >= self._asked_at:
            cut = self._trigger.cut(self._items)
            if cut is None:
                break
            self._pass_on(cut)
        if self._clock is not None and self._items:
            self._clock.start(self.bit)
            if self._clock.is_due:  # perhaps it was too small
                self.run.ready |= self.bit

    def _cut_due(self) -> None:
        cut = self._trigger.cut_due(self._items)
        if cut is None:
            return
        if self.calls.has_slot():
            self._pass_on(cut)
        else:  # it grows until a call ends
            self.run.starved |= self.bit

    def _end(self, error: Exception | None) -> None:
        self._ended = True
        self._ending = error
        self.run.ready |= self.bit

    def _cut_rest(self) -> None:
        while self._items:
            cut = self._trigger.cut_rest(self._items)
            if cut is None:
                self._drop()
            else:
                self._pass_on(cut)

    def _pass_on(self, cut: Cut) -> None:
        if self._clock is not None:
            self._clock.stop()
        size, reason = cut
        batch, inputs = self._items, self._inputs
        if size == len(batch):
            self._items, self._inputs = [], []
        else:
            self._items, self._inputs = batch[size:], inputs[size:]
            del batch[size:], inputs[size:]
        if self._reporter is not None:
            inputs = self._reporter.batch_formed(inputs, reason)
        self.run.inputs = inputs
        self.out.on_next(batch)

    def _drop(self) -> None:
        rest, inputs = self._items, self._inputs
        self._items, self._inputs = [], []
        self._counters.dropped += len(rest)
        if self._reporter is not None:
            self._reporter.dropped(inputs)
        _log.warning(
            "task %r dropped the last %d items, which are fewer than min_size=%d",
            self._counters.stage,
            len(rest),
            self._trigger.min_size,
        )


def collect(batches: Batches) -> Callable[[Observable[Any]], Observable[list[Any]]]:
    """Collect consecutive items in lists, as the trigger of `batches` says."""
    batches.run.enroll(batches)
    return lift(lambda: batches, batches.run)
