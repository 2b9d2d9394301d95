"""In which column of a text does an instant lie?"""

from __future__ import annotations

from .._axis import Axis
from ._row import FAINT, Row

__all__ = ["Scale"]

PIXELS = 7.0
"""Of a column, for the axis, which is made for pixels."""


class Scale:
    """A time axis of `width` columns for `span` seconds."""

    def __init__(self, width: int, span: float) -> None:
        self.width = width
        self.span = span
        # Room behind the last instant, for what stands side by side there.
        self._room = max(width - 1 - width // 16, 1)

    def column(self, instant: float | None) -> int:
        """Give the column of an instant; None is now, the end of the axis."""
        if self.span <= 0:
            return 0
        share = 1.0 if instant is None else min(max(instant / self.span, 0.0), 1.0)
        return round(share * self._room)

    def ticks(self) -> Row:
        """Write round instants, each from its column on."""
        row = Row(self.width)
        free = 0
        for x, text in Axis(0, self._room * PIXELS, self.span).ticks():
            at = round(x / PIXELS)
            if free <= at <= self.width - len(text):
                row.write(at, text, FAINT)
                free = at + len(text) + 1
        return row
