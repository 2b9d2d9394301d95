"""What do these tests share? Stages that are seen to end, waiting for threads, programs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from conveyor_rx import AsyncStream, collect, iterate, single_task
from tests.kit import ROOT

in_threads = pytest.mark.real_time("event loops run in threads of their own")


@single_task(concurrency_limit=4)
async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


class Watched:
    """A source and a task that tell what has begun and ended."""

    def __init__(self, seconds: float = 0.001, clean_up: float = 0.01) -> None:
        self.started: list[int] = []
        self.ended: list[int] = []
        self.closed = 0  # how often the source was
        self._seconds = seconds
        self._clean_up = clean_up
        self.stage = single_task(concurrency_limit=3)(self._work)

    async def source(self) -> AsyncIterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
                await asyncio.sleep(0)
        finally:
            self.closed += 1

    async def _work(self, number: int) -> int:
        self.started.append(number)
        try:
            await asyncio.sleep(self._seconds)
            return number
        except asyncio.CancelledError:
            await asyncio.sleep(self._clean_up)
            raise
        finally:
            self.ended.append(number)

    def stream(self) -> Any:
        return self.stage.with_context(max_in_flight=8)(self.source())

    def is_over(self) -> bool:
        return self.closed == 1 and sorted(self.started) == sorted(self.ended)


def read(how: str, stream: AsyncStream[Any], got: list[Any] | None = None) -> list[Any]:
    """Read `stream` by `iterate` or `collect`; `got` keeps what comes before a failure."""
    got = [] if got is None else got
    if how == "collect":
        got += collect(stream)
    else:
        for result in iterate(stream):
            got.append(result)  # kept if it fails
    return got


def loop_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "conveyor_rx"]


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for `condition`, which another thread brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def popen(program: str) -> subprocess.Popen[str]:
    """Start `program` in a Python of its own, which tells of all that is left.

    Not in development mode: there asyncio tells of each slow step, and a busy machine has some.
    """
    return subprocess.Popen(
        [sys.executable, "-W", "default", "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )


def run_program(program: str, seconds: float = 20) -> tuple[int, str, str]:
    """Run `program` to its end; return its status, and what it said."""
    with popen(program) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        finally:
            process.kill()
        return process.returncode, out, err
