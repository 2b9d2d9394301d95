"""Does a name or a value of a user's change how the text around it looks, or hide in it?"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx.diagrams import MarbleDiagram, draw, record
from conveyor_rx.probes import LoggingProbe

CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
OTHERS = "\u200b\u2028\u2029\ufeff\u00ad\U000e0041"
PILE = "e" + "\u0301" * 40
NAME = f"a{CONTROLS}b{OTHERS}c"


class Odd(Exception):
    pass


Odd.__name__ = NAME


async def the_diagram(**options: Any) -> MarbleDiagram:
    def work(item: str) -> str:
        if item == "fails":
            raise Odd(NAME)
        return NAME

    stage = single_task(
        work, task_name=NAME, on_error="skip_item" if options.pop("skip", False) else "fail"
    )
    with record(labels=lambda value: value) as recorder:
        stream = (stage | single_task(str))([NAME, "fails", NAME])
        try:
            await stream.collect()
        except Odd:
            pass
    return MarbleDiagram(recorder, **options)


def html_of(diagram: MarbleDiagram) -> str:
    """Give what a notebook shows, the text and the picture within."""
    html = diagram._repr_mimebundle_()["text/html"]
    data = html.partition("base64,")[2].partition('"')[0]
    return html + base64.b64decode(data).decode()


FORMS: dict[str, Callable[[MarbleDiagram], str]] = {
    "svg": MarbleDiagram.svg,
    "html": MarbleDiagram.html,
    "text": MarbleDiagram.text,
    "coloured text": lambda diagram: diagram.text(color=True).replace("\x1b", ""),
    "notebook": html_of,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("options", [{}, {"title": NAME}, {"skip": True}], ids=str)
async def test_diagrams_show_dots_in_their_place(form: str, options: dict[str, Any]) -> None:
    """E2, and what is shown is what is there: names, titles, labels, types of errors."""
    picture = FORMS[form](await the_diagram(**options))
    assert "a············b" in picture
    assert not [char for char in CONTROLS + OTHERS if char in picture]


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "image/svg+xml", "text/vnd.mermaid"])
async def test_a_pipeline_shows_dots_in_their_place(kind: str) -> None:
    """In each format, also in the options of a stage."""
    stage = single_task(str, task_name=NAME) | single_task(str, task_name=PILE)
    shown = stage._repr_mimebundle_()[kind]
    if kind == "text/html":
        data = shown.partition("base64,")[2].partition('"')[0]
        shown += base64.b64decode(data).decode()
    unwanted = [
        char
        for char in shown
        if unicodedata.category(char) in ("Cf", "Zl", "Zp") and char != "\u200b"  # Mermaid's breaks
    ]
    assert not unwanted
    assert shown.count("\u0301") <= 6


async def test_a_title_piles_up_no_accents() -> None:
    """They would cover the lines above."""
    diagram = await draw(single_task(str)([1]), title=PILE)
    assert diagram.svg().count("\u0301") <= 6


async def test_logs_show_dots_in_their_place(caplog: pytest.LogCaptureFixture) -> None:
    """Of a probe, which writes names."""
    from conveyor_rx.events import observe

    with caplog.at_level("DEBUG"), observe(LoggingProbe()):
        await single_task(str, task_name=NAME)([1]).collect()
    written = "\n".join(caplog.messages)
    assert not [char for char in CONTROLS + OTHERS if char in written]


@pytest.mark.parametrize("one_line", [False, True])
async def test_progress_shows_dots_in_their_place(one_line: bool) -> None:
    """Also of the error that ended a run."""
    pytest.importorskip("rich", reason="the extra `rich` is not installed")
    from conveyor_rx.probes.progress import progress
    from tests.probes.terminal import Terminal, console

    def fail(item: int) -> int:
        raise Odd

    terminal = Terminal()
    with pytest.raises(Odd), progress(one_line=one_line, console=console(terminal, width=200)):
        await single_task(fail, task_name=NAME)([1]).collect()
    assert not [char for char in CONTROLS + OTHERS if char in terminal.getvalue()]
