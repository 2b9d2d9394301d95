"""How do the numbers of a progress view read? Pieces for a table and for a line."""

from __future__ import annotations

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.text import Text

from .._text.labels import label
from ._counts import PipelineCount, StageCount

__all__ = ["FAILED", "FAINT", "bar", "clock", "name", "rate", "share", "state"]

# Legible on light and on dark; a terminal with fewer colours takes the nearest that it has.
DONE, FAILED, FAINT = "#009E73", "#D55E00", "#888888"


def name(text: str, width: int, console: Console, style: str = "") -> Text:
    """Give a name that comes from users: no markup, and `?` for what the console can't show."""
    encoding = console.encoding
    return Text(label(text, width).encode(encoding, "replace").decode(encoding), style)


def state(pipeline: PipelineCount, now: float | None, console: Console) -> Text:
    """Say what has become of a pipeline, how long it took, and how long it will take."""
    seconds = (pipeline.now if now is None else now) - pipeline.began
    time = f"{seconds:.1f} s" if seconds < 60 else clock(seconds)
    runs = f"{pipeline.runs} runs, " if pipeline.runs > 1 else ""
    if pipeline.active:
        left = pipeline.left(now) if now is not None else None
        return Text(runs + time + (f", {clock(left)} left" if left is not None else ""))
    if pipeline.outcome == "completed":
        return Text(f"{runs}done in {time}", DONE)
    if pipeline.outcome == "closed":
        return Text(f"{runs}closed after {time}", FAINT)
    return name(f"{runs}{pipeline.outcome} after {time}", 80, console, FAILED)


def clock(seconds: float) -> str:
    """Give a time as `0:05` or `1:02:05`."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rate(per_second: float | None) -> str:
    """Give a rate in items per second, or per minute if it is slow."""
    if not per_second:
        return ""
    if per_second >= 10:
        return f"{per_second:,.0f}/s"
    return f"{per_second:.1f}/s" if per_second >= 0.1 else f"{per_second * 60:.1f}/min"


def share(stage: StageCount, total: int | None) -> str:
    """Give how much is done, of what; an estimate has a `~` unless it is the source's length."""
    if not stage.makes_calls:
        return str(stage.results)
    if stage.expected is None:
        return str(stage.settled)
    sign = "" if stage.is_exact or stage.expected == total else "~"
    return f"{stage.settled}/{sign}{stage.expected}"


def bar(stage: StageCount) -> ProgressBar | Text:
    """Draw how much of what is expected is done; nothing if nobody knows what to expect."""
    if not stage.makes_calls or not stage.expected:
        return Text()
    return ProgressBar(
        total=stage.expected,
        completed=stage.settled,
        style=FAINT,
        complete_style=DONE,
        finished_style=DONE,
    )
