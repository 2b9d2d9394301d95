"""How do the pages get their pictures? `python docs/draw.py` draws the runs of their programs.

A picture on a page is that of the first run of the program above it, in virtual time, so that every
machine draws the same. `tests/docs/test_pictures.py` fails where one is out of date.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # this checkout, whatever is installed

from conveyor_rx import testing  # noqa: E402
from conveyor_rx.diagrams import MarbleDiagram, record  # noqa: E402
from tests.docs.pages import PAGES, PROGRAMS, Block, Program  # noqa: E402

__all__ = ["Picture", "draw", "main", "pictures"]

IMAGE = re.compile(r"^!\[(?P<text>[^]]*)\]\((?P<path>[^)]*(?<!chart)\.svg)\)", re.MULTILINE)


class Picture(NamedTuple):
    """A picture of a page: its file, the text for readers who can't see it, and what it is of."""

    path: Path
    text: str
    program: Program


def pictures() -> Iterator[Picture]:
    """Find the pictures of all pages."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for image in IMAGE.finditer(text):
            line = text.count("\n", 0, image.start()) + 1
            above = [each for each in PROGRAMS if each.page == page and each.block.line < line]
            yield Picture((page.parent / image["path"]).resolve(), image["text"], above[-1])


def draw(program: Program) -> str:
    """Run a program, and return the picture of its first run."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with (
        mock.patch.object(asyncio, "run", testing.run),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        for block in program.before:
            _execute(program.page, block, names)
        with record() as recorder:
            _execute(program.page, program.block, names)
    return MarbleDiagram(recorder, width=1000).svg() + "\n"


def _execute(page: Path, block: Block, names: dict[str, Any]) -> None:
    exec(compile(block.body, str(page), "exec"), names)


def main() -> None:
    """Write the pictures."""
    for picture in pictures():
        picture.path.parent.mkdir(exist_ok=True)
        picture.path.write_text(draw(picture.program), encoding="utf-8")
        print(picture.path.relative_to(ROOT))


if __name__ == "__main__":
    main()
