"""What does the diagram of a run show? Drawn of real runs, in virtual time."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, batch_task, single_task
from conveyor_rx.diagrams import MarbleDiagram, Recorder, draw, record
from conveyor_rx.testing import run, source
from tests.diagrams.test_labels import HOSTILE
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {
    SVG + tag
    for tag in ("svg", "rect", "path", "g", "circle", "polygon", "text", "tspan", "title", "style")
}
STYLE = r"@media \(prefers-color-scheme:dark\)\{(\.cvrx-[a-z-]+\{(fill|stroke):#[0-9a-f]{6}\})+\}"


@single_task(concurrency_limit=3, retry_attempts=2, retry_delay=0.1, on_error="skip_item")
async def fetch(number: int) -> int:
    await asyncio.sleep(0.05 + number * 7 % 5 / 20)
    if number == 6:
        raise TimeoutError
    return number


@batch_task(max_size=3)
async def rank(numbers: list[int]) -> list[int]:
    await asyncio.sleep(0.1)
    return numbers


def nodes(picture: str) -> Counter[str]:
    """Parse an SVG, check that nothing foreign is in it, and count its elements."""
    found: Counter[str] = Counter()
    for element in ElementTree.fromstring(picture).iter():
        found[element.tag] += 1
        assert element.tag in TAGS, element.tag
        assert element.tag != SVG + "style" or re.fullmatch(STYLE, element.text or "")
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert "href" not in name, name
            if name not in ("aria-label", "font-family"):
                assert not re.search(r"script|url[(]|:", value), (name, value)
    return found


async def test_the_picture_shows_stages_batches_retries_and_what_is_skipped() -> None:
    """Each word that a reader needs is in it, in both themes."""
    diagram = await draw((fetch | rank)(range(9)))
    assert diagram.error is None
    for theme in ("light", "dark"):
        picture = MarbleDiagram(diagram.recording, theme=theme).svg()
        texts = " ".join(ElementTree.fromstring(picture).itertext())
        for word in ("fetch", "@single_task", "rank", "3/3", "full", "2/3", "flush", "Timeout"):
            assert word in texts, word
        assert "9 in" in texts
        assert "8 out" in texts
        nodes(picture)


async def test_the_picture_says_why_batches_by_weight_and_key_were_cut() -> None:
    """Of a batch without a greatest size only the number of items is said; what is refused, too."""

    @batch_task(max_weight=3, weight=lambda n: 2 - n, group_by=bool, on_error="skip_item")
    async def pack(items: list[int]) -> int:
        await asyncio.sleep(1)
        return sum(items)

    diagram = await draw(pack([0, 1, 0, 3, 1, 1, 1]))
    assert diagram.error is None
    texts = " ".join(ElementTree.fromstring(diagram.svg()).itertext())
    for word in (
        "1 · weight",
        "3 · weight",
        "1 · flush",
        "batch of 3, cut as weight",
        "ValueError",
    ):
        assert word in texts, word
    assert "skipped" in diagram.text()


async def test_text_and_notebook_show_the_same_run() -> None:
    """The repr is the text; the bundle has an image that an untrusted notebook shows, too."""
    diagram = await draw((fetch | rank)(range(4)))
    bundle = diagram._repr_mimebundle_()
    assert repr(diagram) == bundle["text/plain"] == diagram.text()
    assert bundle["image/svg+xml"] == diagram.svg()
    data = bundle["text/html"].partition("base64,")[2].partition('"')[0]
    assert base64.b64decode(data).decode() == diagram.svg()
    assert "<svg" not in bundle["text/html"]


async def test_a_failing_run_is_drawn_and_its_error_kept() -> None:
    """`draw` shows how far it came."""

    @single_task
    async def fail(number: int) -> int:
        await asyncio.sleep(number)
        if number == 2:
            raise ValueError(number)
        return number

    diagram = await draw(fail(range(5)))
    assert isinstance(diagram.error, ValueError)
    assert "ValueError" in diagram.text()
    nodes(diagram.svg())


async def test_a_run_that_goes_on_can_be_drawn() -> None:
    """As far as it has come; the same recorder gives the rest later."""
    with record() as recorder:
        async with fetch(range(9)) as stream:
            await anext(stream)
            running = MarbleDiagram(recorder).svg()
            nodes(running)
    assert MarbleDiagram(recorder).svg() != running


async def test_every_kind_of_stage_is_drawn() -> None:
    """Fan-out, plain functions of no duration, Rx operators, stages of one's own, nothing."""

    class Own(BaseTask[Any, Any]):
        async def process(self, items: AsyncIterable[Any]) -> AsyncIterator[Any]:
            async for item in items:
                yield item

    @single_task
    def split(number: int) -> list[int]:
        return [number] * 3

    pipeline = split | ops.map(lambda n: n + 1) | Own() | rank
    for data in ([], [1], range(12)):
        stream: AsyncStream[Any] = pipeline(data)
        diagram = await draw(stream)
        nodes(diagram.svg())
        assert "ops.map" in diagram.text()


