"""How does a chain get its taps and reporters? It asks its watcher."""

from __future__ import annotations

import inspect
from typing import Any

from reactivex import operators as ops

from conveyor_rx import AsyncStream, batch_task, single_task
from conveyor_rx._engine.graph.chain import Chain
from conveyor_rx._engine.graph.observed_run import ObservedRun
from conveyor_rx._engine.graph.watcher import Watcher
from conveyor_rx._engine.run import Run


def test_the_watcher_of_an_observed_run_says_all_that_it_is_asked() -> None:
    """It overrides what a watcher may be asked, nothing private, and no chain is special."""
    asked = {name for name, _ in inspect.getmembers(Watcher, inspect.isfunction)}
    said = {name for name in vars(ObservedRun) if name in asked}
    assert said - {"__init__"} == asked
    assert not any(name.startswith("_") for name in said - {"__init__"})
    assert Chain.__subclasses__() == []


async def test_a_chain_asks_step_by_step(monkeypatch: Any) -> None:
    """In the order of the stages, and so that each tap is put behind what has just been added."""
    asked: list[Any] = []

    class Asked(Watcher):
        def __getattribute__(self, name: str) -> Any:
            def answer(*args: Any) -> None:
                asked.append((name, *(each for each in args if isinstance(each, int))))

            return answer

    init = Chain.__init__
    monkeypatch.setattr(Chain, "__init__", lambda self, *args: init(self, *args[:2], Asked()))
    one: Any = single_task(abs)
    pair: Any = batch_task(max_size=2)(list)
    stream: AsyncStream[Any] = (one | one | pair | ops.skip(0))([1, 2])
    assert await stream.collect() == [1, 2]
    assert asked == [
        ("tap_source",),
        ("line_opens",),
        ("tap_calls", 1),
        ("tap_calls", 2),
        ("tap_line",),
        ("batch_reporter", 3),
        ("line_opens",),
        ("tap_calls", 3),
        ("tap_line",),
        ("tap_stage", 4),
        ("tap_outlet",),
    ]


async def test_what_feeds_a_stage_has_lower_bits(monkeypatch: Any) -> None:
    """The workers of a run are enrolled from the source to the outlet: its priorities."""
    enrolled: list[str] = []
    enroll = Run.enroll

    def noted(self: Run, worker: Any) -> None:
        enroll(self, worker)
        assert worker.bit == 1 << len(enrolled)
        enrolled.append(type(worker).__name__)

    monkeypatch.setattr(Run, "enroll", noted)
    one: Any = single_task(abs)
    pair: Any = batch_task(max_size=2)(list)
    assert await (one | pair)([1, 2]).collect() == [1, 2]
    assert enrolled == ["Rest", "IterableSource", "FlatMap", "Line", "Batches", "FlatMap", "Line"]
