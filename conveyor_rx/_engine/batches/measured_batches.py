"""Which batch does an item enter, where items have weights or keys? And which are cut for it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._inputs import Inputs
from ..counters import Counters
from ..run import Run
from .batches import Batches
from .measures import Measures
from .open_batches import OpenBatch, OpenBatches
from .trigger import Trigger

if TYPE_CHECKING:
    from ..observing.reporter import BatchReporter

__all__ = ["MeasuredBatches"]


class _Measured(NamedTuple):
    """An item that may enter a batch: `batch`, or else a new one of its key."""

    weight: float
    batch: OpenBatch | None
    key: Any
    key_hash: int


class MeasuredBatches(Batches):
    """The open items of one batch task with `weight` or `group_by`, in a batch for each key.

    Order: batches are passed on as they are cut. Errors: an item that has no weight or no key is
    refused: it fails behind the batches that were cut before; else as `Batches`. Cancellation: as
    there. Pressure: open batches hold at most a window of items; past that the oldest is cut.
    """

    refuse: Callable[[list[Any], Inputs, BaseException], None]
    """Takes a list of one item that can be in no batch, what it comes from, and why."""

    def __init__(
        self,
        run: Run,
        trigger: Trigger,
        counters: Counters,
        reporter: BatchReporter | None,
        measures: Measures,
    ) -> None:
        super().__init__(run, trigger, counters, reporter)
        self._measures = measures
        self._open = OpenBatches()
        if measures.group_by is not None or trigger.max_size is None:
            trigger.window = run.max_in_flight

    keeps_order = False  # groups are cut in any order, and what is refused waits for no batch

    def held(self) -> list[Inputs]:
        if self.is_sorted:
            return super().held()
        return [each for batch in self._open for each in batch.inputs]

    def waiting_for(self) -> Mapping[str, int]:
        return {"batch": self._open.size}

    def on_next(self, value: Any) -> None:
        self._counters.in_ += 1
        inputs = self.run.inputs
        try:  # in a context of its own, as calls are
            measured = self.run.context.copy().run(self._measure, value)
        except (KeyboardInterrupt, SystemExit):
            self._counters.failed += 1
            raise
        except BaseException as error:
            self.refuse([value], inputs, error)
            return
        if self.upstream is None:  # one of the functions has closed the run
            self._counters.cancelled += 1
        else:
            self._enter(value, inputs, measured)

    # -- private

    def _measure(self, item: Any) -> _Measured:
        """Ask all that is users' code, before anything changes."""
        key, key_hash = self._measures.key_of(item)
        weight = self._measures.weight_of(item)
        return _Measured(weight, self._open.find(key, key_hash), key, key_hash)

    def _enter(self, item: Any, inputs: Inputs, measured: _Measured) -> None:
        weight, batch, key, key_hash = measured
        too_heavy = None
        if batch is not None and not self._trigger.fits(weight, batch):
            too_heavy, batch = batch, None
            self._take(too_heavy)
        if batch is None:
            batch = self._begin(OpenBatch(key, key_hash))
        self._open.add(batch, item, inputs, weight)
        if self._reporter is not None:
            if too_heavy is not None:  # a probe may ask what is settled: neither of these
                self.run.inputs = [inputs, too_heavy.inputs]
            self._reporter.waits(inputs)
        # The item is where it belongs: whatever closes the run from here on lets go of it, too.
        if too_heavy is not None:
            self._pass_on(too_heavy, "weight")
        self._ask(batch)
        while (oldest := self._open.oldest) is not None:
            cut = self._trigger.cut_oldest(oldest, self._open.size)
            if cut is None:
                break
            self._cut(oldest, cut)

    def _oldest(self) -> OpenBatch | None:
        return self._open.oldest

    def _take(self, batch: OpenBatch) -> None:
        self._open.remove(batch)
        if self._clock is not None:
            self._clock.stop(batch)
