"""Does the page on the engine speak of what exists?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "conveyor_rx"
PAGE = (ROOT / "docs" / "engine.md").read_text("utf-8")
NAMED = set(re.findall(r"`((?:\w+/)*\w+\.py|\w+/(?:\w+/)*)`", PAGE))
FILES = sorted(name for name in NAMED if not name.startswith("conveyor_rx/"))
VARIABLES = sorted(
    {
        name
        for row in re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
)
SOURCE = "\n".join(path.read_text("utf-8") for path in (PACKAGE / "operators").glob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_the_files_exist(name: str) -> None:
    """The page names files of the package."""
    assert (PACKAGE / name).exists()


@pytest.mark.parametrize("name", VARIABLES)
def test_the_variables_exist(name: str) -> None:
    """The tables of the scheduler's state name attributes of the operators."""
    assert re.search(rf"self\.{name}\b|^    {name}\b|\"{name}\"", SOURCE, re.MULTILINE)
