"""Where is the progress view drawn, and is the terminal left as it was?"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import re
import select
import signal
import subprocess
import sys
import textwrap
import time
from types import ModuleType

import pytest

from conveyor_rx import single_task
from conveyor_rx.events import observing

pytest.importorskip("rich", reason="the extra `rich` is not installed")

from rich.console import Console

from conveyor_rx.probes.progress import progress
from tests.probes.terminal import KNOWN, Terminal, console, picky, slow

pytestmark = pytest.mark.usefixtures("plain_environment")
real_time = pytest.mark.real_time("the view is drawn by the clock on the wall")


async def test_silent_where_the_output_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written and nothing observed: not to a pipe, nor where colours are asked for."""
    for name in (None, "FORCE_COLOR"):
        if name:
            monkeypatch.setenv(name, "1")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", pipe := io.StringIO())
            with progress():
                assert observing() == ()
                assert await picky([1]).collect() == [1]
        assert pipe.getvalue() == ""


async def test_silent_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that knows no control sequences gets none."""
    monkeypatch.setenv("TERM", "dumb")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal := Terminal())
        with progress():
            await picky([1]).collect()
    assert terminal.getvalue() == ""


@real_time
async def test_stderr_is_what_is_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to stdout goes there, if that is no terminal."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal := Terminal())
        patch.setattr(sys, "stdout", pipe := io.StringIO())
        with progress():
            async for item in slow([0.15, 0.16]):
                print(item)  # noqa: T201  # what a user's program does
                await asyncio.sleep(0.15)
    assert pipe.getvalue() == "0.15\n0.16\n"
    assert len(terminal.frames) > 2
    assert "slow" in terminal.frames[-1]


@real_time
async def test_what_is_printed_goes_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two drawings, in whole lines, and not wrapped."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal := Terminal())
        patch.setattr(sys, "stdout", terminal)
        patch.setenv("COLUMNS", "80")
        with progress():
            async for item in slow([0.15, 0.15, 0.15]):
                print(f"got {item}", "x" * 200)  # noqa: T201  # what a user's program does
    lines = KNOWN.sub("", terminal.getvalue()).splitlines()
    assert [line for line in lines if "got" in line] == ["got 0.15 " + "x" * 200] * 3
    assert "done in" in terminal.frames[-1]


async def test_a_terminal_that_breaks_fails_no_run(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged once, by its type, and the run goes on."""

    class Broken(Terminal):
        def write(self, text: str, /) -> int:
            raise OSError("hunter2")

    with caplog.at_level(logging.ERROR, "conveyor_rx"), progress(console=console(Broken())):
        assert await picky([1, 2]).collect() == [1, 2]
    assert {record.getMessage() for record in caplog.records} == {
        "the progress view has ended: it raised OSError"
    }


async def test_in_a_notebook_it_is_one_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTML and text, replaced in place; names are escaped, colours are literal."""
    bundles: list[dict[str, str]] = []
    displays = ModuleType("IPython.display")

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            assert raw
            bundles.append(bundle)

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        assert raw
        assert display_id
        assert not bundles
        bundles.append(bundle)
        return Handle()

    displays.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    with progress(console=Console(force_jupyter=True)):
        await single_task(task_name="<script>{x}</script>")(abs)([1]).collect()
    html, text = bundles[-1]["text/html"], bundles[-1]["text/plain"]
    assert "&lt;script&gt;{x}&lt;/script&gt;" in html
    assert "<script" not in html
    assert set(re.findall(r"</?(\w+)", html)) == {"pre", "span"}
    assert "var(" not in html
    assert "1/1" in text
    assert "\x1b" not in text


PROGRAM = """
import asyncio, signal
from conveyor_rx import single_task
from conveyor_rx.probes.progress import progress

@single_task(concurrency_limit=2)
async def slow(n):
    await asyncio.sleep(n)

async def main():
    with progress():
        await slow([0.05] * 6 + [60] * 6).collect()

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_control_c_leaves_a_clean_terminal() -> None:
    """The view stays as it was last, the cursor is there, and what follows begins a line."""
    written = in_a_terminal(PROGRAM, until=rb"6/12.*6/12", then=signal.SIGINT)
    view, _, traceback = written.partition(b"Traceback")
    assert b"KeyboardInterrupt" in traceback
    assert view.endswith(b"\r\n\x1b[?25h")
    assert b"closed after" in view


def in_a_terminal(program: str, *, until: bytes, then: signal.Signals) -> bytes:
    """Run `program` in a pseudo-terminal; send a signal once `until` was written."""
    import pty  # not on Windows

    terminal, its_end = pty.openpty()
    path = os.pathsep.join(filter(None, sys.path))
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env={**os.environ, "PYTHONPATH": path, "TERM": "xterm-256color", "COLUMNS": "80"},
    )
    os.close(its_end)
    written = b""
    is_sent = False
    deadline = time.monotonic() + 120  # on a busy machine; it takes about three seconds
    try:
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    written += (more := os.read(terminal, 65536))
                except OSError:  # so Linux says that the other end is closed
                    break
                if not more:
                    break
            if not is_sent and re.search(until, written, re.DOTALL):
                child.send_signal(then)
                is_sent = True
    finally:
        if time.monotonic() >= deadline:
            child.kill()
        child.wait()
        os.close(terminal)
    assert is_sent
    return written
