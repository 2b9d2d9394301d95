"""The picture of a pipeline before any run: what it says in each format, and that it is safe."""

from __future__ import annotations

import base64
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops

from conveyor_rx import batch_task, single_task
from conveyor_rx._picture import mermaid, mimebundle, svg, text
from conveyor_rx._text.columns import columns
from conveyor_rx.context import PipelineContext
from conveyor_rx.events import StageInfo
from tests.diagrams.test_labels import HOSTILE, Nodes

SVG = "{http://www.w3.org/2000/svg}"
USUAL = PipelineContext()
STAGES = [
    StageInfo(
        "fetch",
        "single_task",
        {"concurrency_limit": 4, "retry_attempts": 3, "on_error": "skip_item"},
        slots=4,
    ),
    StageInfo("ops.filter", "operator"),
    StageInfo("rank", "batch_task", {"max_size": 20, "min_size": 2}, slots=1, max_size=20),
    StageInfo("Dedupe", "own"),
]
SAID = [
    *"source fetch @single_task concurrency_limit=4 retry_attempts=3 on_error=skip_item".split(),
    *"ops.filter rank @batch_task max_size=20 min_size=2 Dedupe output ordered".split(),
    "Rx operator",
    "own stage",
]
TELLING = PipelineContext(execution_mode="as_completed", max_in_flight=8, max_parallelism=3)

names = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(HOSTILE)
kinds: Any = st.sampled_from(["single_task", "batch_task", "own", "operator"])
infos = st.builds(
    StageInfo, names, kinds, st.dictionaries(names, names | st.integers() | st.none(), max_size=3)
)


def plain(mermaid_text: str) -> str:
    """Decode Mermaid's codes of characters."""
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), mermaid_text)


def texts_of(picture: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def shape_of(picture: str) -> list[str]:
    return [element.tag for element in ElementTree.fromstring(picture).iter()]


def test_each_format_says_what_the_stages_are() -> None:
    """Names, kinds, options that differ from the defaults, the mode; and no default setting."""
    boxes, flowchart = text(STAGES, USUAL), plain(mermaid(STAGES, USUAL))
    drawn = texts_of(svg(STAGES, USUAL))
    for words in SAID:
        assert re.search(rf"(^|[ │]){re.escape(words)}($|[ │])", boxes, re.MULTILINE)
        assert words in re.split('"|<br/>', flowchart)
        assert words in drawn
    for picture in (boxes, flowchart, "".join(drawn)):
        assert "max_in_flight" not in picture
        assert "max_parallelism" not in picture


def test_settings_that_differ_from_the_defaults_stand_at_the_output() -> None:
    """The mode always, the bounds if they were set."""
    expected = ["output", "as completed", "max_in_flight=8", "max_parallelism=3"]
    assert texts_of(svg(STAGES, TELLING))[-4:] == expected
    assert f'n5("{"<br/>".join(expected)}")' in mermaid(STAGES, TELLING)
    drawn = text(STAGES, TELLING, width=200).splitlines()
    column = drawn[1].index("output")
    assert [line[column:] for line in drawn[1:5]] == expected


def test_the_order_of_the_stages_is_that_of_the_data() -> None:
    """From the source to the output, each joined to the next."""
    assert "n0 --> n1 --> n2 --> n3 --> n4 --> n5" in mermaid(STAGES, USUAL)
    bold = [
        element.text
        for element in ElementTree.fromstring(svg(STAGES, USUAL)).iter(f"{SVG}text")
        if element.get("font-weight") == "bold"
    ]
    assert bold == [stage.name for stage in STAGES]
    drawn = text(STAGES, USUAL, width=200).splitlines()[1]
    assert re.findall(r"[\w.]+|─▶", drawn) == (
        "source ─▶ fetch ─▶ ops.filter ─▶ rank ─▶ Dedupe ─▶ output".split()
    )


def test_the_text_is_drawn_like_this() -> None:
    """A row of boxes as high as they have to be."""
    stages = [STAGES[1], STAGES[2]]
    assert text(stages, USUAL).splitlines() == [
        "          ╭─────────────╮    ╭─────────────╮",
        "source ─▶ │ ops.filter  │ ─▶ │ rank        │ ─▶ output",
        "          │ Rx operator │    │ @batch_task │    ordered",
        "          ╰─────────────╯    │ max_size=20 │",
        "                             │ min_size=2  │",
        "                             ╰─────────────╯",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 100, 300])
def test_rows_of_text_stay_within_the_width(width: int) -> None:
    """Stages that find no room go on in the next row; none is lost, also if a name is wide."""
    stages = [*STAGES, StageInfo("日本語の名前が続く" * 2, "own")] * 3
    drawn = text(stages, TELLING, width=width)
    assert max(map(columns, drawn.splitlines())) <= width
    assert drawn.count("╭") == drawn.count("╯") == len(stages)
    assert drawn.count("─▶") >= len(stages) + 1


