"""How does a pipeline look in one line? As tqdm's, and with what runs, waits and is lost."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ._counts import PipelineCount, StageCount
from ._format import bar, clock, name, rate, share

__all__ = ["one_line"]

_NARROW = 96  # columns, below which there is no room for a bar


def one_line(pipeline: PipelineCount, now: float | None, console: Console) -> Table:
    """Draw how far the last stage is; `now` is the loop's time while the runs go on."""
    stages = pipeline.stages
    last = stages[-1] if stages else StageCount("", makes_calls=False, results=pipeline.pulled)
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=max(console.width // 4, 12))
    cells: list[RenderableType] = [name(pipeline.name, 200, console)]
    has_share = bool(last.makes_calls and last.expected)
    if has_share and console.width >= _NARROW:
        grid.add_column(ratio=1)
        cells.append(bar(last))
    grid.add_column(no_wrap=True, overflow="ellipsis")
    percent = f"{min(last.settled / (last.expected or 1), 1):4.0%}  " if has_share else ""
    details = ", ".join([*_times(pipeline, last, now), *_counts(pipeline, console)])
    grid.add_row(*cells, Text(f"{percent}{share(last, pipeline.total)} [{details}]"))
    return grid


def _times(pipeline: PipelineCount, last: StageCount, now: float | None) -> list[str]:
    elapsed = clock((pipeline.now if now is None else now) - pipeline.began)
    speed = last.rate(now)
    left = pipeline.left(now) if now is not None else None
    if left is not None:
        elapsed += "<" + clock(left)
    return [part for part in (elapsed, rate(speed)) if part]


def _counts(pipeline: PipelineCount, console: Console) -> list[str]:
    counts = {
        word: sum(getattr(stage, word) for stage in pipeline.stages)
        for word in ("failed", "skipped", "running", "waiting")
    }
    texts = [f"{count} {word}" for word, count in counts.items() if count]
    if not pipeline.active and pipeline.outcome != "completed":
        texts.append(name(pipeline.outcome, 80, console).plain)
    return texts
