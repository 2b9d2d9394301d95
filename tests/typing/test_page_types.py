"""Is the code on the pages typed? Each program as its reader's checkers see it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PROGRAMS
from tests.typing.test_typing import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the programs as files, with the line numbers of their pages."""
    folder = tmp_path_factory.mktemp("pages")
    continued = {block for program in PROGRAMS for block in program.before}
    for program in PROGRAMS:
        if program.block not in continued:  # the last one has all that it continues
            name = str(program).replace("/", "_").replace("-", "_")
            text = "# pyright: strict" + program.source()
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_programs_pass_pyright(folder: Path) -> None:
    """Issue 13.33: pyright, strict, finds nothing in the programs of README and pages."""
    output = run("pyright", "--pythonpath", sys.executable, *map(str, sorted(folder.iterdir())))
    assert output.splitlines()[-1] == "0 errors, 0 warnings, 0 informations", output


def test_programs_pass_mypy(folder: Path) -> None:
    """Issue 13.33: mypy, strict, finds nothing in the programs of README and pages."""
    options = ("--strict", "--follow-imports=silent", "--config-file=", "--cache-dir", os.devnull)
    output = run("mypy", *options, *map(str, sorted(folder.iterdir())))
    assert output.startswith("Success: no issues found"), output
