"""When is the progress view drawn, and by whom?"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx.testing import Deadlock, run

pytest.importorskip("rich", reason="the extra `rich` is not installed")

from conveyor_rx.probes.progress import progress
from tests.probes.terminal import KNOWN, Terminal, console, picky, slow

pytestmark = pytest.mark.usefixtures("plain_environment")
real_time = pytest.mark.real_time("the view is drawn by the clock on the wall")


@real_time
async def test_it_is_redrawn_ten_times_a_second_at_most() -> None:
    """The view goes on while calls run, however many events there are, and no thread does it."""
    terminal = Terminal()
    begun = time.monotonic()
    with progress(console=console(terminal)):
        threads = threading.active_count()
        async for _ in (slow | picky)([0.001] * 300 + [0.3] * 4):
            assert threading.active_count() == threads
    passed = time.monotonic() - begun
    text = KNOWN.sub("", terminal.getvalue())
    assert 3 <= text.count("done running") <= passed * 10 + 2
    assert re.search(r"slow +[━╸╺]+ +\d+/304 +2 +\d+ +0 +\d+/s", text)


@real_time
async def test_it_rests_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """While all calls wait it is drawn once a second; between two runs there is no timer."""
    terminal = Terminal()
    loop = asyncio.get_running_loop()
    call_later = loop.call_later
    timers: list[float] = []

    def count(delay: float, *args: Any, **options: Any) -> asyncio.TimerHandle:
        timers.append(delay)
        return call_later(delay, *args, **options)

    with progress(console=console(terminal)):
        await slow([0.8]).collect()
        drawn = len(terminal.frames)
        await asyncio.sleep(0.25)
        monkeypatch.setattr(loop, "call_later", count)
        await asyncio.sleep(0.35)
    assert drawn <= 2
    assert timers == [0.35]


def test_a_virtual_clock_is_left_alone() -> None:
    """A run that waits for ever is still found to: no timer of the view's keeps it going."""
    terminal = Terminal()

    async def main() -> None:
        with progress(console=console(terminal)):
            await single_task(lambda _: asyncio.Event().wait())([1]).collect()

    with pytest.raises(Deadlock):
        run(main)
    assert "closed after" in terminal.frames[-1]


async def test_blocks_share_one_view() -> None:
    """Nested blocks, and those of other tasks, join the view that is open."""
    terminal, other = Terminal(), Terminal()

    async def job(n: int) -> None:
        with progress(console=console(other)):
            await slow([n]).collect()

    with progress(console=console(terminal)):
        with progress(console=console(other)):
            await picky([1]).collect()
        await asyncio.gather(job(1), job(2))
        await slow([1]).collect()
    assert other.getvalue() == ""
    text = terminal.frames[-1]
    assert text.count("done in") == 2
    assert re.search(r"slow +3 runs, done in", text)
    assert re.search(r"picky +━+ +1/1 ", text)


def test_loops_may_follow_each_other() -> None:
    """A block may hold several loops, and runs that nobody finished."""
    terminal = Terminal()

    async def begin() -> None:
        stream = slow([0.0] * 50)
        await anext(stream)

    with progress(console=console(terminal)):
        asyncio.run(begin())
        asyncio.run(begin())
    assert "2 runs" in terminal.frames[-1]
