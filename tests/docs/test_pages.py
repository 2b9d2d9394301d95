"""The pages: every code block runs and prints what it says, or says why not."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import testing
from tests.kit import ROOT

from .pages import PAGES, PROGRAMS, Block, Program, blocks, programs

README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_RUN = 1
"""How many blocks of Python may say that they don't run. Find a way to run yours instead."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


ALONE = [program for program in PROGRAMS if program.block.mark == "in a process of its own"]


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in ALONE], ids=str)
def test_code_block_prints_what_it_says(
    program: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block, copied into a file with what it continues, prints exactly the text below it."""
    monkeypatch.setattr(asyncio, "run", testing.run)  # in virtual time
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in program.before:
            execute(program.page, block, names)
    execute(program.page, program.block, names)
    assert capsys.readouterr().out == program.claimed


@pytest.mark.parametrize("program", ALONE, ids=str)
def test_program_of_its_own_prints_what_it_says(program: Program, tmp_path: Path) -> None:
    """A block that needs a process of its own prints exactly the text below it, too."""
    path = tmp_path / "program.py"
    path.write_text(program.source(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", path],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.stdout, done.stderr) == (program.claimed, "")


def execute(page: Path, block: Block, names: dict[str, Any]) -> None:
    padding = "\n" * (block.line - 1)  # so that a traceback shows the page's own line
    exec(compile(padding + block.body, str(page), "exec"), names)


@each_page
def test_every_block_is_checked_or_says_why_not(page: Path) -> None:
    """What is no program is the output of one, a command that is run, or gives its reason."""
    text = page.read_text(encoding="utf-8")
    claims = [program.claimed for program in programs(page, text)]
    for block in blocks(text):
        if block.mark.startswith("not run"):
            assert re.fullmatch(r"not run: \w.{9,}", block.mark), block
        elif block.language == "text":
            assert block.body in claims, block
        elif block.language != "python":
            assert block.mark.startswith("command: "), block
            assert f"<!-- {block.mark} -->\n\n```sh\n{block.body}" in README, block
        else:
            assert block.mark in ("", "continues", "in a process of its own"), block


@each_page
def test_no_block_is_overlooked(page: Path) -> None:
    """Each fence belongs to a block or a directive that begins at the margin, with backticks."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"^(?: +```|\s*~~~)", text, re.MULTILINE)
    assert not re.search(r"^(?:```|:::)\{(?:code|code-block|code-cell|sourcecode)\}", text, re.M)
    directives = len(re.findall(r"^```\{", text, re.MULTILINE))
    assert len(re.findall(r"^```", text, re.MULTILINE)) == 2 * (len(blocks(text)) + directives)


def test_few_programs_are_not_run() -> None:
    """An example that nobody runs is wrong sooner or later."""
    marked = [
        (page.name, block.line, block.mark)
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.language == "python" and not block.runs
    ]
    assert len(marked) <= NOT_RUN, marked


def test_a_wrong_claim_would_be_found() -> None:
    """A program is paired with its output and with what it continues, one without with nothing."""
    text = textwrap.dedent(
        """\
        ```python
        x = 1
        ```

        <!-- continues -->

        ```python
        print(x)
        ```

        prints

        ```text
        1
        ```

        <!-- not run: needs a server -->

        ```python
        serve()
        ```
        """
    )
    first, second = Block(2, "python", "x = 1\n"), Block(8, "python", "print(x)\n", "continues")
    assert programs(ROOT, text) == [
        Program(ROOT, first, (), ""),
        Program(ROOT, second, (first,), "1\n"),
    ]
    assert programs(ROOT, text)[1].source() == "\nx = 1\n" + "\n" * 5 + "print(x)\n"
    assert [block.line for block in blocks(text) if not block.runs] == [14, 20]
