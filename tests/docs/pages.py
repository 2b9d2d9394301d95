"""Which code stands on the pages, and what does each block promise?

A block of Python is a program that runs as it stands, or after those that it continues. The block
of text right after it is what it prints. A mark in the line above a block says more:

    <!-- continues -->                it runs after the program above it, in the same file
    <!-- in a process of its own -->  it needs a file, and real time
    <!-- command: tests -->           `.ci/run` runs this one
    <!-- not run: reason -->          it is not run; few are
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.kit import ROOT

__all__ = ["PAGES", "PROGRAMS", "Block", "Program", "blocks", "programs"]

PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "benchmarks" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]
FENCED = re.compile(
    r"^(?:<!-- (?P<mark>[^>]+) -->\n\n?)?```(?P<language>[^\n]*)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    line: int
    language: str
    body: str
    mark: str = ""

    @property
    def runs(self) -> bool:
        return self.language == "python" and not self.mark.startswith("not run")


class Program(NamedTuple):
    """A block, the blocks that it continues, and what it prints as the page says."""

    page: Path
    block: Block
    before: tuple[Block, ...]
    claimed: str

    def __str__(self) -> str:
        page = self.page.relative_to(ROOT).with_suffix("").as_posix()
        return f"{page.removeprefix('docs/')}-{self.block.line}"

    def source(self) -> str:
        """Give all of it as one file, each block at its own lines of the page."""
        text = ""
        for block in (*self.before, self.block):
            text += "\n" * (block.line - 1 - text.count("\n")) + block.body
        return text


def blocks(text: str) -> list[Block]:
    """Find the fenced blocks; those of MyST's directives are no code."""
    return [
        Block(
            text.count("\n", 0, match.start("body")) + 1,
            match["language"],
            match["body"],
            match["mark"] or "",
        )
        for match in FENCED.finditer(text)
        if not match["language"].startswith("{")
    ]


def programs(page: Path, text: str) -> list[Program]:
    """Pair each block that runs with what it continues, and with the output that it claims."""
    found = blocks(text)
    result: list[Program] = []
    before: tuple[Block, ...] = ()
    for block, after in zip(found, [*found, Block(0, "", "")][1:], strict=True):
        if block.runs:
            if block.mark != "continues":
                before = ()
            claimed = after.body if after.language == "text" and not after.mark else ""
            result.append(Program(page, block, before, claimed))
            before = (*before, block)
    return result


PROGRAMS = [
    program for page in PAGES for program in programs(page, page.read_text(encoding="utf-8"))
]
