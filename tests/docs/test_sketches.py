"""Sketches in docstrings and notebooks: programs of names that the reader has; they run, too."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import re
import runpy
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import BaseTask, single_task, testing
from tests.kit import ROOT
from tests.test_docstrings import MODULES, PUBLIC

from .pages import blocks

as_rst: Callable[[list[str]], list[str]] = runpy.run_path(
    str(ROOT / "docs" / "_ext" / "plain_docstrings.py")
)["as_rst"]
SKETCH = re.compile(r"\.\. code-block:: python\n\n((?: {4}.*\n|\n)+)")


class Pairs(BaseTask[Any, Any]):
    """A stage of the reader's."""

    async def process(self, items: Any) -> Any:
        async for item in items:
            yield item, item


class Client:
    """What lives longer than a block."""

    def __init__(self) -> None:
        self.keep_alive = asyncio.create_task(asyncio.sleep(0))


NAMES: dict[str, Any] = {
    **PUBLIC,
    "pipeline": single_task(lambda number: number * 2),
    "data": [1, 2],
    "Client": Client,
    "Pairs": Pairs,
    "pairs": lambda items: [(item, item) for item in items],
}


def sketches(name: str) -> Iterator[str]:
    """Find the programs in the docstrings of a module, its functions and classes."""
    module = importlib.import_module(name)
    own = [each for each in vars(module).values() if getattr(each, "__module__", None) == name]
    inside = [each for one in own if inspect.isclass(one) for each in vars(one).values()]
    for each in (module, *own, *filter(inspect.isfunction, inside)):
        if each is module or inspect.isfunction(each) or inspect.isclass(each):
            rst = "\n".join(as_rst(inspect.cleandoc(each.__doc__ or "").splitlines()))
            yield from map(textwrap.dedent, SKETCH.findall(rst + "\n"))


def sketches_of_notebook(path: Path) -> Iterator[str]:
    """Find the programs in the text of a notebook; its cells are run elsewhere."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield from (block.body for block in blocks("".join(cell["source"]) + "\n"))


SKETCHES = [(name, sketch) for name in MODULES for sketch in dict.fromkeys(sketches(name))]
IN_NOTEBOOKS = [
    (path.stem, sketch)
    for path in sorted(ROOT.glob("notebooks/*.ipynb"))
    for sketch in sketches_of_notebook(path)
]


@pytest.mark.parametrize(("name", "sketch"), SKETCHES, ids=[name for name, _ in SKETCHES])
def test_a_sketch_runs(name: str, sketch: str) -> None:
    """A program in a docstring runs, in a coroutine, as it stands."""
    module = importlib.import_module(name)
    names = {**vars(module), **NAMES}
    exec(f"async def main():\n{textwrap.indent(sketch, '    ')}", names)
    testing.run(names["main"])


@pytest.mark.parametrize(("name", "sketch"), IN_NOTEBOOKS, ids=[name for name, _ in IN_NOTEBOOKS])
def test_a_sketch_in_a_notebook_runs(
    name: str, sketch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program in the text of a notebook runs as well, and may write files."""
    monkeypatch.chdir(tmp_path)
    names = dict(NAMES)
    exec(f"async def main():\n{textwrap.indent(sketch, '    ')}", names)
    testing.run(names["main"])


def test_the_sketches_are_found() -> None:
    """The search is not blind: it finds those that are known."""
    assert any("with progress():" in sketch for _, sketch in SKETCHES)
    assert any("record(live=True)" in sketch for _, sketch in IN_NOTEBOOKS)
