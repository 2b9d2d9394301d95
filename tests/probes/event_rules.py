"""What must be true of the events of any run? A probe that checks them as they come."""

from __future__ import annotations

from collections import Counter
from typing import Any

from conveyor_rx import StageStats
from conveyor_rx.events import Event, RunInfo

__all__ = ["EventRules"]

_ENDS = {"completed", "failed", "skipped", "dropped", "cancelled"}


class EventRules:
    """A probe for one run: what breaks a rule is noted in `broken`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken: list[str] = []
        self.run: RunInfo | None = None
        self.inputs_of: dict[int, tuple[int, ...]] = {}
        self._open: dict[tuple[int, int], Event] = {}  # calls, by stage and number
        self._ended: set[int] = set()
        self._over = False

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._check(not self._over, event, "after the end")
        self._check(event.run is (self.run or event.run), event, "of another run")
        self.run = event.run
        last = self.events[-2].time if len(self.events) > 1 else event.time
        self._check(event.time >= last, event, "earlier than the one before")
        ends = event.kind in ("attempt_failed", "call_ended")
        self._check(ends or not event.worker, event, "a worker that has not ended")
        self._check(event.queued >= 0 and (event.worker or not event.queued), event, "no wait")
        checks = {"ready": self._new_value}
        check = checks.get(event.kind) or getattr(self, "_" + event.kind, self._about_known_values)
        check(event)

    def of(self, kind: str, stage: int | None = None) -> list[Event]:
        """Return the events of `kind`, perhaps only those of one stage."""
        return [e for e in self.events if e.kind == kind and stage in (None, e.stage)]

    def check_end(self) -> None:
        """Note what is still open at the end of the run."""
        if not self._over:
            self.broken.append("no end")
        self.broken.extend(f"call {key} has not ended" for key in self._open)

    def check_counters(self, stats: tuple[StageStats, ...]) -> None:
        """Compare the events with the counters of the run."""
        assert self.run is not None
        uncounted = ("source", "operator", "output")
        counted = [stage.id for stage in self.run.stages if stage.kind not in uncounted]
        for number, stage in zip(counted, stats, strict=True):
            if self.run.stages[number].name != stage.stage:
                self.broken.append(f"{stage}: by the events {number} is another stage")
            seen = {
                "out": len(self.of("ready", number)),
                "dead_lettered": sum(len(e.items) for e in self.of("dead_lettered", number)),
                "skipped": sum(len(e.items) for e in self.of("skipped", number)),
                "dropped": sum(len(e.items) for e in self.of("dropped", number)),
            }
            for name, count in seen.items():
                if getattr(stage, name) != count:
                    self.broken.append(f"{stage}: {name} by the events: {count}")

    # -- private

    def _check(self, holds: Any, event: Event, what: str) -> None:
        if not holds:
            self.broken.append(f"{what}: {event}")

    def _about_known_values(self, event: Event) -> None:
        known = all(item in self.inputs_of for item in event.items)
        self._check(known and event.items, event, "unknown values")

    def _run_started(self, event: Event) -> None:
        self._check(len(self.events) == 1, event, "not the first")
        self._check(event.run.stages[event.stage].kind == "source", event, "not at the source")
        self._check_graph(event)

    def _check_graph(self, event: Event) -> None:
        stages = event.run.stages
        self._check([stage.id for stage in stages] == [*range(len(stages))], event, "other ids")
        for stage in stages:
            self._check(all(each < stage.id for each in stage.fed_by), event, "fed from behind")
            self._check(bool(stage.fed_by) == (stage.kind != "source"), event, "not fed")
            feeds = tuple(each.id for each in stages if stage.id in each.fed_by)
            self._check(stage.feeds == feeds, event, "feeds others")

    def _new_value(self, event: Event) -> None:
        self._check(len(event.items) == 1, event, "not one value")
        self._check(event.items[0] not in self.inputs_of, event, "a number used twice")
        self.inputs_of[event.items[0]] = event.inputs

    def _pulled(self, event: Event) -> None:
        self._check(event.inputs == (len(self.of("pulled")) - 1,), event, "wrong input number")
        self._new_value(event)

    def _call_started(self, event: Event) -> None:
        self._about_known_values(event)
        assert event.call is not None
        key = (event.stage, event.call)
        numbers = [e.call for e in self.of("call_started", event.stage)]
        self._check(event.call == len(numbers) - 1, event, "wrong call number")
        whence = {n for item in event.items for n in self.inputs_of[item]}
        self._check(set(event.inputs) == whence, event, "wrong inputs")
        self._open[key] = event

    def _attempt_failed(self, event: Event) -> None:
        self._check((event.stage, event.call) in self._open, event, "no such call")
        self._check(event.error is not None and event.attempt >= 1, event, "no failed attempt")

    def _retried(self, event: Event) -> None:
        self._check((event.stage, event.call) in self._open, event, "no such call")

    def _call_ended(self, event: Event) -> None:
        assert event.call is not None
        started = self._open.pop((event.stage, event.call), None)
        self._check(started is not None, event, "no such call")
        self._check(event.reason in _ENDS, event, "no reason")

    def _emitted(self, event: Event) -> None:
        self._about_known_values(event)
        self._check(self.inputs_of.get(event.items[0]) == event.inputs, event, "other inputs")

    def _delivered(self, event: Event) -> None:
        assert self.run is not None
        self._emitted(event)
        self._check(self.run.stages[event.stage].kind == "output", event, "not at the output")

    def _draining(self, event: Event) -> None:
        self._check(event.run.stages[event.stage].kind == "source", event, "not at the source")
        self._check(len(self.of("draining")) == 1, event, "twice")

    def _stage_ended(self, event: Event) -> None:
        self._check(event.stage not in self._ended, event, "twice")
        stage = event.run.stages[event.stage]
        may_end_early = stage.kind in ("own", "operator")
        self._check(self._ended.issuperset(stage.fed_by) or may_end_early, event, "too early")
        self._ended.add(event.stage)

    def _run_ended(self, event: Event) -> None:
        self._over = True
        self._check(event.run.stages[event.stage].kind == "output", event, "not at the output")
        self._check(event.reason in {"completed", "failed", "closed"}, event, "no reason")
        self._check((event.reason == "failed") == (event.error is not None), event, "no error")
        twice = [n for n, times in Counter(self._items_of("emitted")).items() if times > 1]
        self._check(not twice, event, f"emitted twice: {twice}")
        self._check(set(self._items_of("emitted")) <= set(self._items_of("ready")), event, "early")

    def _items_of(self, kind: str) -> list[int]:
        return [e.items[0] for e in self.of(kind)]
