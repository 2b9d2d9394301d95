"""How do docstrings become pages? Ours are plain text; Sphinx reads reStructuredText.

    `code`                          literal text
    indented after a blank line     a program, or a table in columns
    columns that are not indented   a table, too
    >>>                             an example, indented or not
    Raises:                         left to napoleon

Nothing else is markup, so that no character of a docstring surprises.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import Any

from sphinx.application import Sphinx

__all__ = ["FOR_READERS", "as_rst", "setup"]

# Of other modules the docstring is a map for those who change them.
FOR_READERS = {"conveyor_rx.events", "conveyor_rx.testing", "conveyor_rx.testing.conformance"}

CODE = re.compile(r"`([^`]+)`")
COLUMNS = re.compile(r"\S {2,}\S")
FIELD = re.compile(r"Alias for field number \d+$")
SECTION = re.compile(r"(Raises|Returns|Yields|Args):$")


def setup(app: Sphinx) -> dict[str, bool]:
    """Change docstrings before napoleon does, whose sections remain."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _process(
    _app: Sphinx, what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    for_nobody = what == "module" and name not in FOR_READERS
    if for_nobody or FIELD.match(lines[0] if lines else ""):
        lines.clear()
    if lines:
        lines[:] = as_rst(lines)


def as_rst(lines: list[str]) -> list[str]:
    """Return a docstring's lines as reStructuredText."""
    rst: list[str] = []
    literal: list[str] = []  # blocks that wait for the next one to be no longer a part of them
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        plain = textwrap.dedent(block)
        if plain.startswith(">>>"):
            rst += [*_literal(literal), *plain.splitlines(), ""]
        elif block.startswith("    ") or _is_table(plain):
            literal.append(block)
        else:
            rst += [*_literal(literal), *_prose(block), ""]
    return rst + _literal(literal)


def _is_table(block: str) -> bool:
    lines = block.splitlines()
    return len(lines) > 1 and sum(bool(COLUMNS.search(line)) for line in lines) > len(lines) / 2


def _literal(blocks: list[str]) -> list[str]:
    """Give the blocks that have come together as one, and forget them."""
    if not blocks:
        return []
    text = textwrap.dedent("\n\n".join(blocks))
    blocks.clear()
    return [
        f".. code-block:: {'python' if _is_program(text) else 'text'}",
        "",
        *textwrap.indent(text, "    ").splitlines(),
        "",
    ]


def _is_program(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _prose(block: str) -> list[str]:
    """Escape what would be markup, and mark code as such."""
    parts = CODE.split(block)
    for number, part in enumerate(parts):
        if number % 2:
            parts[number] = f"``{part}``"
        else:
            parts[number] = re.sub(r"(?m)(?<!^)\*|\||(?<=\w)_(?!\w)", r"\\\g<0>", part)
    lines = "".join(parts).splitlines()
    if SECTION.match(lines[0]):
        return ["", *lines]
    return lines
