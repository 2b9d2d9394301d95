"""How do the results look at a glance? An SVG: a panel for each job, a line for each contestant.

The card has a background of its own, so it reads on any page; where the viewer prefers dark, it is
dark. All colours are literal. Axes are logarithmic: the same step is the same factor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from .contestants import OURS
from .records import Record, by_job, shown

__all__ = ["chart"]

GROUPS = {"Speed": "µs per item of input", "Makespan": "makespan over the ideal, virtual time"}
COLUMNS = 2
PANEL, LABEL, FIGURE = 440, 128, 46  # widths of a panel, of the names and of the figures in it
ROW, HEAD, MARGIN = 15, 34, 20
COLOURS = {  # class: fill in light, fill in dark
    "card": ("#ffffff", "#15181d"),
    "text": ("#1f2328", "#e6e8eb"),
    "mute": ("#656d76", "#9aa4af"),
    "grid": ("#d9dde2", "#333a43"),
    "ours": ("#c2410c", "#fb923c"),
    "peer": ("#2563eb", "#7aa7ff"),
    "hand": ("#6b7280", "#a3abb6"),
}


def chart(records: list[Record]) -> str:
    """Return the SVG."""
    jobs = by_job(records)
    body: list[str] = []
    y = MARGIN
    for group, caption in GROUPS.items():
        rows = [row for (of, _), row in jobs.items() if of == group]
        if not rows:
            continue
        axis = _Axis([value for row in rows for value in _values(row)])
        body.append(_text(MARGIN, y + 16, f"{group}: {caption}", "text", size=16, bold=True))
        body.append(_text(MARGIN, y + 33, "log scale; further left is better", "mute", size=12))
        y += 46
        for number in range(0, len(rows), COLUMNS):
            beside = rows[number : number + COLUMNS]
            for column, row in enumerate(beside):
                body += _panel(MARGIN + column * (PANEL + MARGIN), y, row, axis)
            y += HEAD + ROW * max(map(len, beside)) + 14
        y += 10
    width = MARGIN + COLUMNS * (PANEL + MARGIN)
    return _document(width, y + MARGIN, body)


class _Axis:
    """Where on a logarithmic scale a value stands, in pixels."""

    def __init__(self, values: list[float]) -> None:
        positive = [value for value in values if value > 0] or [1.0]
        self.low = math.log10(min(positive)) - 0.08
        self.span = max(math.log10(max(positive)) - self.low, 0.3)
        self.width = PANEL - LABEL - FIGURE

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.low) / self.span if value > 0 else 0
        return max(0.0, share * self.width)

    def ticks(self) -> Iterator[float]:
        """Yield round values on the axis: the powers of ten, and on a short axis 2 and 5 times."""
        steps = (1, 2, 5) if self.span < 1.5 else (1,)
        for power in range(math.floor(self.low), math.ceil(self.low + self.span)):
            for value in (step * 10.0**power for step in steps):
                if self.low <= math.log10(value) <= self.low + self.span:
                    yield value


def _panel(x: float, y: float, row: list[Record], axis: _Axis) -> list[str]:
    left, top = x + LABEL, y + HEAD - 8
    parts = [_text(x, y + 12, row[0]["job"], "text", size=13, bold=True)]
    for value in axis.ticks():
        at = left + axis(value)
        bottom = top + ROW * len(row)
        parts.append(_line(at, top, at, bottom, "grid", 1))
        parts.append(_text(at, top - 2, f"{value:g}", "mute", size=9, anchor="middle"))
    for number, record in enumerate(row):
        middle = top + ROW * (number + 0.5)
        kind = _kind(record["contestant"])
        name = "text" if kind == "ours" else "mute"
        parts.append(
            _text(
                left - 8, middle + 4, record["contestant"], name, anchor="end", bold=kind == "ours"
            )
        )
        parts += _mark(left, middle, record, kind, axis)
    return parts


def _mark(left: float, middle: float, record: Record, kind: str, axis: _Axis) -> list[str]:
    if record["median"] is None:
        return [_text(left + 6, middle + 4, record["reason"] or "", "mute", size=10, italic=True)]
    at = left + axis(record["median"])
    figure = _text(at + 8, middle + 4, shown(record["median"]), "text", bold=kind == "ours")
    dot = (
        f'<circle cx="{at:.1f}" cy="{middle:.1f}" r="4" fill="{COLOURS[kind][0]}" class="{kind}"/>'
    )
    return [_line(left, middle, at, middle, kind, 2), dot, figure]


def _kind(contestant: str) -> str:
    if contestant.startswith(OURS):
        return "ours"
    return "hand" if contestant.startswith("by hand") else "peer"


def _values(row: list[Record]) -> list[float]:
    return [record["median"] for record in row if record["median"] is not None]


def _text(
    x: float, y: float, text: str, kind: str, *,
    size: int = 11, anchor: str = "start", bold: bool = False, italic: bool = False,
) -> str:  # fmt: skip
    style = ' font-weight="600"' * bold + ' font-style="italic"' * italic
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{style} '
        f'fill="{COLOURS[kind][0]}" class="{kind}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, width: int) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{COLOURS[kind][0]}" stroke-width="{width}" class="{kind}-line"/>'
    )


def _document(width: float, height: float, body: list[str]) -> str:
    dark = "".join(
        f".{kind}{{fill:{colour}}}.{kind}-line{{stroke:{colour}}}"
        for kind, (_, colour) in COLOURS.items()
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" '
            'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
            "<title>conveyor_rx beside its peers</title>",
            f"<style>@media (prefers-color-scheme: dark){{{dark}}}</style>",
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" '
            f'fill="{COLOURS["card"][0]}" class="card"/>',
            *body,
            "</svg>\n",
        ]
    )
