"""Is the README's code typed? Each program as its reader's checkers see it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.test_readme import PROGRAMS
from tests.typing.test_typing import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the programs as files, with the README's line numbers."""
    folder = tmp_path_factory.mktemp("readme")
    for block, _ in PROGRAMS:
        text = "# pyright: strict" + "\n" * (block.line - 1) + block.body
        (folder / f"readme_{block.line}.py").write_text(text, encoding="utf-8")
    return folder


def test_programs_pass_pyright(folder: Path) -> None:
    """Issue 13.33: pyright, strict, finds nothing in the README's programs."""
    output = run("pyright", "--pythonpath", sys.executable, *map(str, sorted(folder.iterdir())))
    assert output.splitlines()[-1] == "0 errors, 0 warnings, 0 informations", output


def test_programs_pass_mypy(folder: Path) -> None:
    """Issue 13.33: mypy, strict, finds nothing in the README's programs."""
    options = ("--strict", "--follow-imports=silent", "--config-file=", "--cache-dir", os.devnull)
    output = run("mypy", *options, *map(str, sorted(folder.iterdir())))
    assert output.startswith("Success: no issues found"), output
