"""How is a pipeline drawn by Mermaid?"""

from __future__ import annotations

from collections.abc import Sequence

from .._text.labels import mermaid as escaped
from ..context import PipelineContext
from ..events import StageInfo
from ._cards import Card, cards
from ._colours import FILL, INK, STRIPES

__all__ = ["mermaid"]

MOST_IN_A_ROW = 5
"""More stages would be shrunk to the width of a page; they stand below each other."""


def mermaid(stages: Sequence[StageInfo], context: PipelineContext) -> str:
    """Draw the stages as a flowchart in Mermaid's language."""
    shown = cards(stages, context)
    lines = [f"flowchart {'LR' if len(stages) <= MOST_IN_A_ROW else 'TB'}"]
    lines += [f"    n{index}{_shape(card)}" for index, card in enumerate(shown)]
    lines.append("    " + " --> ".join(f"n{index}" for index in range(len(shown))))
    for kind, colour in STRIPES.items():
        members = ",".join(f"n{index}" for index, card in enumerate(shown) if card.kind == kind)
        if members:
            lines.append(
                f"    classDef {kind} fill:{FILL},stroke:{colour},color:{INK},stroke-width:2px"
            )
            lines.append(f"    class {members} {kind}")
    return "\n".join(lines) + "\n"


def _shape(card: Card) -> str:
    text = "<br/>".join(escaped(line) for line in (card.name, *card.lines))
    return f'("{text}")' if card.kind == "port" else f'["{text}"]'
