"""What becomes of a crawl that is stopped, in whichever way, and started again?"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .kit import BATCH, QUICK, WINDOW, Folder, Server, python

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="its loops have no signal handlers"),
    pytest.mark.real_time("processes are stopped"),
]

KILLED = """
import itertools, os, runpy, signal, sys
import storage

name, nth, when = sys.argv[1].split()
function = getattr(storage.Storage, name)
numbers = itertools.count(1)  # calls come from two threads at once

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def and_kill(rows):
    yield from rows
    kill()

def until(self, first, *rest):
    number = next(numbers)
    if number == int(nth):
        if when == "before":
            kill()
        if when == "within":  # the transaction
            first = and_kill(first)
    function(self, first, *rest)
    if number == int(nth):
        kill()

setattr(storage.Storage, name, until)
del sys.argv[:2]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
MOMENTS = ("write 8 after", "_append 1 after", "write 4 within")
ON_ITS_WAY = 2 * WINDOW + 2 * BATCH
"""Documents behind the position: in the window of the requests and in that of the batches, and
those of which the position doesn't know yet that they are stored."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Server(tmp_path).running("--refuse-every=1000000") as server:
        yield Folder(tmp_path / "crawled", server)


def finish(folder: Folder) -> None:
    """Start the crawl again: in the end, everything is there."""
    code, _, err = folder.run(*QUICK)
    assert (code, err) == (0, "")
    assert folder.positions() == folder.server.counts
    assert folder.dealt_with() == folder.server.all


def test_a_signal_has_it_finish_what_it_has_begun(folder: Folder) -> None:
    """W1, W3: exit code 0; what was requested is settled, and the next run goes on from there."""
    for number in (signal.SIGTERM, signal.SIGINT):
        with python(*folder.command(*QUICK)) as process:
            read_lines(process, 2)
            process.send_signal(number)
            assert process.stdout is not None
            assert process.stdout.read().count("finishing") == 1
        assert process.returncode == 0
        settled = folder.in_front()
        assert {line["path"] for line in folder.server.log()} == folder.dealt_with() == settled
        assert settled < folder.server.all
    finish(folder)
    assert {*folder.stored().values(), *folder.letters().values()} == {1}
    assert folder.letters().keys() == folder.server.bad


def test_killed_at_any_moment_it_loses_nothing(folder: Folder) -> None:
    """W3, W4, D2: what is in front of the position is there, and what is repeated is bounded."""
    repeated = 0
    for moment in MOMENTS:
        with checked(folder, moment):
            code, _, _ = folder.run(*QUICK, by=("-c", KILLED, moment))
            assert code == -signal.SIGKILL, moment
        repeated += sum(map(len, folder.beyond().values()))
    with checked(folder, "from outside"), python(*folder.command(*QUICK)) as process:
        read_lines(process, 1)
        process.kill()
    repeated += sum(map(len, folder.beyond().values()))
    finish(folder)
    assert 0 < sum(times - 1 for times in folder.stored().values()) <= repeated


@contextmanager
def checked(folder: Folder, moment: str) -> Generator[None]:
    """Check what a run that is killed in the block has done and left."""
    seen, start = len(folder.server.log()), folder.positions()
    yield
    assert folder.in_front() <= folder.dealt_with(), moment
    positions = folder.positions()
    for path in {line["path"] for line in folder.server.log()[seen:]}:
        kind, number = path.strip("/").split("/")
        assert start[kind] <= int(number) < positions[kind] + ON_ITS_WAY, moment
    assert max(map(len, folder.beyond().values())) <= 2 * BATCH, moment


def read_lines(process: subprocess.Popen[str], count: int) -> None:
    """Wait until so many batches are stored."""
    assert process.stdout is not None
    for _ in range(count):
        assert " stored, " in process.stdout.readline()


def test_without_its_server_it_stops(tmp_path: Path) -> None:
    """D4: beyond the budget it ends with an error that says so, and goes on when there is one."""
    folder = Folder(tmp_path / "crawled", Server(tmp_path))
    code, _, err = folder.run(*QUICK)
    assert (code, err) == (1, "no server at 127.0.0.1:0: start server.py first\n")
    with folder.server.running() as server, python(*folder.command(*QUICK)) as process:
        read_lines(process, 2)
        server.kill()
        assert process.stderr is not None
        assert "beyond max_failures=15 of the run" in process.stderr.read()
    assert process.returncode == 1
    assert folder.in_front() <= folder.dealt_with()
    with folder.server.running():
        code, _, err = folder.run(*QUICK)
    assert (code, err) == (0, "")
    assert folder.dealt_with() == folder.server.all
