"""The pictures: each is that of the program above it, and has words for who can't see it."""

from __future__ import annotations

import runpy
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.kit import ROOT

DRAWING: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "draw.py"))
PICTURES = list(DRAWING["pictures"]())
each_picture = pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.path.stem)


def test_the_readme_has_a_picture() -> None:
    """It shows the README's one program."""
    assert PICTURES[0].program.page == ROOT / "README.md"


@each_picture
def test_a_picture_is_that_of_its_program(picture: Any) -> None:
    """`docs/draw.py` would draw what is committed."""
    committed = picture.path.read_text(encoding="utf-8")
    assert DRAWING["draw"](picture.program) == committed
    shown = " ".join(ElementTree.fromstring(committed).itertext())
    assert "@single_task" in shown or "@batch_task" in shown


@each_picture
def test_a_picture_has_words(picture: Any) -> None:
    """Who can't see it reads what it shows."""
    assert len(picture.text) > 80
