"""Is the page of a diagram a page of its own, that nothing foreign gets into?"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conveyor_rx import single_task
from conveyor_rx.diagrams import MarbleDiagram, draw, record
from conveyor_rx.testing import source
from tests.diagrams.test_labels import HOSTILE


class Reader(HTMLParser):
    """Counts the tags, and keeps the attributes and the texts of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.values: set[str] = set()
        self.scripts: list[str] = []
        self.policy = ""
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._tag = tag
        self.attributes.update(name for name, _ in attrs)
        values = dict(attrs)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""
        else:
            self.values.update(v or "" for n, v in attrs if n not in ("xmlns", "aria-label"))

    def handle_data(self, data: str) -> None:
        if self._tag == "script" and data.strip():
            self.scripts.append(data)


class Failure(Exception):
    pass


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


async def page_of(name: str, error: Exception) -> str:
    """Draw a run in which all that is a text of the user's is `name`."""

    @single_task(task_name="task", on_error="skip_item")
    async def work(item: str) -> str:
        await asyncio.sleep(1)
        if item == "fails":
            raise error
        return item

    # Apart from each other, so that none is hidden in a pile where labels are wide.
    items = source("a---fails---b---|")
    with record(labels=lambda _: name) as recorder:
        await work(items).collect()
    return MarbleDiagram(recorder, title=name or "-").html()


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_label_is_nothing_but_text(label: str) -> None:
    """No foreign tag, attribute, script or address; as many nodes as of a harmless label."""
    harmless = read(await page_of("abc", Failure()))
    found = read(await page_of(label, Failure(label)))
    texts = {"g", "text", "title", "tspan"}  # a label of no width is shown in another way
    assert {t: n for t, n in found.tags.items() if t not in texts} == {
        t: n for t, n in harmless.tags.items() if t not in texts
    }
    assert set(found.tags) <= set(harmless.tags)
    assert found.attributes == harmless.attributes
    assert found.scripts == harmless.scripts
    assert not [v for v in found.values if re.search(r"javascript|https?:|url[(]|alert", v)]


async def test_only_its_own_script_runs() -> None:
    """The policy names the hash of the one script, and lets nothing be loaded."""
    reader = read(await page_of("abc", ValueError()))
    (script,) = reader.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in reader.policy
    assert f"script-src 'sha256-{digest}'" in reader.policy
    assert "src" not in reader.attributes
    assert "href" not in reader.attributes


async def test_the_page_has_both_colour_schemes_and_the_details(tmp_path: Path) -> None:
    """The pictures are those of both themes; `save` writes the page."""

    @single_task
    async def work(item: int) -> int:
        await asyncio.sleep(1)
        return item

    diagram = await draw(work(range(3)))
    page = diagram.html()
    for theme in ("light", "dark"):
        assert MarbleDiagram(diagram.recording, theme=theme).svg() in page
    assert "prefers-color-scheme" in page
    assert "work, call 2, input 2: 1 s, completed" in page
    diagram.save(tmp_path / "run.html")
    assert (tmp_path / "run.html").read_text("utf-8") == page
    with pytest.raises(ValueError, match="path must end in"):
        diagram.save(tmp_path / "run.png")
