"""Does a notebook keep up with a run, and not too eagerly?"""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx.diagrams import MarbleDiagram, _live, record
from conveyor_rx.diagrams._axis import duration
from conveyor_rx.testing import VirtualLoop


@single_task(concurrency_limit=1)
async def slow(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


class Timed(VirtualLoop):
    """A loop that looks like a real one, on which the live picture sets timers."""

    @property
    def work_clock(self) -> Any:
        raise AttributeError


class Notebook:
    """What IPython shows: each picture with its instant."""

    def __init__(self, patch: pytest.MonkeyPatch, cost: float = 0.0) -> None:
        self.shown: list[tuple[float, str]] = []
        self.displays = 0
        self.cost = cost  # seconds that showing takes
        self.late = 0.0
        patch.setattr(_live, "monotonic", self.now)
        ipython: Any = ModuleType("IPython")
        ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
        ipython.display = SimpleNamespace(display=self.display)
        patch.setitem(sys.modules, "IPython", ipython)

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self.late

    def display(self, picture: MarbleDiagram, *, display_id: bool) -> Notebook:
        assert display_id
        self.displays += 1
        self.update(picture)
        return self

    def update(self, picture: MarbleDiagram) -> None:
        self.shown.append((asyncio.get_running_loop().time(), picture.text()))
        self.late += self.cost


def in_time(main: Any) -> Any:
    with asyncio.Runner(loop_factory=Timed) as runner:
        return runner.run(main())


def test_it_follows_a_run_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its start to its end, also while nothing happens; then no timer is left."""
    notebook = Notebook(monkeypatch)

    async def main() -> str:
        with record(live=True) as recorder:
            await slow([0.35, 1.0]).collect()
        await asyncio.sleep(5)
        return MarbleDiagram(recorder).text()

    final = in_time(main)
    instants = [round(instant, 6) for instant, _ in notebook.shown]
    assert notebook.displays == 1
    assert instants == [round(n / 10, 6) for n in range(14)] + [1.35]
    assert notebook.shown[-1][1] == final
    assert notebook.shown[5][1] != final
    for instant, picture in notebook.shown[1:-1]:  # calls grow, though nothing is told of
        assert f"running for {duration(instant)}" in picture


def test_slow_drawing_takes_a_tenth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who draws for 0.1 s draws again 1 s later."""
    notebook = Notebook(monkeypatch, cost=0.1)

    async def main() -> None:
        with record(live=True):
            await slow([10.0]).collect()

    in_time(main)
    assert [round(instant) for instant, _ in notebook.shown] == [*range(11), 10]


def test_in_virtual_time_events_lead_to_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer keeps the virtual clock going; the end is shown."""
    notebook = Notebook(monkeypatch)

    async def main() -> None:
        with record(live=True):
            await slow([0.25, 0.25, 0.01]).collect()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    instants = [round(instant, 6) for instant, _ in notebook.shown]
    assert instants == [0, 0.25, 0.5, 0.51]


def test_inner_and_later_runs_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture: that of the first run."""
    notebook = Notebook(monkeypatch)

    async def main() -> None:
        with record(live=True):
            await slow([0.01]).collect()
            await slow([3.0]).collect()

    in_time(main)
    assert [round(instant, 6) for instant, _ in notebook.shown] == [0, 0.01]


async def test_outside_of_a_notebook_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IPython, or in a terminal of it, the run is recorded all the same."""
    for module in (None, SimpleNamespace(get_ipython=lambda: None)):
        monkeypatch.setitem(sys.modules, "IPython", module)
        with record(live=True) as recorder:
            await slow([1.0]).collect()
        assert recorder.run.delivered == 1


async def test_a_display_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that raises is detached; the run goes on."""
    notebook = Notebook(monkeypatch)

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the notebook is gone")

    monkeypatch.setattr(notebook, "update", broken)
    monkeypatch.setattr(sys.modules["IPython"], "display", SimpleNamespace(display=broken))
    with record(live=True):
        assert await slow([1.0]).collect() == [1.0]


def test_the_theme_is_checked() -> None:
    """Bad input gets a clear error."""
    with pytest.raises(ValueError, match="theme must be one of"), record(theme="pink"):  # type: ignore[arg-type]
        pass
