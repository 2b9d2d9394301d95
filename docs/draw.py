"""How does the README get its picture? `python docs/draw.py` draws the run of its quick start.

The program that stands there is run in virtual time, so every machine draws the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import sys
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # this checkout, whatever is installed

from conveyor_rx import testing  # noqa: E402
from conveyor_rx.diagrams import MarbleDiagram, record  # noqa: E402

__all__ = ["PICTURE", "draw", "main"]

PICTURE = ROOT / "docs" / "quick-start.svg"


def draw() -> str:
    """Run the README's quick start, and return the picture of the run."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("\n## Quick start\n")[2].partition("\n## ")[0]
    program = re.search(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    if program is None:
        raise ValueError("README.md has no program under Quick start")
    with (
        mock.patch.object(asyncio, "run", testing.run),
        contextlib.redirect_stdout(io.StringIO()),
        record(labels=lambda value: value) as recorder,
    ):
        exec(compile(program[1], "README.md", "exec"), {"__name__": "__main__"})
    return MarbleDiagram(recorder, width=1000).svg() + "\n"


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(draw(), encoding="utf-8")
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
