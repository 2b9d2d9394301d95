"""Do diagrams show that a run was drained? W1 of the contract."""

from __future__ import annotations

import asyncio

from conveyor_rx.diagrams import MarbleDiagram, Recorder
from conveyor_rx.events import observe
from tests.drain.test_drain import Clocked
from tests.kit import nap


async def recorded(seconds: float | None) -> Recorder:
    recorder = Recorder()
    with observe(recorder):
        stream = nap(Clocked() if seconds is not None else [1, 2])
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, stream.drain)
        await stream.collect()
    return recorder


async def test_a_diagram_has_a_line_where_a_run_was_drained() -> None:
    """W1: behind it nothing more was pulled; the legend says so, and the summary when."""
    recorder = await recorded(3.5)
    assert recorder.run.drained == 3.5
    assert recorder.run.outcome == "completed"
    svg = MarbleDiagram(recorder).svg()
    assert svg.count('stroke-dasharray="6 3"') == 2  # one is in the legend
    assert "drained: nothing more is pulled" in svg
    assert "drained after 3.5 s" in MarbleDiagram(recorder).text()


async def test_a_diagram_of_another_run_has_none() -> None:
    """W1: nor has its summary."""
    recorder = await recorded(None)
    assert recorder.run.drained is None
    assert "drained" not in MarbleDiagram(recorder).svg() + MarbleDiagram(recorder).text()
