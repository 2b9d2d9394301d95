"""Of which items are details kept? Of the first ones; what comes later is only counted."""

from __future__ import annotations

from typing import Any

from ._recording import Recording

__all__ = ["Bounds"]

RECORDS_AN_ITEM = 4
"""How many records of a kind a lane may keep for each of `max_items`: for fan-out and retries."""


class Bounds:
    """Says what is kept in one recording, and notes there how far the details go."""

    __slots__ = ("_max_items", "_recording", "max_records")

    def __init__(self, recording: Recording, max_items: int) -> None:
        self._recording = recording
        self._max_items = max_items
        self.max_records = max_items * RECORDS_AN_ITEM

    def keeps(self, inputs: tuple[int, ...], records: list[Any], now: float) -> bool:
        """Say whether details of what comes from `inputs` are kept, as another of `records`."""
        recording = self._recording
        if len(records) < self.max_records:
            if not inputs:
                recording.last_detail = now
                return True
            first = last = inputs[0]
            if len(inputs) > 1:
                first, last = min(inputs), max(inputs)
            if first < self._max_items:
                recording.last_detail = now
                if last >= recording.kept:
                    recording.kept = min(last + 1, self._max_items)
                return True
        recording.is_cut = True
        return False

    def goes_on(self, inputs: tuple[int, ...], now: float) -> None:
        """Let the details of what comes from `inputs`, if it has any, last until now at least."""
        most = self._max_items
        if not inputs or inputs[0] < most or min(inputs) < most:
            self._recording.last_detail = now
