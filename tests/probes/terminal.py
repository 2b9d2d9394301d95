"""What is written to a terminal; and stages to look at."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

from rich.console import Console

from conveyor_rx import batch_task, single_task

__all__ = ["KNOWN", "Terminal", "console", "pairs", "picky", "slow"]

# What a redraw is made of: colours, clearing a line, going up a line, showing the cursor.
KNOWN = re.compile(r"\x1b\[(?:[0-9;]*m|2K|1A|\?25[lh])")


class Terminal(io.StringIO):
    """A file that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def frames(self) -> list[str]:
        """What was drawn, each time, without colours."""
        texts = self.getvalue().split("\r\x1b[2K")
        return [KNOWN.sub("", text).rstrip("\r\n ") for text in texts]


def console(file: io.StringIO, **options: Any) -> Console:
    return Console(**{"file": file, "force_terminal": True, "width": 100, "height": 30, **options})


@single_task(concurrency_limit=2)
async def slow(n: float) -> float:
    await asyncio.sleep(n)
    return n


@single_task(on_error="skip_item")
def picky(n: float) -> float:
    if n == 3:
        raise ValueError("hunter2")
    return n


pairs = batch_task(max_size=2)(list)
