"""Does every shape stand at its instant, and none beyond the axis, whatever is recorded?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conveyor_rx import batch_task, single_task
from conveyor_rx._text.columns import columns
from conveyor_rx.diagrams import MarbleDiagram, record
from conveyor_rx.diagrams._bars import BEHIND
from conveyor_rx.diagrams._lane_layout import ARROW
from conveyor_rx.diagrams._layout import AXIS_LEFT, AXIS_RIGHT, SPILL, layout
from conveyor_rx.diagrams._line import TIE
from conveyor_rx.diagrams._recording import Lane, Loss, Marble, Recording
from conveyor_rx.diagrams._views import LaneView, Picture
from tests.diagrams.recordings import recordings

HALF = 10.0  # of a marble
EDGE = 0.11  # what rounding may add
SVG = "{http://www.w3.org/2000/svg}"
slowly = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def spans_of(lane: LaneView) -> Iterator[tuple[str, float, float]]:
    """Give the left and the right edge of all that stands on the axis by its instant alone."""
    yield from (("bar", bar.x, bar.x + bar.width) for bar in lane.bars)
    yield from (("retry", wait.x1, wait.x2) for wait in lane.retries)
    yield from (("wait", wait.x1, wait.x2) for wait in lane.waits)
    yield from (("area", x, x) for area in lane.areas for x, _ in area.points)
    yield from (("ticks", x, x) for ticks in lane.ticks for x in ticks.xs)
    yield from (("ring", ring.x, ring.x) for ring in lane.rings)
    yield from (("held", held.x1 - 3.6, held.x2) for held in lane.held)


def check_places(picture: Picture, width: float) -> None:
    left, right = AXIS_LEFT, width - AXIS_RIGHT
    for lane in picture.lanes:
        for what, begin, end in spans_of(lane):
            assert left - EDGE <= begin, what
            assert end <= right + EDGE, what
        for disc in lane.discs:
            assert left - HALF - EDGE <= disc.x - disc.width / 2
            assert disc.x + disc.width / 2 <= right + SPILL
            assert lane.top <= disc.y - disc.height / 2
            assert disc.y + disc.height / 2 <= lane.top + lane.height
        for capsule in lane.capsules:
            assert left - HALF - TIE - EDGE <= capsule.x
            assert capsule.x + capsule.width <= right + SPILL + TIE
            assert lane.top <= capsule.y
            assert capsule.y + capsule.height <= lane.top + lane.height
        for bar in lane.bars:
            assert lane.top <= bar.y <= bar.y + bar.height <= lane.top + lane.height
            assert 0 <= bar.queued < bar.width
        assert max(lane.line_to, lane.end_x) <= right + SPILL + ARROW + 10
        for text in lane.texts:
            begin, top, end, bottom = text.box
            assert 0 <= begin <= end <= width
            assert lane.top <= top <= bottom <= lane.top + lane.height + 1
            if left <= begin < right:
                assert end <= right + BEHIND
    for mark in (picture.drained, picture.watermark and picture.watermark.x):
        assert mark is None or left - EDGE <= mark <= right + EDGE
    for link in picture.links:
        for x in (link.x1, link.x2):
            assert left - HALF - EDGE <= x <= right + SPILL


def numbers_of(picture: str) -> Iterator[tuple[float, float]]:
    """Give x and y of what is written in an SVG, as far as it is absolute."""
    for element in ElementTree.fromstring(picture).iter():
        at = element.attrib
        if element.tag == SVG + "rect" and "x" in at:
            x, y = float(at["x"]), float(at["y"])
            yield x, y
            yield x + float(at["width"]), y + float(at["height"])
        elif element.tag == SVG + "circle":
            yield float(at["cx"]), float(at["cy"])
        elif element.tag == SVG + "polygon":
            yield from (
                (float(point.split(",")[0]), float(point.split(",")[1]))
                for point in at["points"].split()
            )
        elif element.tag == SVG + "path":
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", at["d"]):
                yield float(x), float(y)


@slowly
@given(recordings(), st.sampled_from([600.0, 1180.0]), st.sampled_from(["auto", "dark"]))
def test_no_shape_is_beyond_the_axis(recording: Recording, width: float, theme: Any) -> None:
    """Each stands between the ends of the axis, marbles and ends a little behind; none is cut."""
    check_places(layout(recording, width=width), width)
    picture = MarbleDiagram(recording, width=width, theme=theme).svg()
    height = float(ElementTree.fromstring(picture).attrib["height"])
    for x, y in numbers_of(picture):
        assert -EDGE <= x <= width + EDGE
        assert -EDGE <= y <= height + EDGE
    for columns_in_all in (40, 120):
        for line in MarbleDiagram(recording).text(width=columns_in_all).split("\n"):
            assert line.isprintable()
            assert columns(line) <= columns_in_all


def with_losses(losses: int, span: float = 10.0) -> Recording:
    """Give a run in which many items are skipped at one instant, then a batch comes."""
    stage = Lane("stage", "single_task", ended=span)
    stage.losses = [Loss("skipped", 1.0, (n,), (n,)) for n in range(losses)]
    stage.marbles = [Marble(n, (n,), "", 9.9, 9.9, None, n) for n in range(losses, losses + 4)]
    lanes = Lane("source", "source"), stage, Lane("output", "output")
    return Recording("stage", lanes, now=span, ended=span, outcome="completed")


def test_skips_push_no_marble_from_its_instant() -> None:
    """However many they are, what comes later stands where it belongs, and not behind them."""
    for losses in range(20):
        picture = layout(with_losses(losses))
        results = [disc for disc in picture.lanes[1].discs if disc.sign == "result"]
        right = 1180 - AXIS_RIGHT
        assert {disc.x for disc in results} == {AXIS_LEFT + (right - AXIS_LEFT) * 0.99}
        assert [disc.y for disc in results] == sorted({disc.y for disc in results})


async def test_marbles_of_one_instant_stand_below_each_other_and_are_tied_together() -> None:
    """A batch of four gives four results: one column, in their order, in one capsule."""

    @batch_task(max_size=4)
    async def work(batch: list[int]) -> list[int]:
        await asyncio.sleep(1)
        return batch

    with record() as recorder:
        await work(range(8)).collect()
    lane = layout(recorder.run).lanes[1]
    columns_of = {x: [d for d in lane.discs if d.x == x] for x in {disc.x for disc in lane.discs}}
    assert sorted(len(column) for column in columns_of.values()) == [4, 4]
    for column in columns_of.values():
        assert [disc.text for disc in column] in (["0", "1", "2", "3"], ["4", "5", "6", "7"])
        assert [disc.y for disc in column] == sorted(disc.y for disc in column)
        tie = next(one for one in lane.capsules if one.x < column[0].x < one.x + one.width)
        assert tie.y <= column[0].y
        assert column[-1].y <= tie.y + tie.height


async def test_calls_that_take_no_time_stay_at_their_instant() -> None:
    """A thousand that fail at once are one bar, not a row of them for seconds."""

    @single_task(on_error="skip_item")
    def fail(item: int) -> int:
        raise ValueError(item)

    with record() as recorder:
        await (fail | single_task(asyncio.sleep))(range(1000)).collect()
        await asyncio.sleep(1)
    lane = layout(recorder.run).lanes[1]
    assert max(bar.x + bar.width for bar in lane.bars) <= AXIS_LEFT + 6


async def test_each_error_has_its_name_in_the_picture() -> None:
    """In the bar, behind it, or at least beside the lane with how many there were."""

    @single_task(concurrency_limit=1, retry_attempts=2, retry_delay=3, on_error="skip_item")
    async def work(item: int) -> int:
        await asyncio.sleep(0.001)
        raise ConnectionResetError(item)

    with record() as recorder:
        await work([1, 2]).collect()
    lane = layout(recorder.run).lanes[1]
    first, *_, last = lane.bars
    behind, *_, before = (text for text in lane.texts if text.text == "ConnectionResetError")
    assert 0 < behind.x - first.x - first.width < 5
    assert 0 < last.x - before.box[2] < 5
    assert "4 × ConnectionResetError" in [text.tip for text in lane.texts]
    assert "4 × ConnectionResetError" in MarbleDiagram(recorder).text()

    with record() as recorder:
        await single_task(work.func, on_error="skip_item")(range(300)).collect()
    tips = [text.tip for text in layout(recorder.run).lanes[1].texts]
    assert "300 × ConnectionResetError" in tips
