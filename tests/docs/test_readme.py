"""The README: short, and every command, path and picture in it holds."""

from __future__ import annotations

import re

import pytest

from tests.kit import ROOT

README = (ROOT / "README.md").read_text()


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


def test_the_readme_is_short() -> None:
    """Issue 14.7: at most 7 KB; everything else stands on the site."""
    assert len(README.encode()) <= 7000
