"""How often does which scenario occur among the random pipelines?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from conveyor_rx import StageStats
from conveyor_rx._engine.line.entry import Entry
from conveyor_rx._engine.line.line import Line
from tests.random_pipelines.plans import KINDS, SOURCES, WAYS, Plan

__all__ = ["LEAST", "SCENARIOS", "Sightings", "Tally", "scenarios"]

SCENARIOS = (
    "ordered",
    "as completed",
    *(f"source: {source}" for source in SOURCES),
    *(f"consumer: {way}" for way in WAYS),
    *(f"stage: {kind}" for kind in KINDS),
    "call fails the run",
    "call fails in the middle, behind results",
    "call fails the run, as completed",
    "source fails",
    "no items",
    "no failure at all",
    "retried",
    "skipped",
    "dead letters",
    "batch halved",
    "batches with weights",
    "batches with keys",
    "item without a weight",
    "rest of a batch dropped",
    "calls cancelled",
    "window full",
    "generator parked",
    "consumer slower than source",
    "limit reached",
    "max_parallelism reached",
    "calls for several keys at once",
    "rate used up",
    "budget used up",
    "drained in the middle",
    "five stages or more",
    "ready callbacks shuffled",
    "no window",
)
LEAST = 0.05


def scenarios(
    plan: Plan, got: list[int] | None, end: str | None, stats: tuple[StageStats, ...]
) -> Iterator[str]:
    """Name the scenarios that a plan or its outcome shows."""
    yield "ordered" if plan.ordered else "as completed"
    yield f"source: {plan.source}"
    yield f"consumer: {plan.way}"
    yield from (f"stage: {kind}" for kind in plan.kinds)
    batches = {f"{spec.kind} {number}" for number, spec in enumerate(plan.stages) if spec.is_batch}
    measured = {f"{each.kind} {n}" for n, each in enumerate(plan.stages) if each.is_measured}
    occurs = {
        "call fails the run": end == "call",
        "call fails in the middle, behind results": end == "call" and bool(got),
        "call fails the run, as completed": end == "call" and not plan.ordered,
        "source fails": end == "source",
        "no items": plan.items == 0,
        "no failure at all": not any(
            stage.failed + stage.skipped + stage.retried for stage in stats
        ),
        "retried": any(stage.retried for stage in stats),
        "skipped": any(stage.skipped for stage in stats),
        "dead letters": any(stage.dead_lettered for stage in stats),
        "rest of a batch dropped": any(stage.dropped for stage in stats if stage.stage in batches),
        "item without a weight": any(stage.skipped for stage in stats if stage.stage in measured),
        "calls cancelled": any(stage.cancelled for stage in stats),
        "five stages or more": len(plan.stages) >= 5,
        "ready callbacks shuffled": plan.seed is not None,
        "no window": plan.window is None,
    }
    yield from (name for name, is_so in occurs.items() if is_so)


class Sightings(pytest.MonkeyPatch):
    """Note, within a block, what only the inside of the engine shows."""

    def __init__(self, seen: set[str]) -> None:
        super().__init__()
        self.seen = seen

    def __enter__(self) -> None:
        enter, park = Entry.on_next, Line.park

        def watched_enter(entry: Entry, value: Any) -> None:
            line = entry.line
            if line.size + (entry.weigh(value) if entry.weigh else 1) >= line.limit:
                self.seen.add("window full")
            enter(entry, value)

        def watched_park(line: Line, owner: Any, *args: Any, **options: Any) -> None:
            self.seen.add("generator parked")
            park(line, owner, *args, **options)

        self.setattr(Entry, "on_next", watched_enter)
        self.setattr(Line, "park", watched_park)

    def __exit__(self, *args: object) -> None:
        self.undo()


class Tally:
    """The scenarios of the examples so far."""

    def __init__(self) -> None:
        self.examples = 0
        self.counts: Counter[str] = Counter()

    def add(self, scenarios: set[str]) -> None:
        unknown = scenarios - set(SCENARIOS)
        assert not unknown, f"scenarios without a name in the list: {unknown}"
        self.examples += 1
        self.counts.update(scenarios)

    def report(self) -> str:
        """Return the table of the shares, the rarest first."""
        rows = sorted(SCENARIOS, key=lambda name: self.counts[name])
        lines = [f"{self.counts[name] / self.examples:7.1%}  {name}" for name in rows]
        return "\n".join([f"scenarios in {self.examples} random pipelines:", *lines])

    def rare(self) -> list[str]:
        return [name for name in SCENARIOS if self.counts[name] < LEAST * self.examples]
