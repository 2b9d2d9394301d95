"""The site: nothing is left out of it. That its links hold, `.ci/run` finds by building it."""

from __future__ import annotations

import re

import pytest

import conveyor_rx
from conveyor_rx import AsyncStream
from conveyor_rx._fluent import Fluent
from tests.kit import ROOT
from tests.test_public_face import PUBLIC

DOCS = ROOT / "docs"
REFERENCE = "".join(
    page.read_text(encoding="utf-8") for page in sorted((DOCS / "reference").glob("*.md"))
)


@pytest.mark.parametrize("module", sorted(PUBLIC.keys() - {"conveyor_rx"}))
def test_every_public_module_is_in_the_reference(module: str) -> None:
    """Issue 14.7: the reference is made from the docstrings of all public modules."""
    assert f".. automodule:: {module}\n" in REFERENCE


def test_every_name_of_the_package_is_in_the_reference() -> None:
    """Who knows a name finds its page."""
    index = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    assert set(conveyor_rx.__all__) <= set(re.findall(r"`(\w+)`", index))


@pytest.mark.parametrize(
    ("page", "pattern"),
    [
        ("examples.md", "examples/*.py"),
        ("notebooks.md", "notebooks/*.ipynb"),
        ("how-to/index.md", "docs/how-to/*.md"),
        ("reference/index.md", "docs/reference/*.md"),
    ],
)
def test_an_overview_lists_all(page: str, pattern: str) -> None:
    """No example, notebook or page is left out of the page that lists them."""
    text = (DOCS / page).read_text(encoding="utf-8")
    stems = {path.stem for path in ROOT.glob(pattern)} - {"index"}
    assert stems
    assert [stem for stem in sorted(stems) if not re.search(rf"\b{stem}\b", text)] == []


def test_the_reference_lists_all_that_a_stream_has_of_its_own() -> None:
    """Issue 14.7: one by one, for autodoc would add all that Rx gives."""
    page = (DOCS / "reference" / "stream.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^   :members: (.+)$", page, re.MULTILINE)
    ours = AsyncStream.__mro__[: AsyncStream.__mro__.index(Fluent)]
    public = {name for kind in ours for name in vars(kind) if not name.startswith("_")}
    assert set(listed.split(", ")) == {*public, "pipe"}  # which is where Rx begins
