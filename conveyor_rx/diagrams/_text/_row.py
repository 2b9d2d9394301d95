"""What stands in each column of a row of text?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..._text.columns import columns, cut
from ._notes import Sign

__all__ = ["BOLD", "FAINT", "RED", "Drawing", "Row", "sparks", "style_of"]

SPARKS = "▁▂▃▄▅▆▇█"
COLOURS = (32, 178, 36, 175, 74, 166, 97, 106, 132)
"""Of inputs, in the palette of 256 colours that terminals share; legible on light and on dark."""
RED, FAINT, BOLD = "38;5;196", "38;5;245", "1"


class Row:
    """A row of `width` columns to write on; a character may take two of them."""

    def __init__(self, width: int) -> None:
        self._chars = [" "] * width
        self._styles = [""] * width

    def write(self, at: int, text: str, style: str = "") -> None:
        """Write `text` over what stands from column `at` on, as much of it as has room."""
        for char in cut(text, len(self._chars) - at):
            taken = columns(char)
            if taken == 0:
                self._chars[max(at - 1, 0)] += char
                continue
            self._chars[at : at + taken] = [char] + [""] * (taken - 1)
            self._styles[at : at + taken] = [style] * taken
            at += taken

    def text(self, *, color: bool) -> str:
        """Give the row as a line, with escape sequences for its styles if `color`."""
        if not color:
            return "".join(self._chars).rstrip()
        parts: list[str] = []
        style = ""
        for char, wanted in zip(self._chars, self._styles, strict=True):
            if wanted != style and char.strip():
                parts.append(("\x1b[0m" if style else "") + (f"\x1b[{wanted}m" if wanted else ""))
                style = wanted
            parts.append(char)
        return "".join(parts).rstrip() + ("\x1b[0m" if style else "")


@dataclass(slots=True)
class Drawing:
    """Some rows, and what the reader has to know of them."""

    rows: list[Row] = field(default_factory=list[Row])
    signs: set[Sign] = field(default_factory=set[Sign])
    most: int = 0
    """If it is drawn how many there are in each column: the highest number."""


def style_of(inputs: tuple[int, ...]) -> str:
    """Give the style of what comes from `inputs`: the colour of one, none for several."""
    return f"38;5;{COLOURS[inputs[0] % len(COLOURS)]}" if len(inputs) == 1 else ""


def sparks(numbers: Iterable[int]) -> Iterator[str]:
    """Give a bar for each number, the highest number's being the highest; a blank for none."""
    heights = list(numbers)
    most = max(heights, default=0)
    for height in heights:
        yield SPARKS[-(-height * len(SPARKS) // most) - 1] if height > 0 else " "
