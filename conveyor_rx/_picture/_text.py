"""How is a pipeline drawn in a terminal? As boxes in rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._text.columns import columns, cut, fill
from ..context import PipelineContext
from ..events import StageInfo
from ._cards import Card, cards

__all__ = ["text"]

ARROW = " ─▶ "
BLANK = " " * len(ARROW)
LEAST_WIDTH = 20


def text(stages: Sequence[StageInfo], context: PipelineContext, *, width: int = 100) -> str:
    """Draw the stages in boxes, as many in a row as fit in `width` columns."""
    width = max(width, LEAST_WIDTH)
    boxes = [_box(card, width - 2 * len(ARROW)) for card in cards(stages, context)]
    rows = list(_rows(boxes, width))
    lines: list[str] = []
    for index, row in enumerate(rows):
        lines += _joined(row, is_first=index == 0, is_last=index == len(rows) - 1)
    return "\n".join(lines)


def _box(card: Card, room: int) -> list[str]:
    """Draw a card, its name in the second line; all lines have the same number of columns."""
    words = [cut(line, room - 4) for line in (card.name, *card.lines)]
    inner = max(map(columns, words))
    if card.kind in ("port", "rest"):
        return [" " * inner, *(fill(line, inner) for line in words)]
    edge = "─" * (inner + 2)
    return [f"╭{edge}╮", *(f"│ {fill(line, inner)} │" for line in words), f"╰{edge}╯"]


def _rows(boxes: list[list[str]], width: int) -> Iterator[list[list[str]]]:
    row: list[list[str]] = []
    taken = 0
    for box in boxes:
        needed = columns(box[0]) + len(ARROW)
        if row and taken + needed + len(ARROW) > width:
            yield row
            row, taken = [], len(ARROW)
        row.append(box)
        taken += needed
    yield row


def _joined(row: list[list[str]], *, is_first: bool, is_last: bool) -> Iterator[str]:
    for number in range(max(map(len, row))):
        joint = ARROW if number == 1 else BLANK
        parts = [box[number] if number < len(box) else " " * columns(box[0]) for box in row]
        line = ("" if is_first else joint) + joint.join(parts) + ("" if is_last else joint)
        yield line.rstrip()
