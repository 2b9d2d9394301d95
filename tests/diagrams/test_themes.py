"""Does a picture follow the light or dark of its reader, and do converters see its colours?"""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import fields
from typing import Any
from xml.etree import ElementTree

import pytest

from conveyor_rx import batch_task, single_task
from conveyor_rx.diagrams import MarbleDiagram, draw
from conveyor_rx.diagrams._colours import DARK, LIGHT, THEMES, Theme

STYLE = re.compile(r"<style>@media \(prefers-color-scheme:dark\)\{(.*?)\}</style>")
RULE = re.compile(r"\.(cvrx-(fill|stroke)-([a-z]+))\{(fill|stroke):(#[0-9a-f]{6})\}")


async def the_diagram(**options: Any) -> MarbleDiagram:
    """Draw a run with much in it, one of whose labels looks like a colour of ours."""

    @single_task(concurrency_limit=2, retry_attempts=2, on_error="skip_item", task_name='@ink"')
    async def work(item: int) -> int:
        await asyncio.sleep(item % 3)
        if item == 4:
            raise ValueError('fill="@ink"')
        return item

    return await draw((work | batch_task(3)(list))(range(9)), **options)


def colours_of(picture: str, *, is_dark: bool) -> list[tuple[str, ...]]:
    """Give fill and stroke of each shape, as a browser sees them."""
    style = STYLE.search(picture)
    rules = (
        {(name, kind): colour for name, _, _, kind, colour in RULE.findall(style[1])}
        if (style and is_dark)
        else {}
    )
    found: list[tuple[str, ...]] = []
    for element in ElementTree.fromstring(STYLE.sub("", picture)).iter():
        names = element.attrib.get("class", "").split()
        shown = [element.attrib.get(kind, "") for kind in ("fill", "stroke")]
        for name in names:
            for index, kind in enumerate(("fill", "stroke")):
                shown[index] = rules.get((name, kind), shown[index])
        found.append((element.tag, *shown))
    return found


async def test_it_follows_its_reader() -> None:
    """By default: with the dark colours of the dark theme, and else those of the light one."""
    auto = await the_diagram()
    for theme, is_dark in (("light", False), ("dark", True)):
        fixed = MarbleDiagram(auto.recording, theme=theme).svg()  # type: ignore[arg-type]  # one of the names
        assert colours_of(auto.svg(), is_dark=is_dark) == colours_of(fixed, is_dark=is_dark)
        assert "<style" not in fixed
        assert "class=" not in fixed
    assert auto.svg() == MarbleDiagram(auto.recording, theme="auto").svg()
    assert len(RULE.findall(auto.svg())) > 8


async def test_converters_that_know_no_styles_draw_it_light() -> None:
    """Each colour is a literal one in an attribute, and no placeholder is left."""
    picture = STYLE.sub("", (await the_diagram()).svg())
    for element in ElementTree.fromstring(picture).iter():
        for kind in ("fill", "stroke"):
            assert re.fullmatch("#[0-9a-fA-F]{6}|none|", element.attrib.get(kind, ""))
    assert f'fill="{LIGHT.ink}"' in picture
    assert DARK.ink not in picture
    assert "var(" not in picture


async def test_names_that_look_like_colours_stay_names() -> None:
    """What the user wrote is escaped, so nothing in it is taken for a role."""
    root = ElementTree.fromstring((await the_diagram()).svg())
    assert '@ink"' in list(root.itertext())


async def test_a_notebook_and_a_live_picture_follow_as_well() -> None:
    """An `<img>` follows the page's `color-scheme`: what is in it has the style sheet."""
    diagram = await the_diagram()
    html = diagram._repr_mimebundle_()["text/html"]
    data = base64.b64decode(html.partition("base64,")[2].partition('"')[0]).decode()
    assert STYLE.search(data)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_role_has_a_colour(theme: Theme) -> None:
    """As the style sheet writes it."""
    for role in fields(Theme):
        assert re.fullmatch("#[0-9a-f]{6}", getattr(theme, role.name))
