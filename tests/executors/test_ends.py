"""What ends before its calls do? The stream, the executor or the program; nothing is left over."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import SingleTask, Workers
from tests.executors import functions as f
from tests.executors.kit import in_real_time

pytestmark = in_real_time


@pytest.mark.parametrize("cancel", [False, True])
async def test_an_executor_that_its_owner_shuts_down(cancel: bool) -> None:
    """X3: calls that began give results; the first that can't be made is a failure that says so."""
    with ThreadPoolExecutor(1) as pool:
        got: list[Any] = []
        task = SingleTask(f.obey, executor=pool, concurrency_limit=3)
        stream = task([0.01] * 50)
        with pytest.raises(RuntimeError, match=r"shut ?down"):  # noqa: PT012  # in its midst
            async for result in stream:
                got.append(result)
                if len(got) == 5:
                    pool.shutdown(wait=False, cancel_futures=cancel)
        assert 5 <= len(got) < 50


async def test_closing_ends_processes_that_do_not_end() -> None:
    """X4: a process that hangs is ended a few seconds after the close; none is left."""
    stream = SingleTask(f.obey, executor=Workers("processes", 2))([1, 2, "hang", "hang", 3])
    async for _ in stream:
        break
    await asyncio.sleep(0.3)
    start = time.monotonic()
    await stream.aclose()
    assert time.monotonic() - start < 10
    assert not [
        child
        for child in multiprocessing.active_children()
        if child.name.startswith("SpawnProcess")
    ]


@pytest.mark.parametrize("make", [partial(Workers, "threads"), ThreadPoolExecutor])
async def test_closing_waits_for_threads(make: Any) -> None:
    """X4: a call that runs in a thread is waited for; those that have not begun are dropped."""
    made: list[float] = []

    def note(seconds: float) -> float:
        time.sleep(seconds)
        made.append(seconds)
        return seconds

    stream = SingleTask(note, executor=make(1))([0.0, 0.3, 0.1, 0.1])
    async for _ in stream:
        break
    await asyncio.sleep(0.05)
    await stream.aclose()
    assert made == [0.0, 0.3]


async def test_nothing_that_waits_is_called_after_a_close(tmp_path: Path) -> None:
    """X4: of calls that wait for a process none begins after the close."""
    marks = [str(tmp_path / f"{number:02}") for number in range(40)]
    stream = SingleTask(f.touch_slowly, executor=Workers("processes", 1))(marks)
    async for _ in stream:
        break
    await stream.aclose()
    made = len(os.listdir(tmp_path))
    await asyncio.sleep(0.3)
    assert made < 5
    assert len(os.listdir(tmp_path)) == made


PROGRAM = """
import asyncio, os, sys, threading, time
from conveyor_rx import SingleTask, Workers
from tests.executors import functions as f

async def main():
    with Workers({kind!r}, 2) as workers:
        stream = SingleTask(f.obey, executor=workers)([0.01, *[{seconds}] * 10])
        async for result in stream:
            print(result, flush=True)
            {what}

if __name__ == "__main__":
    asyncio.run(main())
"""


def run_program(tmp_path: Path, **parts: Any) -> subprocess.Popen[str]:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(**parts))
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_the_program_may_end_while_calls_run(kind: str, tmp_path: Path) -> None:
    """X4: an interpreter that exits while calls run ends soon, and prints nothing odd."""
    program = run_program(tmp_path, kind=kind, seconds=1.0, what="sys.exit(7)")
    out, err = program.communicate(timeout=30)
    assert (out, err, program.returncode) == ("0.01\n", "", 7)


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """X4: no process is left that would work for nobody."""
    program = run_program(tmp_path, kind="processes", seconds=0.5, what="os.kill(os.getpid(), 9)")
    program.communicate(timeout=30)  # which waits for all that hold the pipes
    assert program.returncode == -9
