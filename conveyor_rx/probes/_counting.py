"""How far is each pipeline? A probe that counts; it remembers a run only until that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..events import Event, EventKind, RunInfo
from ._counts import PipelineCount, StageCount

__all__ = ["Counting"]

_KEPT = 50  # pipelines; beyond that, one that has ended is forgotten
_Key: TypeAlias = tuple[tuple[str, str], ...]


class Counting:
    """Count what happens; runs of pipelines with the same stages are counted together."""

    def __init__(self) -> None:
        self._pipelines: dict[_Key, PipelineCount] = {}
        self._runs: dict[int, _Run] = {}

    @property
    def active(self) -> int:
        """How many runs go on."""
        return len(self._runs)

    @property
    def pipelines(self) -> list[PipelineCount]:
        """The pipelines, in the order in which they first began."""
        return list(self._pipelines.values())

    def __call__(self, event: Event) -> None:
        number = id(event.run)
        if event.kind == "run_started":
            self._runs[number] = _Run(event.run, self._pipeline(event))
        run = self._runs.get(number)
        if run is None:
            return
        run.pipeline.now = event.time
        step = _STEPS.get(event.kind)
        if step is not None:
            step(run, event)
        if event.kind == "run_ended":
            del self._runs[number]

    def _pipeline(self, event: Event) -> PipelineCount:
        run = event.run
        key = tuple((stage.name, stage.kind) for stage in run.stages[1:-1])
        pipeline = self._pipelines.get(key)
        if pipeline is None:
            self._make_room()
            stages = [StageCount(name, kind.endswith("_task")) for name, kind in key]
            pipeline = PipelineCount(run.name, stages, event.time, event.time)
            self._pipelines[key] = pipeline
        return pipeline

    def _make_room(self) -> None:
        if len(self._pipelines) >= _KEPT:
            for key, pipeline in self._pipelines.items():
                if not pipeline.active:
                    del self._pipelines[key]
                    return


class _Run:
    """What has to be known of a run while it goes on."""

    def __init__(self, info: RunInfo, pipeline: PipelineCount) -> None:
        self.info = info  # kept alive, for the run is known by its id
        self.pipeline = pipeline
        inner = zip(info.stages[1:-1], pipeline.stages, strict=True)
        self._stages = {stage.id: _Open(count) for stage, count in inner}
        pipeline.begin(info.total)

    def pulled(self, event: Event) -> None:
        self.pipeline.pulled += 1
        self._arrived(event)

    def waiting(self, event: Event) -> None:
        self._stages[event.stage].wait(event.items)

    def call_started(self, event: Event) -> None:
        stage = self._stages[event.stage]
        stage.stop_waiting(event.items)
        stage.count.begin(event.time)
        stage.start(event.call, len(event.items))

    def call_ended(self, event: Event) -> None:
        stage = self._stages[event.stage]
        stage.end(event.call, event.reason)
        stage.count.tick(event.time)

    def ready(self, event: Event) -> None:
        count = self._stages[event.stage].count
        count.results += len(event.items)
        if not count.makes_calls:
            count.tick(event.time)

    def emitted(self, event: Event) -> None:
        self._arrived(event)

    def skipped(self, event: Event) -> None:
        self._stages[event.stage].skip(event.call, len(event.items))

    def dropped(self, event: Event) -> None:
        if event.reason == "rest":
            stage = self._stages[event.stage]
            stage.stop_waiting(event.items)
            stage.count.done += len(event.items)

    def stage_ended(self, event: Event) -> None:
        stage = self._stages.get(event.stage)
        if stage is None:  # it is the source
            self.pipeline.unended -= 1
        else:
            stage.count.unended -= 1

    def run_ended(self, event: Event) -> None:
        for stage in self._stages.values():
            stage.let_go()
        outcome: str = event.reason
        if event.error is not None:
            outcome = type(event.error).__name__
        self.pipeline.end(outcome)

    def _arrived(self, event: Event) -> None:
        for each in self.info.stages[event.stage].feeds:
            stage = self._stages.get(each)
            if stage is not None:  # else it is the output
                stage.count.arrived += len(event.items)


_STEPS: dict[EventKind, Callable[[_Run, Event], None]] = {
    "pulled": _Run.pulled,
    "waiting": _Run.waiting,
    "call_started": _Run.call_started,
    "call_ended": _Run.call_ended,
    "ready": _Run.ready,
    "emitted": _Run.emitted,
    "skipped": _Run.skipped,
    "dropped": _Run.dropped,
    "stage_ended": _Run.stage_ended,
    "run_ended": _Run.run_ended,
}


class _Open:
    """The items of one run that wait or run at a stage."""

    def __init__(self, count: StageCount) -> None:
        self.count = count
        self._waiting: set[int] = set()
        self._calls: dict[int | None, int] = {}  # a call -> how many items it has
        self._skipped: dict[int | None, int] = {}  # a call -> how many of them were skipped

    def wait(self, items: tuple[int, ...]) -> None:
        before = len(self._waiting)
        self._waiting.update(items)  # of a batch that waits for a slot they wait already
        self.count.waiting += len(self._waiting) - before

    def stop_waiting(self, items: tuple[int, ...]) -> None:
        before = len(self._waiting)
        self._waiting.difference_update(items)
        self.count.waiting -= before - len(self._waiting)

    def start(self, call: int | None, items: int) -> None:
        self._calls[call] = items
        self.count.running += items

    def skip(self, call: int | None, items: int) -> None:
        self._skipped[call] = self._skipped.get(call, 0) + items

    def end(self, call: int | None, reason: str) -> None:
        items = self._calls.pop(call, 0)
        skipped = self._skipped.pop(call, 0)
        self.count.running -= items
        self.count.skipped += skipped
        if reason == "failed":
            self.count.failed += items - skipped
        elif reason != "cancelled":
            self.count.done += items - skipped

    def let_go(self) -> None:
        """Forget what the run left; it is cancelled."""
        self.count.waiting -= len(self._waiting)
        self.count.running -= sum(self._calls.values())
