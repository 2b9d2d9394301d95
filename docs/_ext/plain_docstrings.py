"""How do docstrings become pages? Ours are plain text; Sphinx reads reStructuredText.

    `code`                          literal text
    lines in columns                a table
    indented after a blank line     a program, or text as it stands
    >>>                             an example, indented or not
    Raises:                         left to napoleon

Nothing else is markup, so that no character of a docstring surprises.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["FOR_READERS", "as_rst", "setup"]

# Of other modules the docstring is a map for those who change them.
FOR_READERS = {"conveyor_rx.events", "conveyor_rx.testing", "conveyor_rx.testing.conformance"}

CODE = re.compile(r"`([^`]+)`")
GAP = re.compile(r" {2,}(?=\S)")
FIELD = re.compile(r"Alias for field number \d+$")
SECTION = re.compile(r"(Raises|Returns|Yields|Args):$")


def setup(app: Sphinx) -> dict[str, bool]:
    """Change docstrings before napoleon does, whose sections remain."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("autodoc-skip-member", _skip)
    _show_no_overloads()
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _show_no_overloads() -> None:
    """Have one signature shown, that of the implementation: overloads are for type checkers."""
    from sphinx.pycode import ModuleAnalyzer  # here, so that the tests need no Sphinx

    analyze = ModuleAnalyzer.analyze

    def analyze_and_forget(self: ModuleAnalyzer) -> None:
        analyze(self)
        self.overloads.clear()

    ModuleAnalyzer.analyze = analyze_and_forget


def _skip(
    _app: Sphinx, _what: str, name: str, _obj: Any, _skip: bool, _options: Any
) -> bool | None:
    return True if name == "__new__" else None  # a named tuple lists its fields instead


def _process(
    _app: Sphinx, what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    for_nobody = what == "module" and name not in FOR_READERS
    if for_nobody or FIELD.match(lines[0] if lines else ""):
        lines.clear()
    if lines:
        lines[:] = as_rst(lines)
    if what in ("attribute", "data", "property"):
        # Napoleon takes what stands before a colon for the type, unless nothing stands behind it.
        lines[:1] = [part for line in lines[:1] for part in re.split(r"(?<=:) ", line, maxsplit=1)]


def as_rst(lines: list[str]) -> list[str]:
    """Return a docstring's lines as reStructuredText."""
    rst: list[str] = []
    literal: list[str] = []  # blocks that wait for the next one to be no longer a part of them
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        plain = textwrap.dedent(block)
        if plain.startswith(">>>"):
            rst += [*_literal(literal), *plain.splitlines(), ""]
        elif rows := _rows(plain):
            rst += [*_literal(literal), *_table(rows)]
        elif block.startswith("    "):
            literal.append(block)
        else:
            rst += [*_literal(literal), *_prose(block), ""]
    return rst + _literal(literal)


def _rows(block: str) -> list[list[str]]:
    """Give the cells of a table in columns, or nothing if the block is none."""
    lines = block.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    if len(heads) < 2 or _is_program(block):
        return []
    starts = sorted(set.intersection(*({gap.end() for gap in GAP.finditer(h)} for h in heads)))
    if not starts or any(line[: starts[0]].strip() for line in lines if line not in heads):
        return []
    rows: list[list[str]] = []
    for line in lines:
        ends = [*starts, len(line)]
        cells = [line[start:end].strip() for start, end in zip([0, *starts], ends, strict=True)]
        if line in heads:
            rows.append(cells)
        else:  # it goes on with the line above
            rows[-1] = [
                f"{above} {cell}".strip() for above, cell in zip(rows[-1], cells, strict=True)
            ]
    return rows


def _table(rows: list[list[str]]) -> list[str]:
    rst = [".. list-table::", "   :class: plain", ""]
    for first, *others in rows:
        rst.append(f"   * - ``{first}``")
        rst += [f"     - {' '.join(_prose(cell)) if cell else ''}" for cell in others]
    return [*rst, ""]


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
    if SECTION.match(block.partition("\n")[0]):
        return ["", *lines]
    return lines
