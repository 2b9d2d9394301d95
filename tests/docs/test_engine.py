"""Does the page on the engine speak of what exists?"""

import ast
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
SOURCE = "\n".join(path.read_text("utf-8") for path in (PACKAGE / "_engine").rglob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_the_files_exist(name: str) -> None:
    """The page names files of the package."""
    assert (PACKAGE / name).exists()


@pytest.mark.parametrize("name", VARIABLES)
def test_the_variables_exist(name: str) -> None:
    """The tables of the scheduler's state name attributes of the operators."""
    assert re.search(rf"self\.{name}\b|^    {name}\b|\"{name}\"", SOURCE, re.MULTILINE)


def test_the_modules_are_all_there() -> None:
    """The tables of modules list each one, with the question that its docstring begins with."""
    page = PAGE.replace("\\|", "|")  # as it is written within a table
    rows = dict(re.findall(r"^\| `([\w/]+(?:\.py|/))` \| (.*) \|$", page, re.MULTILINE))
    private = [path for path in PACKAGE.glob("_*/") if path.name not in ("__pycache__", "_picture")]
    files = [*PACKAGE.glob("*.py"), *(file for path in private for file in path.rglob("*.py"))]
    modules = {str(path.relative_to(PACKAGE)): path for path in files}
    modules |= {f"{path.parent.name}/": path for path in PACKAGE.glob("*/__init__.py")}
    modules |= {
        f"_engine/{path.parent.name}/": path for path in PACKAGE.glob("_engine/*/__init__.py")
    }
    questions = {
        name: (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
        for name, path in modules.items()
        if path.name != "__init__.py" or name.endswith("/")
    }
    assert rows == questions
