"""What does a picture of a pipeline say? A card for each stage, the same in each format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from .._text.at_once import calls_at_once
from .._text.labels import label
from ..context import PipelineContext
from ..events import StageInfo

__all__ = ["Card", "CardKind", "cards", "title"]

CardKind: TypeAlias = Literal["port", "single_task", "batch_task", "own", "operator", "rest"]

MAX_STAGES = 60
"""What a picture can hold; of more the first and the last ones are shown."""
LAST_STAGES = 10
NAME_WIDTH = 28
OPTION_WIDTH = 36
TITLE_WIDTH = 100
_WORDS: dict[str, str] = {
    "single_task": "@single_task",
    "batch_task": "@batch_task",
    "own": "own stage",
    "operator": "Rx operator",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What is said of one stage, or of the source or the output; not yet escaped."""

    kind: CardKind
    name: str
    lines: tuple[str, ...] = ()


def cards(stages: Sequence[StageInfo], context: PipelineContext) -> list[Card]:
    """Describe the source, the stages and the output, from left to right."""
    described = [_of_stage(stage, context) for stage in _shown(stages, first=True)]
    left_out = max(len(stages) - MAX_STAGES, 0)
    if left_out:
        described.append(Card("rest", "…", (f"{left_out:,} more",)))
        described += [_of_stage(stage, context) for stage in _shown(stages, first=False)]
    mode = context.execution_mode.replace("_", " ")
    return [Card("port", "source"), *described, Card("port", "output", (mode, *_settings(context)))]


def title(stages: Sequence[StageInfo]) -> str:
    """Name a pipeline in one line, as `a | b`."""
    names = (label(stage.name, TITLE_WIDTH) for stage in stages[:MAX_STAGES])
    return label(" | ".join(names), TITLE_WIDTH)


def _shown(stages: Sequence[StageInfo], *, first: bool) -> Sequence[StageInfo]:
    if len(stages) <= MAX_STAGES:
        return stages if first else ()
    return stages[: MAX_STAGES - LAST_STAGES] if first else stages[-LAST_STAGES:]


def _of_stage(stage: StageInfo, context: PipelineContext) -> Card:
    name = label(stage.name, NAME_WIDTH)
    lines = [_WORDS[stage.kind]]
    is_unlimited = stage.overlaps and stage.slots is None
    if is_unlimited and "executor" not in stage.options:  # to be seen, since few expect so many
        lines.append(calls_at_once(context.max_parallelism, context.max_in_flight))
    lines += (
        label(f"{label(key)}={label(value)}", OPTION_WIDTH) for key, value in stage.options.items()
    )
    kind = "port" if stage.kind in ("source", "output") else stage.kind
    return Card(kind, name if name.strip() else "(no name)", tuple(lines))


def _settings(context: PipelineContext) -> list[str]:
    """Give the settings that differ from the defaults, as `with_context` takes them."""
    usual = {field.name: field.default for field in fields(PipelineContext)}
    names = ("max_in_flight", "max_parallelism", "max_failures")
    now = {name: getattr(context, name) for name in names}
    settings = [f"{name}={value}" for name, value in now.items() if value != usual[name]]
    letter = context.dead_letter
    if letter is not None:
        name = getattr(letter, "__name__", type(letter).__name__)
        settings.append(label(f"dead_letter={label(name)}", OPTION_WIDTH))
    return settings
