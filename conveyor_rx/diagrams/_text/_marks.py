"""How are inputs, and what comes from them, named in as few columns as possible?"""

from __future__ import annotations

from collections.abc import Mapping

from ..._text.columns import columns, cut
from ..._text.labels import terminal
from .._recording import Marble, Recording

__all__ = ["OF_NONE", "Marks", "inputs_of"]

SYMBOLS = "0123456789abcdefghijklmnpqrstuvwyz"
"""One for each input if they are enough; no `o` and no `x`, which say something else."""
LABEL_WIDTH = 8
OF_NONE = "•"


class Marks:
    """Names what comes from the inputs of a recording: by symbols, or by numbers if it has many."""

    def __init__(self, recording: Recording) -> None:
        self.are_labels = recording.shows_labels
        """Whether marbles have labels that the user asked for."""
        self.workers = recording.workers
        """Their numbers, by their names."""
        highest = max((max(one.inputs, default=0) for one in recording.source.marbles), default=0)
        self.are_symbols = highest < len(SYMBOLS)
        self.are_letters = 9 < highest < len(SYMBOLS)

    def of(self, inputs: tuple[int, ...], room: int = 7) -> str:
        """Name one input by its mark, several by theirs or by those of the first and the last."""
        if len(inputs) < 2:
            return self._of(inputs[0]) if inputs else OF_NONE
        joined = ("" if self.are_symbols else ",").join(map(self._of, inputs[: room + 1]))
        if len(joined) <= room:
            return joined
        ends = f"{self._of(inputs[0])}…{self._of(inputs[-1])}"
        return ends if len(ends) <= room else self._of(inputs[0])

    def marble(self, marble: Marble, *, by_label: bool) -> str:
        """Name a marble: by its input, `<01>` if it comes from several, or by the user's label."""
        if by_label:
            shown = cut(terminal(marble.label), LABEL_WIDTH)
            return shown if columns(shown.strip()) else OF_NONE
        name = self.of(marble.inputs, 5)
        return f"<{name}>" if len(marble.inputs) > 1 else name

    def _of(self, number: int) -> str:
        return SYMBOLS[number] if self.are_symbols and number < len(SYMBOLS) else str(number)


def inputs_of(
    items: tuple[int, ...], inputs: tuple[int, ...], origins: Mapping[int, tuple[int, ...]]
) -> tuple[int, ...]:
    """Give the inputs of `items`, a part of what comes from `inputs`.

    `origins` says of the values that come into a lane which inputs they come from.
    """
    found = {number for item in items for number in origins.get(item, ())}
    return tuple(sorted(found)) if 0 < len(found) < len(inputs) else inputs
