"""Where a call was made, and how long it waited for that, in diagrams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conveyor_rx import AsyncStream, BatchTask, SingleTask, single_task
from conveyor_rx.diagrams import MarbleDiagram, Recording, record
from conveyor_rx.diagrams._layout import layout
from conveyor_rx.diagrams._text import render
from conveyor_rx.diagrams._words import figures
from tests.executors import functions as f
from tests.executors.virtual import VirtualExecutor


def by_number(number: int) -> float:
    return 1.0 + number % 2


def two(seconds: Callable[[Any], float] = by_number) -> VirtualExecutor:
    return VirtualExecutor("process 71", "process 72", seconds=seconds)


async def recorded(stream: AsyncStream[Any]) -> Recording:
    with record() as recorder:
        await stream.collect()
    return recorder.run


def titles(recording: Recording) -> list[str]:
    """Give what the pointer shows of bars."""
    return [bar.tip for lane in layout(recording).lanes for bar in lane.bars]


async def test_text_tells_waits_from_work_and_names_workers() -> None:
    """P4: what waits for its worker is dotted, its worker has a number, and names stand below."""
    task = SingleTask(f.double, executor=two(), concurrency_limit=3)
    drawn = render(await recorded(task(range(4))), width=76).splitlines()
    assert [line for line in drawn if line.startswith("slot")] == [
        "slot 1     0@1━━━━━━━━━━━━3╌╌╌╌╌╌╌╌╌╌╌╌╌╌@1━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "slot 2     1@2━━━━━━━━━━━━━━━━━━━━━━━━━━━",
        "slot 3     2╌╌╌╌╌╌╌╌╌╌╌╌╌╌@1━━━━━━━━━━━━━",
    ]
    assert "75% of 2 workers busy" in drawn[7]  # the second has nothing to do after 2 s
    assert drawn[-2:] == [
        "0╌╌@1━ waiting for worker, then at worker 1   (0123) at one time   | end",
        "@1 process 71, @2 process 72",
    ]


async def test_bars_are_thin_where_calls_wait() -> None:
    """P4: the wait is a part of its bar; the text has the worker's number, the pointer its name."""
    task = SingleTask(f.double, executor=two(), concurrency_limit=3)
    recording = await recorded(task(range(4)))
    picture = layout(recording)
    bars = picture.lanes[1].bars
    shares = [round(bar.queued / bar.width, 1) for bar in bars]
    assert sorted(shares) == [0.0, 0.0, 0.3, 0.5]
    assert [bar.text for bar in bars] == ["0 @1", "3 @1", "1 @2", "2 @1"]
    assert bars[3].tip == (
        "double, call 2, input 2: 2 s, of which 1 s in wait for process 71, completed (from 0 s)"
    )
    legend = {entry.sign: entry.text.text for entry in picture.legend}
    assert legend["queued"] == "waiting for worker, then at work"
    assert legend["worker"] == "@1 process 71, @2 process 72"


async def test_stages_share_the_numbers_of_workers() -> None:
    """P4: a worker has one number in a run, for batches, too; calls on the loop have none."""
    executor = two()
    pipeline = (
        SingleTask(f.double, executor=executor)
        | single_task(f.double, task_name="here")
        | BatchTask(f.all_doubled, max_size=2, executor=VirtualExecutor("x", seconds=len))
    )
    recording = await recorded(pipeline([1, 2]))
    assert recording.workers == {"process 72": 1, "process 71": 2, "x": 3}
    texts = [[bar.text for bar in lane.bars] for lane in layout(recording).lanes[1:-1]]
    assert texts == [["0 @2", "1 @1"], ["", ""], ["@3"]]


async def test_figures_are_of_workers() -> None:
    """P4: the busy share is that of the workers, and not of slots in which calls wait."""
    executor = VirtualExecutor("a", seconds=lambda item: 2.0)
    recording = await recorded(SingleTask(f.double, executor=executor)(range(4)))
    lines = [line for line, _ in figures(recording.lanes[1], 8.0)]
    assert lines == ["100% of 1 worker busy", "4 calls", "worker wait 3 s"]


async def test_failed_attempts_have_workers_too() -> None:
    """P4: each attempt has its own."""
    executor = VirtualExecutor("a", "b", seconds=lambda item: 0.5 if item == "x" else 1.0)
    task = single_task(
        f.obey,
        executor=executor,
        concurrency_limit=2,
        retry_attempts=2,
        on_error="skip_item",
        retry_delay=2,
    )
    recording = await recorded(task(["x", "fail"]))
    texts = [bar.text for bar in layout(recording).lanes[1].bars]
    assert texts == ["0 @1", "1 @2 · Boom", "1 @1 · Boom"]


async def test_many_calls_are_counted_apart() -> None:
    """P4: where calls are too many for bars, those that workers are at are told from those sent."""
    executor = VirtualExecutor(*"abcd", seconds=lambda item: 1.0)
    recording = await recorded(SingleTask(f.double, executor=executor)(range(200)))
    picture = layout(recording)
    assert [area.role for area in picture.lanes[1].areas[:2]] == ["queue", "line"]
    assert [text.text for text in picture.lanes[1].texts if "sent" in text.text] == [
        "up to 200 calls sent to 4 workers"
    ]
    assert "busy ≤4" in render(recording, width=80)
    assert "<svg" in MarbleDiagram(recording).svg()


async def test_of_many_workers_some_are_named() -> None:
    """P4: a legend names as many as have room, and counts the rest."""
    executor = VirtualExecutor(*(f"w{n}" for n in range(1, 13)), seconds=lambda item: 1.0)
    recording = await recorded(
        SingleTask(f.double, executor=executor, concurrency_limit=4)(range(12))
    )
    legend = {entry.sign: entry.text.text for entry in layout(recording).legend}
    assert legend["worker"] == "@1 w1, @2 w2, @3 w3, @4 w4, @5 w5, @6 w6, and 6 more"


async def test_names_are_made_harmless() -> None:
    """A name that comes from an executor is one short line, whatever it holds."""
    executor = VirtualExecutor("<b>\n" + "x" * 200, seconds=lambda item: 1.0)
    recording = await recorded(SingleTask(f.double, executor=executor)([1]))
    (name,) = recording.workers
    assert len(name) <= 40
    assert "\n" not in name
    assert "<b>" not in MarbleDiagram(recording).svg()
