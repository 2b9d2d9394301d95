"""When is a batch cut, and why? The trigger of its stage says."""

from __future__ import annotations

from math import inf
from typing import Literal, TypeAlias

from .open_batches import OpenBatch

__all__ = ["Cut", "Trigger"]

Cut: TypeAlias = Literal["full", "weight", "wait", "window", "flush"]
"""Why a batch was cut: what probes are told.

full    it has `max_size` items
weight  it weighs `max_weight`, or the next item would have made it heavier than that
wait    it was due, and there was a slot
window  it was the oldest when open batches held more items than `max_in_flight`, or held as many
flush   no more items will come
"""


class Trigger:
    """Decides about the open batches of one stage in one run; it changes nothing.

    `min_size` is asked for where a batch could wait for more: when it is due, and at the end.
    """

    __slots__ = ("_max_weight", "_most", "max_size", "max_wait", "max_weight", "min_size", "window")

    def __init__(
        self,
        min_size: int,
        max_size: int | None,
        max_wait: float | None = None,
        max_weight: float | None = None,
    ) -> None:
        self.min_size = min_size
        self.max_size = max_size
        self.max_wait = max_wait
        self.max_weight = max_weight
        self.window: float = inf  # items that all open batches may hold, where that is bounded
        self._most = inf if max_size is None else max_size
        self._max_weight = inf if max_weight is None else max_weight

    @property
    def asked_at(self) -> float:
        """From how many items on a batch, whose items weigh nothing, is to be asked about."""
        return self._most if self.max_wait is None else 1

    def fits(self, weight: float, batch: OpenBatch) -> bool:
        """Tell whether an item of this weight may enter `batch`, which is not empty."""
        return batch.weight + weight <= self._max_weight

    def cut(self, batch: OpenBatch) -> Cut | None:
        """Say why `batch` is to be cut now, if it is: an item has just entered it."""
        if len(batch.items) >= self._most:
            return "full"
        return "weight" if batch.weight >= self._max_weight else None

    def cut_oldest(self, batch: OpenBatch, open_items: int) -> Cut | None:
        """Say why the oldest batch is to be cut now, if it is: so many items are open in all."""
        is_crowded = open_items > self.window or len(batch.items) >= self.window
        return "window" if is_crowded else None

    def cut_due(self, batch: OpenBatch) -> Cut | None:
        """Say why `batch` is to be cut, if it is, as it is due and there is a slot for it."""
        return "wait" if len(batch.items) >= self.min_size else None

    def cut_rest(self, batch: OpenBatch) -> Cut | None:
        """Say why `batch` is to be cut, if it is, as no more items will come."""
        return "flush" if len(batch.items) >= self.min_size else None
