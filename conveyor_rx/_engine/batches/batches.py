"""How do items become batches? They stay open here until the trigger of the stage cuts them.

Here all items go into one open batch, as they come. Where they have weights or keys,
`measured_batches.py` says which batch an item enters; the rest is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..._inputs import Inputs
from ..counters import Counters
from ..run import Run
from ..subscriber import Subscriber
from .open_batches import OpenBatch
from .trigger import Cut, Trigger

if TYPE_CHECKING:
    from ..observing.reporter import BatchReporter
    from .clock import Clock

__all__ = ["Batches"]

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
    keeps_order = True  # a batch is what came first; lines behind are sorted as those before
    is_sorted = False  # so is what is open here
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
        counters.add_holder(self)
        self._batch: OpenBatch | None = None  # the only one that is open, if it has items
        self._rests = self._rest_items = 0  # that were too small, and how many items they had
        self._ended = False
        self._ending: Exception | None = None
        if trigger.max_wait is not None:
            from .clock import Clock

            self._clock = Clock(run, trigger.max_wait)

    def held(self) -> list[Inputs]:
        """Give what the open items come from; where they are sorted, the first."""
        batch = self._oldest()
        if batch is None:
            return []
        return batch.inputs[:1] if self.is_sorted else batch.inputs

    def waiting_for(self) -> Mapping[str, int]:
        """Give how many items are open, by what they wait for; from any thread."""
        batch = self._batch
        return {"batch": len(batch.items) if batch is not None else 0}

    def on_next(self, value: Any) -> None:
        self._counters.in_ += 1
        batch, inputs = self._batch, self.run.inputs
        if batch is None:
            batch = self._batch = self._begin(OpenBatch())
        items = batch.items
        items.append(value)
        batch.inputs.append(inputs)
        if self._reporter is not None:
            self._reporter.waits(inputs)
        if len(items) >= self._asked_at:
            self._ask(batch)

    def on_error(self, error: Exception) -> None:
        self._end(error)

    def on_completed(self) -> None:
        self._end(None)

    def step(self) -> None:
        """Cut a batch that is due, or deal with the end of the input."""
        if self._ended:
            self._step_to_end()
        elif self._clock is not None:
            self._cut_due(self._clock)

    def cut(self) -> None:
        while (batch := self._oldest()) is not None:
            self._take(batch)
            self.run.lose(batch.inputs)
            self._counters.cancelled += batch.let_go()
        self._stop()

    # -- which batches are open: overridden where there may be several

    def _oldest(self) -> OpenBatch | None:
        return self._batch

    def _take(self, batch: OpenBatch) -> None:
        """Take out an open batch: it gets no more items."""
        self._batch = None
        if self._clock is not None:
            self._clock.stop(batch)

    # -- private

    def _begin(self, batch: OpenBatch) -> OpenBatch:
        """Take note that the first item of `batch` comes."""
        if self._clock is not None:
            self._clock.start(batch, self.bit)
        return batch

    def _ask(self, batch: OpenBatch) -> None:
        """Cut `batch`, which an item has entered, if it is to be; a probe may have let it go."""
        cut = self._trigger.cut(batch)
        if cut is not None:
            self._cut(batch, cut)
        elif batch.is_due and self._trigger.cut_due(batch):  # perhaps it was too small
            self.run.ready |= self.bit

    def _cut_due(self, clock: Clock) -> None:
        """Cut the oldest batch that is due and large enough, if there is a slot for it."""
        run = self.run
        for batch in clock.due:
            cut = self._trigger.cut_due(batch)
            if cut is None:
                continue
            if self.calls.has_slot():
                if len(clock.due) > 1:
                    run.ready |= self.bit
                self._cut(batch, cut)
            else:  # it grows until a call ends
                run.starved |= self.bit
            return

    def _end(self, error: Exception | None) -> None:
        self._ended = True
        self._ending = error
        self.run.ready |= self.bit

    def _step_to_end(self) -> None:
        """Cut what is open, the oldest first, as long as it is our turn; then pass on the end."""
        run, error = self.run, self._ending
        while (batch := self._oldest()) is not None:
            if error is not None and error is run.failure:
                self.cut()
                break
            cut = self._trigger.cut_rest(batch)
            if cut is None:
                self._drop(batch)
            else:
                self._cut(batch, cut)
            if self._oldest() and (run.ready >= 2 * self.bit or run.clock() > run.deadline):
                run.ready |= self.bit
                return
        self._stop()
        if error is None:
            self.out.on_completed()
        else:
            self.out.on_error(error)

    def _stop(self) -> None:
        """Nothing is open any more, and nothing will be."""
        self._ended = False
        self._ending = None
        if self._clock is not None:
            self._clock.cancel()
        if self._rests:
            self._log_rests()

    def _cut(self, batch: OpenBatch, cut: Cut) -> None:
        self._take(batch)
        self._pass_on(batch, cut)

    def _pass_on(self, batch: OpenBatch, cut: Cut) -> None:
        """Pass on a batch that was taken out; what follows from that may close the run."""
        run = self.run
        run.inputs = batch.inputs
        if self._reporter is not None:
            run.inputs = self._reporter.batch_formed(batch.inputs, cut)
        self.out.on_next(batch.items)

    def _drop(self, batch: OpenBatch) -> None:
        self._take(batch)
        if self.run.is_cut_short:  # with more items, it would have been a batch
            self.run.lose(batch.inputs)
        if self._reporter is not None:
            self._reporter.dropped(batch.inputs)
        size = batch.let_go()
        self._counters.dropped += size
        self._rests += 1
        self._rest_items += size

    def _log_rests(self) -> None:
        which = "which are" if self._rests == 1 else f"of {self._rests} groups, in each of them"
        _log.warning(
            "task %r dropped the last %d items, %s fewer than min_size=%d",
            self._counters.stage,
            self._rest_items,
            which,
            self._trigger.min_size,
        )
        self._rests = 0
