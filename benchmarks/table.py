"""How do the results look as text? Tables that fit a terminal and, in Markdown, the README."""

from __future__ import annotations

from collections.abc import Sequence

from .contestants import CONTESTANTS, OURS
from .goals import Goal
from .records import Record, by_job, shown

__all__ = ["goal_table", "result_tables"]


def result_tables(records: list[Record], *, markdown: bool) -> str:
    """Return a table for each group: jobs down, contestants across, reasons below."""
    groups: dict[str, list[list[Record]]] = {}
    for (group, _), row in by_job(records).items():
        groups.setdefault(group, []).append(row)
    return "\n\n".join(_group(name, rows, markdown) for name, rows in groups.items())


def goal_table(found: list[Goal], *, markdown: bool) -> str:
    """Return the goals, what came out, and whether that is enough."""
    head = ["job", "measure", "goal", "measured", ""]
    return _table([head, *map(list, (goal.words for goal in found))], markdown, left=2)


def _group(name: str, rows: list[list[Record]], markdown: bool) -> str:
    present = {record["contestant"] for row in rows for record in row}
    columns = [contestant for contestant in CONTESTANTS if contestant in present]
    reasons: dict[str, str] = {}
    lines = [["", *(_head(column, markdown) for column in columns)]]
    for row in rows:
        found = {record["contestant"]: _cell(record, reasons, markdown) for record in row}
        lines.append([row[0]["job"], *(found.get(column, "") for column in columns)])
    units = {row[0]["unit"] for row in rows}
    title = name
    if len(units) == 1:
        title += f" ({units.pop()})"
    else:
        for line, row in zip(lines[1:], rows, strict=True):
            line[0] += f" ({row[0]['unit']})"
    parts = [f"### {title}" if markdown else title, _table(lines, markdown)]
    if reasons:
        parts.append("; ".join(f"{mark}: {reason}" for reason, mark in reasons.items()))
    return "\n\n".join(parts) if markdown else "\n".join(parts)


def _head(contestant: str, markdown: bool) -> str:
    return f"**{contestant}**" if markdown and contestant == OURS else contestant


def _cell(record: Record, reasons: dict[str, str], markdown: bool) -> str:
    if record["median"] is None:
        reason = record["reason"] or "not measured"
        return reasons.setdefault(reason, _letter(len(reasons)))
    figure = shown(record["median"])
    return f"**{figure}**" if markdown and record["contestant"] == OURS else figure


def _letter(number: int) -> str:
    return "(" + "abcdefghijklmnopqrstuvwxyz"[number % 26] * (number // 26 + 1) + ")"


def _table(rows: Sequence[Sequence[str]], markdown: bool, *, left: int = 1) -> str:
    """Lay out the rows, of which the first is the head; `left` columns are words."""
    if markdown:
        rule = ["---" if number < left else "--:" for number in range(len(rows[0]))]
        head, *body = rows
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *body])
    words = [_wrapped(cell) for cell in rows[0]]
    height = max(map(len, words))
    heads = [[cell[n] if n < len(cell) else "" for cell in words] for n in range(height)]
    lines = [*heads, *rows[1:]]
    widths = [max(len(row[column]) for row in lines) for column in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([*map(line, heads), rule, *map(line, rows[1:])])


def _wrapped(head: str) -> list[str]:
    for mark in ("-", ": ", ", ", "_"):
        if len(head) > 9 and mark in head:
            first, rest = head.split(mark, 1)
            return [first + mark.strip(), rest]
    return [head]
