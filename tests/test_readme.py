"""The README: every code block runs and prints what it says, every command and link holds."""

from __future__ import annotations

import asyncio
import re
import runpy
import textwrap
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from conveyor_rx import testing
from tests.kit import ROOT

README = (ROOT / "README.md").read_text()


class Block(NamedTuple):
    line: int
    language: str
    body: str


def fenced_blocks(text: str) -> list[Block]:
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(text.count("\n", 0, match.start(2)) + 1, match[1], match[2]) for match in found]


def programs(text: str) -> list[tuple[Block, str]]:
    """Give each python block with the output that it claims: the text block right after it."""
    blocks = fenced_blocks(text)
    following = [*blocks[1:], Block(0, "", "")]
    return [
        (block, after.body if after.language == "text" else "")
        for block, after in zip(blocks, following, strict=True)
        if block.language == "python"
    ]


PROGRAMS = programs(README)


@pytest.mark.parametrize(
    ("block", "claimed"), PROGRAMS, ids=[f"line-{block.line}" for block, _ in PROGRAMS]
)
def test_code_block_prints_what_it_says(
    block: Block,
    claimed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A block of the README, copied into a file of its own, prints exactly the text below it."""
    monkeypatch.setattr(asyncio, "run", testing.run)  # in virtual time
    padding = "\n" * (block.line - 1)  # so that a traceback shows the README's own line
    code = compile(padding + block.body, str(ROOT / "README.md"), "exec")
    exec(code, {"__name__": "__main__"})
    assert capsys.readouterr().out == claimed


def test_every_text_block_is_a_claim_that_is_checked() -> None:
    """No output stands in the README without the program that prints it."""
    texts = [block.body for block in fenced_blocks(README) if block.language == "text"]
    assert texts
    assert texts == [claimed for _, claimed in PROGRAMS if claimed]


@pytest.mark.parametrize("name", ["main", "tests"])
def test_set_up_command_is_one_line(name: str) -> None:
    """Each set-up command is one line under its marker, where `.ci/run` finds and runs it."""
    marked = re.findall(rf"^<!-- command: {name} -->\n\n```sh\n(.*?)^```$", README, re.M | re.S)
    assert len(marked) == 1
    assert marked[0].count("\n") == 1
    assert marked[0].startswith("python3 -m venv .venv && ")


def test_paths_named_in_the_readme_exist() -> None:
    """Every file that the README links to or runs is there, and so is every heading."""
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    paths = [link for link in links if not link.startswith(("#", "http"))]
    paths += re.findall(r"(?<![\w/])(?:examples|tests)/[\w/]+\.py", README)
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in headings}
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [link for link in links if link.startswith("#") and link[1:] not in anchors] == []


def test_the_picture_is_that_of_the_quick_start() -> None:
    """`docs/draw.py` would draw what is committed; the picture has a text for who can't see it."""
    drawing = runpy.run_path(str(ROOT / "docs" / "draw.py"))
    picture = drawing["PICTURE"].read_text(encoding="utf-8")
    assert drawing["draw"]() == picture
    shown = " ".join(ElementTree.fromstring(picture).itertext())
    for words in ("double | total | add_ten", "concurrency_limit=2", "3/3 · full", "1/3 · flush"):
        assert words in shown
    assert re.search(r"!\[[^]]{80,}\]\(docs/quick-start\.svg\)", README)


def test_a_wrong_claim_would_be_found() -> None:
    """The reader of the README pairs a program with its output, and one without with nothing."""
    text = textwrap.dedent(
        """\
        ```python
        print(1)
        ```

        prints

        ```text
        1
        ```

        ```python
        x = 1
        ```
        """
    )
    assert programs(text) == [
        (Block(2, "python", "print(1)\n"), "1\n"),
        (Block(12, "python", "x = 1\n"), ""),
    ]
