"""How much of a run does a picture show? All of a short one; of a long one some, and it says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ._recording import Lane, Marble, Recording

__all__ = ["Detail", "detail_of"]

PIXELS_A_MARBLE = 16.0
"""With fewer for each marble on average, not all are drawn."""
PIXELS_A_SAMPLE = 22.0
MAX_STAGES = 60
AIRY_STAGES = 12
"""With more stages the lanes are made lower."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What is drawn in full."""

    every: int
    """The inputs whose number is a multiple of it; 1: all."""
    every_of_lane: dict[int, int]
    """Lanes, by index, of whose marbles only each so manieth of those is."""
    lanes: tuple[int, ...]
    """The indexes of the lanes that are drawn; where there is a gap, a line says so."""
    is_compact: bool

    @property
    def is_thinned(self) -> bool:
        """Whether not all marbles are drawn."""
        return self.every > 1 or bool(self.every_of_lane)

    def shows(self, inputs: tuple[int, ...]) -> bool:
        """Say whether what comes from `inputs` is drawn in full."""
        every = self.every
        return every == 1 or not inputs or any(number % every == 0 for number in inputs)

    def shown(self, index: int, lane: Lane) -> list[Marble]:
        """Give the marbles of a lane that are drawn in full."""
        marbles = [marble for marble in lane.marbles if self.shows(marble.inputs)]
        return marbles[:: self.every_of_lane.get(index, 1)]


def detail_of(recording: Recording, room: float) -> Detail:
    """Decide what is drawn of a recording in `room` pixels of time axis."""
    lanes = recording.lanes
    count = len(lanes)
    indexes = tuple(range(count))
    if count - 2 > MAX_STAGES:
        indexes = (*indexes[: MAX_STAGES // 2 + 1], *indexes[-MAX_STAGES // 2 :])
    begun = _begun(recording)
    marbles = max(begun, len(lanes[-1].marbles))
    every, most = 1, room / PIXELS_A_MARBLE
    if marbles > most:
        most = room / PIXELS_A_SAMPLE
        every = next(step for step in _round_steps() if begun / step <= most)
    every_of_lane: dict[int, int] = {}
    detail = Detail(every, every_of_lane, indexes, count - 2 > AIRY_STAGES)
    for index in indexes:
        shown = sum(detail.shows(marble.inputs) for marble in lanes[index].marbles)
        if shown > room / PIXELS_A_MARBLE:
            every_of_lane[index] = -int(-shown // (room / PIXELS_A_SAMPLE))
    return detail


def _begun(recording: Recording) -> int:
    """Give how many items came further than the source, which may be pulled far ahead."""
    source, first = recording.lanes[:2]
    if first.kind not in ("single_task", "batch_task"):
        return len(source.marbles)
    return sum(len(call.items) for call in first.calls)


def _round_steps() -> Iterator[int]:
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
