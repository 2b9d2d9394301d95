"""What does a Python without threads, processes and sockets run of the tests?

All but those that use one of them: such a test is skipped at that point. Left out are the tests in
real time, too, which are about threads and the clock on the wall, those on other event loops, those
that break each line of the engine in turn, which would take as long as all others, and those of
what stands around the library, which need packages that are not pure Python.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from conveyor_rx import AsyncStream, batch_task, single_task
from conveyor_rx.testing._self_pipe import SelectorLoop

__all__ = ["main", "on_web_loop"]

LEFT_OUT = """
    broken_engines test_benchmarks.py test_benchmarks_under_load.py test_lines.py test_long_runs.py
    test_loops.py test_mutation.py test_notebooks.py test_packaging.py test_scenarios.py typing
""".split()


async def on_web_loop() -> None:
    """Run pipelines on the event loop that users have here, which the tests then leave."""
    loop = asyncio.get_running_loop()
    assert not isinstance(loop, asyncio.BaseEventLoop), loop

    @single_task(concurrency_limit=4)
    async def wait(milliseconds: int) -> int:
        await asyncio.sleep(milliseconds / 1000)
        return milliseconds

    @batch_task(max_size=2)
    def total(batch: list[int]) -> int:
        return sum(batch)

    @single_task
    async def fail(item: int) -> int:
        raise ValueError(item)

    pipeline = wait | total
    assert await pipeline([90, 60, 30, 1]).collect() == [150, 31]
    assert await pipeline.as_completed([90, 60, 30, 1]).collect() == [31, 150]
    async with pipeline(range(1_000_000)) as stream:
        assert [await anext(stream) for _ in range(3)] == [1, 5, 9]
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left
    with pytest.raises(ValueError, match="7"):
        await AsyncStream([7]).pipe(fail).collect()


def main(options: Iterable[str]) -> int:
    """Run pytest and return its exit status."""
    asyncio._set_running_loop(None)  # pyodide's own loop counts as running all the time
    asyncio.events.new_event_loop = SelectorLoop  # and can't run until something is done
    return pytest.main(["-p", "no:cacheprovider", *options], plugins=[sys.modules[__name__]])


# -- as a plugin of pytest


def pytest_configure() -> None:
    from hypothesis import settings  # its own plugin must come first

    settings.register_profile("slow", deadline=None)
    settings.load_profile("slow")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name in LEFT_OUT else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    real_time = [item for item in items if item.get_closest_marker("real_time")]
    config.hook.pytest_deselected(items=real_time)
    items[:] = [item for item in items if item not in real_time]


@pytest.fixture(autouse=True)
def _skip_what_is_not_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    skipped: list[str] = []
    for owner, name, what in (
        (threading.Thread, "start", "threads"),
        (subprocess.Popen, "__init__", "processes"),
        (socket, "socketpair", "sockets"),
        (os, "openpty", "terminals"),
        (concurrent.futures, "ProcessPoolExecutor", "processes"),
    ):

        def skip(*args: object, what: str = what, **options: object) -> NoReturn:
            skipped.append(what)
            pytest.skip(f"no {what} here")

        monkeypatch.setattr(owner, name, skip, raising=False)
    yield
    if skipped:  # in the middle: what the test would have ended is not to be the next one's
        monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
        with warnings.catch_warnings(action="ignore"):
            gc.collect()