def test_rows_of_the_svg_stay_within_a_page() -> None:
    """And all that is drawn lies within the picture, no box upon another."""
    root = ElementTree.fromstring(svg(STAGES * 5, TELLING))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert width <= 960
    boxes = [
        tuple(float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        for box in root.iter(f"{SVG}rect")
    ]
    assert len(boxes) == len(STAGES) * 5 + 2
    for index, (x, y, w, h) in enumerate(boxes):
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        for x2, y2, w2, h2 in boxes[:index]:
            assert x2 + w2 < x or x + w < x2 or y2 + h2 < y or y + h < y2


@pytest.mark.parametrize("count", [60, 61, 500])
def test_of_very_many_stages_the_first_and_the_last_are_drawn(count: int) -> None:
    """And it is said how many more there are."""
    stages = [StageInfo(f"stage{number}", "own") for number in range(count)]
    more = f"{count - 60} more"
    for picture in (text(stages, USUAL), plain(mermaid(stages, USUAL)), svg(stages, USUAL)):
        drawn = [
            int(number) for number in re.findall(r"\bstage(\d+)\b", picture.split("</title>")[-1])
        ]
        assert drawn == [*range(50), *range(count - 10, count)]
        assert (more in picture) == (count > 60)


@pytest.mark.parametrize("stages", [[], STAGES[:1]])
def test_a_single_task_and_an_empty_pipeline_are_drawn_as_well(stages: list[StageInfo]) -> None:
    """From the source to the output in any case."""
    assert len(shape_of(svg(stages, USUAL))) > 5
    assert text(stages, USUAL).splitlines()[1].startswith("source ─▶ ")
    assert "n0 --> n1" in mermaid(stages, USUAL)


@given(st.lists(infos, max_size=4))
def test_hostile_names_and_options_change_no_shape(stages: list[StageInfo]) -> None:
    """SVG has the elements, Mermaid and text the lines that they have for harmless names."""
    harmless = [
        stage._replace(name="x", options={f"o{index}": 1 for index in range(len(stage.options))})
        for stage in stages
    ]
    picture = svg(stages, USUAL)
    assert shape_of(picture) == shape_of(svg(harmless, USUAL))
    assert picture.count("<style>") == 1
    allowed = {"svg", "title", "style", "rect", "text", "path", "polyline"}
    assert {tag.removeprefix(SVG) for tag in shape_of(picture)} <= allowed
    for element in ElementTree.fromstring(picture).iter():
        assert not {name for name in element.attrib if name.startswith("on") or "href" in name}
    picture.encode()

    flowchart = mermaid(stages, USUAL)
    expected = mermaid(harmless, USUAL)
    assert re.sub('"[^"]*"', "", flowchart) == re.sub('"[^"]*"', "", expected)
    for words in re.findall('"([^"]*)"', flowchart):
        codes = re.sub(r"<br/>|#\d+;", "", words)
        assert all(char.isalnum() or char in " ,()_.-=" for char in codes)

    assert all(line.isprintable() for line in text(stages, USUAL).splitlines())


def test_the_boxes_follow_their_reader() -> None:
    """On a dark page boxes are dark and texts light; converters that know no styles draw light."""
    picture = svg(STAGES, USUAL)
    dark = dict(re.findall(r"\.([\w-]+)\{fill:(#\w+)\}", picture))
    classes = re.findall(r'class="([\w-]+)" fill="(#\w+)"', picture)
    assert {name for name, _ in classes} == set(dark)
    assert all(dark[name] != light for name, light in classes)
    assert len(re.findall("<(?:rect|text) ", picture)) == len(classes)


@given(st.lists(infos, max_size=3))
def test_a_notebook_gets_an_image_of_the_svg(stages: list[StageInfo]) -> None:
    """One `<img>` and nothing else, since untrusted notebooks show no SVG; and other formats."""
    bundle = mimebundle(stages, USUAL)
    assert bundle["image/svg+xml"] == svg(stages, USUAL)
    assert bundle["text/plain"] == text(stages, USUAL)
    assert bundle["text/vnd.mermaid"] == mermaid(stages, USUAL)
    nodes = Nodes(bundle["text/html"])
    [(tag, *attributes)] = nodes.found
    given_attributes = dict(attributes)
    assert (tag, nodes.text) == ("img", "")
    assert list(given_attributes) == ["src", "alt", "style"]
    kind, _, data = given_attributes["src"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == bundle["image/svg+xml"]


def test_a_pipeline_and_a_task_show_themselves_before_any_run() -> None:
    """In each format that a notebook may show; nothing is run for it."""

    @single_task(concurrency_limit=3, retry_attempts=2)
    async def fetch(_: int) -> int:
        raise AssertionError

    @batch_task(max_size=5)
    async def rank(_: list[int]) -> int:
        raise AssertionError

    pipeline = fetch | rank | ops.filter(bool)
    bundle = pipeline.with_context(max_parallelism=2)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml", "text/vnd.mermaid"}
    for kind in ("text/plain", "image/svg+xml"):
        for word in ("fetch", "retry_attempts=2", "rank", "max_size=5", "ops.filter"):
            assert word in bundle[kind]
        assert "max_parallelism=2" in bundle[kind]
    assert "fetch" in fetch._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("delay", [0.5, 1.0, 2.5])
def test_a_delay_of_retries_is_shown_if_it_is_not_the_usual_one(delay: float) -> None:
    """Options that differ from the defaults, shorter or longer; without retries there is none."""

    def work(item: int) -> int:
        return item

    tried_again = single_task(retry_attempts=2, retry_delay=delay)(work)
    shown = tried_again._repr_mimebundle_()["text/plain"]
    assert ("retry_delay" in shown) == (delay != 1.0)
    assert f"retry_delay={delay}" in shown or delay == 1.0
    assert (
        "retry_delay" not in single_task(retry_delay=delay)(work)._repr_mimebundle_()["text/plain"]
    )
