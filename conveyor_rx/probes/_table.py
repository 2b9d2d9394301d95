"""How does a pipeline look as a table? A row a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ._counts import PipelineCount, StageCount
from ._format import FAILED, FAINT, bar, name, rate, share, state

__all__ = ["table"]

_NAME = 24  # columns for the name of a stage, at most
_LEAST_NAME = 8
_BAR = 9  # columns for a bar, at least
_NARROW = 72  # columns, below which there is no room for bars
_FEWEST = 3  # rows, in a terminal of any height
_NUMBERS = {"done": 9, "running": 7, "waiting": 7, "skipped": 7, "failed": 6, "rate": 8}
"""And their columns; the least needed ones go where there is no room for all."""
_LEAST_NEEDED = ("waiting", "running")


def table(
    pipeline: PipelineCount, now: float | None, console: Console, rows: int
) -> RenderableType:
    """Draw a title and some `rows` of stages; `now` is the loop's time while the runs go on."""
    title = Table.grid(expand=True, padding=(0, 1))
    title.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    title.add_column(no_wrap=True, justify="right")
    title.add_row(name(pipeline.name, 200, console, "bold"), state(pipeline, now, console))
    if not pipeline.stages:
        return title
    return Group(title, _Stages(pipeline, now, console).draw(max(rows, _FEWEST)))


@dataclass(frozen=True)
class _Stages:
    pipeline: PipelineCount
    now: float | None
    console: Console

    def draw(self, rows: int) -> Table:
        numbers = self._numbers()
        room = self._room(numbers)
        has_bars = self.console.width >= _NARROW
        grid = Table.grid(expand=True, padding=(0, 1))
        columns = max(min(_NAME, room - _BAR if has_bars else room), _LEAST_NAME)
        grid.add_column(no_wrap=True, overflow="ellipsis", min_width=columns, max_width=columns)
        grid.add_column(ratio=1)
        for number in numbers:
            grid.add_column(no_wrap=True, justify="right", min_width=_NUMBERS[number])
        grid.add_row("", "", *(Text(heading, FAINT) for heading in numbers))
        first, left_out, last = _parts(self.pipeline.stages, rows)
        for stage in first:
            grid.add_row(*self._row(stage, numbers, has_bars))
        if left_out:
            grid.add_row(Text(f"  {left_out} more", FAINT))
        for stage in last:
            grid.add_row(*self._row(stage, numbers, has_bars))
        return grid

    def _numbers(self) -> list[str]:
        """Choose the columns: those that say something, and have room."""
        numbers = list(_NUMBERS)
        if not any(stage.skipped for stage in self.pipeline.stages):
            numbers.remove("skipped")
        for number in _LEAST_NEEDED:
            if self._room(numbers) < _LEAST_NAME:
                numbers.remove(number)
        return numbers

    def _room(self, numbers: list[str]) -> int:
        return self.console.width - sum(_NUMBERS[number] + 2 for number in numbers)

    def _row(self, stage: StageCount, numbers: list[str], has_bars: bool) -> list[RenderableType]:
        texts = {"done": Text(share(stage, self.pipeline.total))}
        texts["rate"] = Text(rate(stage.rate(self.now)))
        if stage.makes_calls:
            texts["running"] = _count(stage.running)
            texts["waiting"] = _count(stage.waiting)
            texts["skipped"] = _count(stage.skipped, FAILED)
            texts["failed"] = _count(stage.failed, FAILED)
        return [
            Text("  ") + name(stage.name, _NAME - 2, self.console),
            bar(stage) if has_bars else "",
            *(texts.get(number, "") for number in numbers),
        ]


def _parts(
    stages: Sequence[StageCount], rows: int
) -> tuple[Sequence[StageCount], int, Sequence[StageCount]]:
    """Give as many of the first and of the last stages as there is room for."""
    if len(stages) <= rows:
        return stages, 0, ()
    half = (rows - 1) // 2
    return stages[:half], len(stages) - 2 * half, stages[-half:]


def _count(count: int, style: str = "") -> Text:
    return Text(str(count), style if count else FAINT)
