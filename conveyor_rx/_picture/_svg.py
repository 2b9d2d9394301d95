"""How is a pipeline drawn as SVG? As boxes in rows, arrows between them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._text.labels import xml
from ..context import PipelineContext
from ..events import StageInfo
from ._cards import Card, cards, title
from ._colours import ARROW, DARK, FILL, INK, MUTED, STRIPES

__all__ = ["svg"]

WIDTH = 920.0
"""Pixels that a row may take: about a notebook's cell."""
MARGIN = 4.0
GAP = 34.0
"""Between boxes, for an arrow."""
ROW_GAP = 30.0
INDENT = 12.0
"""From the box's edge to its text."""
NAME_SIZE = 14.0
LINE_SIZE = 11.5
LINE_HEIGHT = 16.0
HEAD_HEIGHT = 30.0
"""Of the part with the name; arrows point to its middle."""
MONOSPACE = 0.62
"""Ems of a character in the widest of the usual fonts, with some room."""
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

# Literal colours stand in attributes; converters may ignore the style sheet.
_CLASSES = {light: f"cvrx-card-{light[1:]}" for light in DARK}
_RULES = "".join(f".{_CLASSES[light]}{{fill:{dark}}}" for light, dark in DARK.items())
_STYLE = f"<style>@media (prefers-color-scheme:dark){{{_RULES}}}</style>"


@dataclass(frozen=True, slots=True)
class _Box:
    card: Card
    width: float
    height: float


def svg(stages: Sequence[StageInfo], context: PipelineContext) -> str:
    """Draw the stages; the texts stand on boxes, so that any background will do.

    The boxes are light or dark as the page around the picture is.
    """
    rows = list(_rows([_box(card) for card in cards(stages, context)]))
    shapes: list[str] = []
    top, width = MARGIN, 0.0
    for index, row in enumerate(rows):
        height = max(box.height for box in row)
        left = MARGIN + (GAP if index else 0.0)
        for number, box in enumerate(row):
            if number:
                shapes.append(_arrow([(left - GAP, top), (left, top)]))
            shapes.append(_drawn(box, left, top, height))
            left += box.width + GAP
        end = left - GAP
        if index < len(rows) - 1:
            shapes.append(_turn(end, top, top + height + ROW_GAP))
            end += GAP / 2
        width = max(width, end)
        top += height + ROW_GAP
    size = f"{width + MARGIN:.0f}", f"{top - ROW_GAP + MARGIN:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}"'
        f' viewBox="0 0 {size[0]} {size[1]}" role="img" font-family="{xml(FONT)}"'
        f' font-size="{LINE_SIZE:g}"><title>{xml(title(stages))}</title>{_STYLE}'
        f"{''.join(shapes)}</svg>\n"
    )


def _box(card: Card) -> _Box:
    sizes = [_width(card.name, NAME_SIZE), *(_width(line, LINE_SIZE) for line in card.lines)]
    lines = len(card.lines) * LINE_HEIGHT + (6.0 if card.lines else 0.0)
    return _Box(card, 2 * INDENT + max(sizes), HEAD_HEIGHT + lines)


def _rows(boxes: list[_Box]) -> Iterator[list[_Box]]:
    row: list[_Box] = []
    taken = 0.0
    for box in boxes:
        if row and taken + box.width + GAP > WIDTH:
            yield row
            row, taken = [], GAP
        row.append(box)
        taken += box.width + GAP
    yield row


def _drawn(box: _Box, left: float, top: float, height: float) -> str:
    """Draw a box; those of a row are equally high."""
    colour = STRIPES[box.card.kind]
    is_port = box.card.kind in ("port", "rest")
    if is_port:
        height = box.height
    radius = HEAD_HEIGHT / 2 if is_port else 5
    x, bold = f"{left + INDENT:.1f}", "" if is_port else ' font-weight="bold"'
    parts = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{height:.1f}"'
        f' rx="{radius:g}" {_filled(FILL)} stroke="{colour}" stroke-width="1.5"/>',
        f'<text x="{x}" y="{top + 20:.1f}" font-size="{NAME_SIZE:g}"{bold} {_filled(INK)}>'
        f"{xml(box.card.name)}</text>",
    ]
    for index, line in enumerate(box.card.lines):
        y = top + HEAD_HEIGHT + 9 + index * LINE_HEIGHT
        parts.append(f'<text x="{x}" y="{y:.1f}" {_filled(MUTED)}>{xml(line)}</text>')
    if not is_port:
        parts.append(
            f'<path d="M{left + 2.5:.1f} {top + 3:.1f}v{height - 6:.1f}" stroke="{colour}"'
            ' stroke-width="5"/>'
        )
    return "".join(parts)


def _filled(colour: str) -> str:
    return f'class="{_CLASSES[colour]}" fill="{colour}"'


def _turn(left: float, top: float, next_top: float) -> str:
    """Draw the arrow from the end of a row to the beginning of the next."""
    right, near = left + GAP / 2, MARGIN + GAP / 4
    between = next_top - (ROW_GAP + HEAD_HEIGHT) / 2
    down = [(left, top), (right, top), (right, between)]
    return _arrow([*down, (near, between), (near, next_top), (MARGIN + GAP, next_top)])


def _arrow(points: list[tuple[float, float]]) -> str:
    """Draw a line along `points`, given as the tops of the boxes that it joins, with a head."""
    y = HEAD_HEIGHT / 2
    line = " ".join(f"{left:.1f},{top + y:.1f}" for left, top in points)
    left, top = points[-1]
    head = f"M{left - 9:.1f} {top + y - 4.5:.1f}l8 4.5l-8 4.5z"
    return (
        f'<polyline points="{line}" fill="none" stroke="{ARROW}" stroke-width="1.5"'
        f' stroke-linejoin="round"/><path d="{head}" fill="{ARROW}"/>'
    )


def _width(text: str, size: float) -> float:
    """Estimate pixels; of East Asian characters and emoji two columns."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return (len(text) + wide) * size * MONOSPACE