async def test_a_thousand_items_are_thinned_out() -> None:
    """The picture doesn't grow with the run, and says that not all is shown."""
    small, large = await draw(fetch(range(8))), await draw(fetch(n % 6 for n in range(1000)))
    assert "1,000 in" in large.svg()
    assert len(large.svg()) < 20 * len(small.svg())
    nodes(large.svg())


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_labels_of_users_stay_text(hostile: str) -> None:
    """No tag, attribute, script or URL gets through, and the nodes are as with harmless labels."""

    def drawn(name: str) -> Counter[str]:
        async def work(number: int) -> str:
            if number == 3:
                raise ValueError(name)
            return name

        async def main() -> MarbleDiagram:
            with record(labels=lambda value: name) as recorder:
                stage = single_task(work, task_name=name or "-", on_error="skip_item")
                # Apart from each other, so that none is hidden in a pile where labels are wide.
                await stage(source("1---2---3---4---|")).collect()
            return MarbleDiagram(recorder, title=name or "-")

        diagram = run(main)
        assert not any(ord(char) < 32 and char != "\n" for char in diagram.text())
        return nodes(diagram.svg())

    found = await asyncio.to_thread(drawn, hostile)
    harmless = await asyncio.to_thread(drawn, "x" * max(len(hostile.strip()), 1))
    assert found == harmless


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_run_can_be_drawn(plan: Plan) -> None:
    """Whatever the stages, failures and consumers; all shapes lie within the picture."""
    with record() as recorder:
        check(plan)
    diagram = MarbleDiagram(recorder)
    root = ElementTree.fromstring(diagram.svg())
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for circle in root.iter(SVG + "circle"):
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height
    assert diagram.text()


async def test_saving(tmp_path: Path) -> None:
    """By the suffix; another one is refused by name."""
    diagram = await draw(fetch(range(3)))
    diagram.save(tmp_path / "run.svg")
    diagram.save(str(tmp_path / "run.txt"))
    assert (tmp_path / "run.svg").read_text(encoding="utf-8") == diagram.svg()
    assert (tmp_path / "run.txt").read_text(encoding="utf-8") == diagram.text() + "\n"
    with pytest.raises(ValueError, match="path must end in"):
        diagram.save("run.png")


@pytest.mark.parametrize("option", [{"width": 3}, {"theme": "blue"}, {"colour": "red"}])
async def test_bad_options_of_draw_are_refused_before_the_run(option: dict[str, Any]) -> None:
    """Bad input: as early as possible; the stream is as it was."""
    stream = single_task(lambda number: number)([1, 2])
    with pytest.raises((ValueError, TypeError), match=next(iter(option))):
        await draw(stream, **option)
    assert await stream.collect() == [1, 2]


def test_bad_options_are_refused() -> None:
    """By name, and at once."""
    theme: Any = "pink"
    with pytest.raises(ValueError, match="no run has begun"):
        MarbleDiagram(Recorder())
    with pytest.raises(ValueError, match="theme"):
        MarbleDiagram(Recorder(), theme=theme)
    with pytest.raises(ValueError, match="width"):
        MarbleDiagram(Recorder(), width=3)
