"""The examples: each runs as a user runs it, prints what it says, and warns of nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.kit import ROOT

EXAMPLES = ROOT / "examples"
SEARCH = EXAMPLES / "search_stdlib.py"
THUMBNAILS = EXAMPLES / "thumbnails.py"

PRINTED = {
    "quick_start": """\
        22
        40
        24
        """,
    "ordered_vs_as_completed": """\
        ordered
          at 0.1 s: the job of 0.1 s
          at 0.2 s: the job of 0.2 s
          at 0.3 s: the job of 0.3 s
          at 0.4 s: the job of 0.4 s
          at 0.5 s: the job of 0.5 s
          at 2.0 s: the job of 2.0 s
          at 2.0 s: the job of 0.7 s
          at 2.0 s: the job of 0.8 s
        as completed
          at 0.1 s: the job of 0.1 s
          at 0.2 s: the job of 0.2 s
          at 0.3 s: the job of 0.3 s
          at 0.4 s: the job of 0.4 s
          at 0.5 s: the job of 0.5 s
          at 0.7 s: the job of 0.7 s
          at 0.8 s: the job of 0.8 s
          at 2.0 s: the job of 2.0 s
        """,
    "collect": """\
        [1, 4, 9, 16]
        [16, 9, 4, 1]
        """,
    "filtering": """\
        even: 4
        even: 16
        even: 36
        dropped: 3
        """,
    "several_batches": """\
        means [2.0, 5.0], highest 5.0
        means [7.0], highest 7.0
        """,
    "min_size": """\
        two will do: [1, 2, 3]
        two will do: [4, 5, 6]
        two will do: [7, 8]
        dropped: 0
        WARNING from conveyor_rx: task 'three_or_nothing' dropped the last 2 items, which are \
fewer than min_size=3
        three or nothing: [1, 2, 3]
        three or nothing: [4, 5, 6]
        dropped: 2
        """,
    "side_inputs": """\
        called: [11, 22, 33]
        bound: [11, 22, 33]
        value: [2, 4, 6]
        by name: [2, 4, 6]
        coroutine: [3, 6, 9]
        stream: [4, 8, 12]
        this run: [2, 4, 6]
        """,
    "error_handling": """\
        skip_item: [1, 3] skipped: 1
        retry:
          attempt 1 fails
          attempt 2 fails
          [700]
        skip_batch: [6, 15]
        skip_item in a batch: [6, 4, 6, 15]
        handler: ['desk reserved', 'lamp on backorder', 'chair reserved']
        fail:
          1
          2
          raised: the line is dead
        """,
    "zero_input": """\
        0
        1
        4
        9
        """,
    "methods": """\
        Corner, invoice 1: 33.00
        Corner, invoice 2: 33.00
        Market, invoice 1: 36.00
        Market, invoice 2: 36.00
        """,
    "rx_operators": """\
        operator in the chain: ['<6>', '<12>']
        Observable as data: ['<6>', '<12>']
        pipeline as operator: ['<4>', '<6>']
        methods of a stream: [0, 6, 12]
        read at most 20 of its numbers: True
        """,
    "custom_task": """\
        mean 4.0
        mean 6.0
        mean 8.0
        """,
}

IN_VIRTUAL_TIME = """\
import asyncio, runpy, sys
from conveyor_rx import testing
asyncio.run = testing.run
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

WITHOUT_FTS5 = """\
import runpy, sqlite3, sys

class Connection(sqlite3.Connection):
    def execute(self, sql, *args):
        return super().execute(sql.replace("USING fts5", "USING fts5_of_another_build"), *args)

connect = sqlite3.connect
sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=Connection, **kwargs)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

INTERRUPTED = """\
import os, runpy, signal, sqlite3, sys

class Connection(sqlite3.Connection):
    transactions = 0

    def executemany(self, *args):
        self.transactions += 1
        if self.transactions == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return super().executemany(*args)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
connect = sqlite3.connect
sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=Connection, **kwargs)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python in its development mode, with warnings as errors, on this checkout's package."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", *command],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **env},
    )
    # The development mode also remarks on a step that took 0.1 s, as any may on a busy machine.
    result.stderr = re.sub(r"^Executing <.* seconds\n", "", result.stderr, flags=re.MULTILINE)
    # What is skipped on purpose is logged.
    result.stderr = re.sub(r"^task '.*' skipped .*\n", "", result.stderr, flags=re.MULTILINE)
    return result


def test_every_example_has_an_expectation() -> None:
    """No example stands beside the tests without being run by them."""
    alone = {SEARCH.stem, THUMBNAILS.stem, "on_a_cluster"}  # that by tests/distributed
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*PRINTED, *alone}


@pytest.mark.parametrize("name", sorted(PRINTED.keys() - {"ordered_vs_as_completed"}))
def test_example_prints_what_it_says(name: str) -> None:
    """Run as a program of its own, an example prints exactly this, and nothing on stderr."""
    result = run(EXAMPLES / f"{name}.py")
    assert result.stderr == ""
    assert result.stdout == textwrap.dedent(PRINTED[name])
    assert result.returncode == 0


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_example_in_virtual_time(name: str) -> None:
    """In virtual time an example prints the same, the moments exact, and leaves nothing behind."""
    result = run("-c", IN_VIRTUAL_TIME, EXAMPLES / f"{name}.py")
    assert result.stderr == ""
    assert result.stdout == textwrap.dedent(PRINTED[name])
    assert result.returncode == 0


