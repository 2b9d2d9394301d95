"""The notebooks: do they run, and do they show a reader what they would show if run now?"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.kit import ROOT

NOTEBOOKS = ROOT / "notebooks"
DURATION = re.compile(r"\b[\d.]+ (min|s|ms|µs|ns)\b")


PROMISED = {
    "01-first-pipeline": 2,
    "02-order-and-concurrency": 7,
    "03-batches-and-errors": 9,
    "04-rx": 5,
    "05-finding-a-bottleneck": 5,
    "06-under-real-conditions": 12,
    "07-on-all-cores": 4,
}
"""The notebooks, and how many diagrams each holds. They are drawn in virtual time, and so the same
each time, but for those in cells with the tag `real-time`."""
each_notebook = pytest.mark.parametrize("name", sorted(PROMISED))


def test_every_notebook_has_a_promise() -> None:
    """No notebook stands beside the tests without being run by them."""
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(PROMISED)


@each_notebook
def test_a_fresh_kernel_gives_what_is_committed(name: str, tmp_path: Path) -> None:
    """No cell fails, and the committed file is what running it gives, real durations aside."""
    result = subprocess.run(
        [sys.executable, NOTEBOOKS / "build.py", "--into", tmp_path, name],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        # In the kernel, where a warning is an output: it would differ from what is committed.
        env={**os.environ, "PYTHONWARNINGS": "default", "PYTHONIOENCODING": "utf-8"},
    )
    assert result.returncode == 0, result.stderr
    fresh, committed = load(tmp_path / f"{name}.ipynb"), load(NOTEBOOKS / f"{name}.ipynb")
    without_real_time(fresh)
    without_real_time(committed)
    assert fresh == committed


@each_notebook
def test_what_a_cell_shows_is_there(name: str) -> None:
    """Cells that end in an expression have output, none has an error or a warning."""
    cells = code_cells(load(NOTEBOOKS / f"{name}.ipynb"))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        source = "".join(cell["source"])
        if ends_in_expression(source):
            assert cell["outputs"], source
        for output in cell["outputs"]:
            assert output["output_type"] != "error", source
            assert output.get("name") != "stderr", source


@each_notebook
def test_diagrams_show_everywhere(name: str) -> None:
    """Diagrams are there as text, as SVG, and as the image that an untrusted notebook may show."""
    shown = list(diagrams(code_cells(load(NOTEBOOKS / f"{name}.ipynb"))))
    assert len(shown) == PROMISED[name]
    for data in shown:
        assert data.keys() >= {"text/plain", "text/html", "image/svg+xml"}
        picture = "".join(data["image/svg+xml"])
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
        assert " in · " in "".join(data["text/plain"])
        image = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', "".join(data["text/html"]))
        assert image is not None
        assert b64decode(image[1]).decode() == picture


@each_notebook
def test_nothing_of_the_machine_is_committed(name: str) -> None:
    """A notebook names no folder of whoever ran it, no process and no moment."""
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    paths = (r"/home/\w", r"/Users/\w", r"/tmp/\w")
    for pattern in (*paths, r"ipykernel_\d", r"\b0x[0-9a-f]{6}", r"process \d{4}"):
        assert not re.search(pattern, text), pattern
    assert str(ROOT) not in text
    assert "iopub" not in text


@each_notebook
def test_links_lead_somewhere(name: str) -> None:
    """A link to another notebook or a page names a file that is there, and a heading in it."""
    for target in links(load(NOTEBOOKS / f"{name}.ipynb")):
        path, _, anchor = target.partition("#")
        assert (NOTEBOOKS / path).is_file(), target
        assert not anchor or anchor in headings(NOTEBOOKS / path), target


def test_links_are_found() -> None:
    """The search is not blind: it finds one that is known."""
    found = links(load(NOTEBOOKS / "06-under-real-conditions.ipynb"))
    assert "../docs/how-to/errors.md#a-limit-of-time-for-a-call" in found


# -- Reading notebooks


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def links(notebook: dict[str, Any]) -> list[str]:
    """Find what the text links to in this checkout."""
    texts = [
        "".join(each["source"]) for each in notebook["cells"] if each["cell_type"] == "markdown"
    ]
    return [link for text in texts for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]


def headings(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as the site and GitHub make them."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def diagrams(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Find the outputs that are marble diagrams."""
    for cell in cells:
        for output in cell["outputs"]:
            data = output.get("data", {})
            if 'alt="Marble diagram of ' in "".join(data.get("text/html", "")):
                yield data


def without_real_time(notebook: dict[str, Any]) -> None:
    """Leave of diagrams in real time what doesn't depend on the clock: the head of the text."""
    cells = code_cells(notebook)
    in_real_time = [cell for cell in cells if "real-time" in cell["metadata"].get("tags", ())]
    for data in diagrams(in_real_time):
        head = "".join(data["text/plain"]).splitlines()[:2]
        data.update(dict.fromkeys(data, "drawn"))
        data["text/plain"] = [DURATION.sub("some time", line) for line in head]


def ends_in_expression(source: str) -> bool:
    if source.startswith("%%"):  # a command of the notebook's own
        return False
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    body = compile(source, "cell", "exec", flags).body
    return bool(body) and isinstance(body[-1], ast.Expr)
