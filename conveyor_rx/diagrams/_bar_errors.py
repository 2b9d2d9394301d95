"""Where is written what a call failed with, if its bar is too short for that?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ._shapes import Bar, Retry, Text, Wait
from ._text_size import width_of

__all__ = ["errors_beside", "short_error"]

SIZE = 8.5
GAP = 3.0


def short_error(name: str) -> str:
    """Leave out what the names of most types of exceptions end with.

    >>> short_error("TimeoutError"), short_error("Exception")
    ('Timeout', 'Exception')
    """
    return name.removesuffix("Error").removesuffix("Exception") or name


def errors_beside(
    bars: Sequence[Bar], waits: Mapping[int, Retry | Wait], left: float, right: float, y: float
) -> list[Text]:
    """Write behind bars of a row or before them, as far as there is room from `left` to `right`.

    The waits, by the number of bars that stand before them, make room.
    """
    texts: list[Text] = []
    edge = left
    for index, bar in enumerate(bars):
        end = bar.x + bar.width
        next_x = right if index + 1 == len(bars) else bars[index + 1].x
        for text in (bar.error, short_error(bar.error)) if bar.error else ():
            width = width_of(text, SIZE)
            if end + width + 2 * GAP <= next_x:
                x = end + GAP
                if index + 1 in waits:
                    wait = waits[index + 1]
                    wait.x1 = min(x + width + GAP, wait.x2)
            elif edge + width + 2 * GAP <= bar.x:
                x = bar.x - GAP - width
                if index in waits:
                    wait = waits[index]
                    wait.x2 = max(x - GAP, wait.x1)
            else:
                continue
            texts.append(Text(x, y, text, SIZE, "error"))
            edge = x + width
            break
        edge = max(edge, end)
    return texts
