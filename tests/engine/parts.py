"""What does a part of the engine stand between, where it is tested alone?"""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from conveyor_rx._engine.line.line import Line
from conveyor_rx._engine.place import Place
from conveyor_rx._engine.run import Run


class Clock:
    """The clock of work, which a test moves."""

    def __init__(self) -> None:
        self.time = 0.0
        asyncio.get_running_loop().work_clock = lambda: self.time  # type: ignore[attr-defined]


class Room:
    """The gate and the subscriber behind a line: has room for so many values."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.upstream_bit = 0
        self.got: list[Any] = []

    @property
    def size(self) -> int:
        return len([each for each in self.got if each != "|" and not isinstance(each, Exception)])

    def on_next(self, value: Any) -> None:
        self.got.append(value)

    def on_completed(self) -> None:
        self.got.append("|")

    def on_error(self, error: Exception) -> None:
        self.got.append(error)


def new_run(**options: Any) -> Run:
    return Run(asyncio.get_running_loop(), contextvars.copy_context(), **options)


def new_line(run: Run, room: Room) -> Line:
    """Make a line that is enrolled in `run`, in front of `room`."""
    line = Line(run)
    line.out = line.gate = room  # type: ignore[assignment]
    run.enroll(line)
    return line


def enter(line: Line, *values: Any) -> list[Place]:
    """Let `values` take places at the end of `line`."""
    return [line.insert(value, line.ring, None) for value in values]
