"""How many items of a stage went where? They are counted while its run goes on."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .._stats import StageStats


__all__ = ["Ahead", "Counters", "Holder"]


class Holder(Protocol):
    """A part of a stage in which items wait."""

    def waiting_for(self) -> Mapping[str, int]:
        """Give how many items wait here for what else than a slot."""
        ...


class Ahead(Protocol):
    """Who makes calls for one item with one output each, and counts them later."""

    def of(self, counters: Counters) -> tuple[int, int]:
        """Give how many items have come in, and how many calls have ended, since it has counted."""
        ...


class Counters:
    """The counters of one stage while its run goes on."""

    __slots__ = (
        "ahead",  # who makes calls that are not counted yet, if somebody does
        "cancelled",
        "completed",
        "dead_lettered",
        "dropped",
        "dropped_outputs",
        "failed",
        "holders",  # without holding them: counters are read when the run is gone
        "in_",
        "ones",  # completed calls for one item that gave one output: the most frequent kind
        "out",  # of all other calls, as `completed`
        "retried",
        "running",
        "skipped",
        "skipping",  # items on the way there: their dead letters are being written
        "stage",
        "timed_out",
        "waiting_for_rate",  # these three: of calls that have begun, and are not counted as running
        "waiting_for_retry",
        "waiting_for_room",
    )

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.in_ = self.out = self.completed = self.failed = self.retried = 0
        self.skipped = self.dropped = self.dropped_outputs = self.cancelled = self.running = 0
        self.ones = self.dead_lettered = self.skipping = self.timed_out = 0
        self.waiting_for_rate = self.waiting_for_retry = self.waiting_for_room = 0
        self.ahead: Ahead | None = None
        self.holders: list[Callable[[], Holder | None]] = []

    def add_holder(self, holder: Holder) -> None:
        """Ask `holder`, too, how many items wait, as long as it is there."""
        self.holders.append(weakref.ref(holder))

    @property
    def settled(self) -> int:
        """Items of which it is known what became of them."""
        given_up = self.failed + self.skipped + self.dropped + self.cancelled
        return self.ones + self.completed + given_up

    def snapshot(self) -> StageStats:
        """Return the numbers as they are now."""
        from .._stats import StageStats

        values = {name: getattr(self, name) for name in self.__slots__}
        begun, ended = self.ahead.of(self) if self.ahead is not None else (0, 0)
        ones = values.pop("ones") + ended
        del values["skipping"], values["holders"], values["ahead"]
        values["in_"] += begun
        values["completed"] += ones
        values["out"] += ones
        waiting = values["waiting"] = self.in_ + begun - self.settled - ended - self.running
        for holder in filter(None, (reference() for reference in self.holders)):
            for reason, number in holder.waiting_for().items():
                name = f"waiting_for_{reason}"
                values[name] = values.get(name, 0) + number
        queued = values.get("waiting_for_worker", 0)  # these are counted as running, too
        waiting += queued
        values["waiting"], values["running"] = waiting, values["running"] - queued
        known = sum(number for name, number in values.items() if name.startswith("waiting_for_"))
        return StageStats(**values, waiting_for_slot=waiting - known)
