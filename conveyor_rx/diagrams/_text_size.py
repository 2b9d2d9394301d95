"""How wide is a text in a picture that is drawn without knowing its font?

The widths are those of DejaVu Sans, the widest of the usual fonts: what fits in it fits in others.
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache

__all__ = ["cut", "width_of"]

NARROW = 0.36
"""Of i, l, j, punctuation and blanks, in ems; the others likewise."""
LETTER = 0.63
CAPITAL = 0.75
BROAD = 0.96
FULL = 1.05
"""Of East Asian characters and signs that are drawn as pictures."""
MONO = 0.603
BOLD = 1.1


def width_of(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """Give a width, in pixels, that `text` stays within at a font size of `size`."""
    ems = math.fsum(_width(char, mono) for char in text)  # `sum` is another one from 3.12 on
    return ems * size * (BOLD if bold and not mono else 1.0)


def cut(text: str, room: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """Give `text`, or as much of it as fits in `room` pixels with an ellipsis; perhaps nothing."""
    if width_of(text, size, bold=bold, mono=mono) <= room:
        return text
    room -= width_of("…", size, bold=bold, mono=mono)
    kept = 0
    for char in text:
        room -= width_of(char, size, bold=bold, mono=mono)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…" if kept else ""


@lru_cache(maxsize=4096)
def _width(char: str, mono: bool) -> float:
    if unicodedata.east_asian_width(char) in "WF" or char > "\uffff":
        return FULL
    if mono:
        return MONO
    if char in "iljI.,:;'|!()[]{} ·`":
        return NARROW if char not in "()[]{}" else 0.42
    if char in "mwMW%@…—✕":
        return BROAD
    return CAPITAL if char.isupper() else LETTER
