"""What do all lanes of a picture share?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._axis import Axis
from ._colours import InputColours
from ._recording import Marble, Recording
from ._thinning import Detail
from ._words import inputs_name

__all__ = ["Origins", "Scene"]

Origins = Mapping[int, Marble]
"""The marbles of the lane before, by the numbers of their values."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The recording that is drawn, its time axis and its colours."""

    recording: Recording
    detail: Detail
    axis: Axis
    colours: InputColours
    now: float
    """Where that which is still open ends."""
    right: float
    """The edge that marbles stay left of."""
    rows_height: float
    """Room for the slots of a lane."""
    marble: float
    """The height of a marble."""
    levels: int
    """How many marbles may stand below each other."""

    def name_of(self, items: tuple[int, ...], inputs: tuple[int, ...], origins: Origins) -> str:
        """Give what a call with `items`, or what comes from `inputs`, is called in the picture."""
        if len(items) == 1 and items[0] in origins:
            return self.name_of_marble(origins[items[0]])
        return inputs_name(inputs)

    def name_of_marble(self, marble: Marble) -> str:
        """Give the label of a marble if the user chose it, else the number of its input."""
        if self.recording.shows_labels:
            return marble.label
        return inputs_name(marble.inputs) if marble.inputs else marble.label