def test_examples_run_nothing_when_imported() -> None:
    """An example can be imported, to try its parts."""
    names = ", ".join(path.stem for path in EXAMPLES.glob("*.py"))
    result = run("-c", f"import {names}", PYTHONPATH=os.pathsep.join([str(ROOT), str(EXAMPLES)]))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_thumbnails_print_what_the_page_says() -> None:
    """X1, X3: processes of one block make the calls of two runs; results come in order."""
    result = run(THUMBNAILS)
    page = (ROOT / "docs/examples.md").read_text(encoding="utf-8")
    (claimed,) = re.findall(r"^```text\n(\d+ pictures .*?)^```$", page, re.DOTALL | re.MULTILINE)
    last = r"made by (\d+) processes in \d+\.\d\d s, the first after \d+\.\d\d s\n"
    assert result.stderr == ""
    assert re.sub(last, "", result.stdout) == re.sub(last, "", claimed)
    made = re.search(last, result.stdout)
    assert made is not None
    assert 1 <= int(made[1]) <= (os.cpu_count() or 1)
    assert result.returncode == 0


SEARCH_PRINTED = """\
transactions: 1 in _ s, the first after _ s
  stage              in      out  skipped  dropped
  read                8        5        1        2
  split               5        7        0        0
  store               7        1        0        0

query: event loop policy

docs/guide.md:3
    An event loop policy makes [31m the event loop.

asyncio/events.py:4
    def policy_of(event, loop):
        return os

asyncio/loops.py:41
    # the event loop
    # one

docs/windows.txt:2
    first
    loop
    last

results: 4 in _ s, the first after _ s
  stage              in      out  skipped  dropped
  candidates          1        4        0        0
  rerank              4        4        0        0
  enrich              4        4        0        0
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with what a real one has in store."""
    files = {
        "asyncio/events.py": "import os\n\n\ndef policy_of(event, loop):\n    return os\n",
        "asyncio/loops.py": "\n" * 40 + "# the event loop\n# one\n# two\n# and its policy\n",
        "docs/guide.md": "# Guide\n\nAn event loop policy makes\x1b[31m the event loop.\n",
        "docs/other.txt": "Nothing of the kind.\n" + "\n" * 20 + "Nor here.\n" * 20,
        "docs/windows.txt": "first\r\nloop\r\nlast\r\n",
        "empty.py": "",
        "blank.py": "\n \n",
        "site-packages/other.py": "event loop policy\n",
        ".hidden/notes.txt": "event loop policy\n",
        "picture.png": "event loop policy\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    (tmp_path / "latin.txt").write_bytes("event loop policy: été\n".encode("latin-1"))
    (tmp_path / "gone.txt").symlink_to("nowhere")
    return tmp_path


def test_search_prints_the_best_first(tree: Path) -> None:
    """The main job ranks by how many terms stand how close, and counts what it left out."""
    result = run(SEARCH, tree)
    assert result.stderr == ""
    assert re.sub(r"\d+\.\d\d s", "_ s", result.stdout) == SEARCH_PRINTED
    assert result.returncode == 0


def test_search_of_the_standard_library() -> None:
    """Without arguments it searches the running Python's own library, well within a minute."""
    result = run(SEARCH)
    assert result.returncode == 0
    read = re.search(r"^  read +([\d,]+) +([\d,]+)", result.stdout, re.MULTILINE)
    assert read is not None
    assert int(read[2].replace(",", "")) > 500
    assert len(re.findall(r"^\S+\.\w+:\d+$", result.stdout, re.MULTILINE)) == 10
    assert "\nresults: 10 in " in result.stdout


@pytest.mark.parametrize("query", ['event" OR NEAR(', "policy AND NOT *", "été 日本", "x " * 999])
def test_search_takes_any_query(tree: Path, query: str) -> None:
    """A query is words, never the index's own query language."""
    result = run(SEARCH, tree, "--query", query)
    assert (result.returncode, result.stderr) == (0, "")


def test_search_on_a_poor_terminal(tree: Path) -> None:
    """What the terminal's encoding lacks is shown as a question mark."""
    (tree / "docs/guide.md").write_text("naïve → policy\n", encoding="utf-8")
    result = run(SEARCH, tree, "--query", "naïve", PYTHONIOENCODING="ascii")
    assert "    na?ve ? policy\n" in result.stdout
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "not a directory: nowhere"),
        ([SEARCH], f"not a directory: {SEARCH}"),
        (["--query", "?!"], "the query has no words"),
    ],
)
def test_search_says_what_is_wrong(args: list[str | Path], message: str) -> None:
    """A wrong argument gets one clear message and exit code 2."""
    result = run(SEARCH, *args)
    assert result.stderr.splitlines()[-1] == f"search_stdlib.py: error: {message}"
    assert (result.returncode, result.stdout) == (2, "")


def test_search_of_an_empty_tree(tmp_path: Path) -> None:
    """A tree without text has no results; that is no error."""
    result = run(SEARCH, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\nresults: 0 in " in result.stdout


def test_search_without_fts5(tree: Path) -> None:
    """An SQLite without its full-text index is named as what is missing."""
    result = run("-c", WITHOUT_FTS5, SEARCH, tree)
    assert result.stderr == "this Python's SQLite was built without FTS5, the full-text index\n"
    assert (result.returncode, result.stdout) == (1, "")


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_search_is_interrupted_cleanly() -> None:
    """Ctrl-C in the middle ends the program soon; no task, thread or connection is left behind."""
    result = run("-c", INTERRUPTED, SEARCH)
    assert result.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert not re.search("never|pending|Warning", result.stderr)
    assert result.stdout == ""
    assert result.returncode == -signal.SIGINT
