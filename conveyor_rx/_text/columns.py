"""How many columns of a terminal does a text take?"""

from __future__ import annotations

import unicodedata

__all__ = ["columns", "cut", "fill"]


def columns(text: str) -> int:
    """Count the columns of a text of visible characters: East Asian ones take two, accents none.

    >>> columns("abc"), columns("日本"), columns("e\N{COMBINING ACUTE ACCENT}")
    (3, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, room: int) -> str:
    """Give `text`, or as much of it as fits in `room` columns with an ellipsis.

    >>> cut("abcdef", 4), cut("日本語", 4), cut("abc", 0)
    ('abc…', '日…', '')
    """
    if columns(text) <= room:
        return text
    taken = 1  # the ellipsis
    for index, char in enumerate(text):
        taken += _columns(char)
        if taken > room:
            return text[:index] + "…" if room > 0 else ""
    return text


def fill(text: str, room: int) -> str:
    """Give `text` in exactly `room` columns, cut or with blanks behind it."""
    text = cut(text, room)
    return text + " " * (room - columns(text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
