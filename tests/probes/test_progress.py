"""Does the progress view show what happens, whatever the names and the room?"""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from conveyor_rx import single_task

pytest.importorskip("rich", reason="the extra `rich` is not installed")

from conveyor_rx.probes.progress import progress
from tests.probes.terminal import KNOWN, Terminal, console, pairs, picky, slow

pytestmark = pytest.mark.usefixtures("plain_environment")


async def test_a_row_a_stage() -> None:
    """Title and outcome, then done of how many, running, waiting, skipped, failed, rate of each."""
    terminal = Terminal()
    with progress(console=console(terminal)):
        await (slow | picky | pairs)([1, 2, 3, 4]).collect()
    last = terminal.frames[-1].splitlines()
    assert last[0].split() == "slow | picky | list done in 6.0 s".split()
    assert last[1].split() == "done running waiting skipped failed rate".split()
    rows = [re.sub("━+", "━", line).split() for line in last[2:]]
    assert [row[:7] for row in rows] == [
        "slow ━ 4/4 0 0 0 0".split(),
        "picky ━ 4/4 0 0 1 0".split(),
        "list ━ 3/3 0 0 0 0".split(),
    ]
    assert all(len(line) <= 100 for line in last)
    # The cursor is never away: a process may be killed at any time.
    assert terminal.getvalue().startswith("\x1b[?25l\x1b[?25h")
    assert terminal.getvalue().count("\x1b[?25l") == 1
    assert terminal.getvalue().endswith("\n\x1b[?25h")


async def test_one_line_for_a_pipeline() -> None:
    """As tqdm: how much of what, how long, how fast, what was skipped."""
    terminal = Terminal()
    with progress(one_line=True, console=console(terminal)):
        await (slow | picky)([1, 2, 3, 4]).collect()
    (last,) = terminal.frames[-1].splitlines()
    assert re.sub("━+", "━", last).split() == (
        "slow | picky ━ 100% 4/4 [0:06, 0.8/s, 1 skipped]".split()
    )


async def test_what_failed_is_told_from_what_was_skipped() -> None:
    """E9: an item that ends the run has failed; one that is given up is skipped."""
    terminal = Terminal()
    strict = single_task(lambda n: 1 / (4 - n))
    with pytest.raises(ZeroDivisionError), progress(one_line=True, console=console(terminal)):
        await (picky | strict)([1, 2, 3, 4]).collect()
    assert "1 failed, 1 skipped, ZeroDivisionError]" in terminal.frames[-1]


HOSTILE = "[red]a[/red] [link=http://x]b[/link] :smile: \x1b]8;;http://x\x07\x1b[2J\r\nz\u202e"


@pytest.mark.parametrize("one_line", [False, True])
async def test_hostile_names_are_text(one_line: bool) -> None:
    """No markup, link, emoji, control character or line of a name's gets through."""
    terminal = Terminal()
    with progress(one_line=one_line, console=console(terminal, width=300)):
        await single_task(task_name=HOSTILE)(abs)([1]).collect()
    text = KNOWN.sub("", terminal.getvalue())
    assert "[red]a[/red] [link=http://x]b[/link] :smile: ·]8;;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not {char for char in text if ord(char) < 32} - {"\r", "\n"}
    assert len(terminal.frames[-1].splitlines()) == (1 if one_line else 3)


async def test_messages_of_errors_are_not_shown() -> None:
    """Of what ended the run the type is shown, and it is raised as it is."""
    terminal = Terminal()
    error = KeyError("hunter2")

    @single_task
    def fail(n: int) -> int:
        raise error

    with pytest.raises(KeyError) as raised, progress(console=console(terminal)):
        await fail([1]).collect()
    assert raised.value is error
    assert "KeyError after" in terminal.frames[-1]
    assert "hunter2" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\n\x1b[?25h")


@pytest.mark.parametrize("width", [1, 20, 40, 71, 72, 95, 96, 200])
@pytest.mark.parametrize("one_line", [False, True])
async def test_any_width_will_do(width: int, one_line: bool) -> None:
    """No line is longer than the terminal is wide, else it could not be drawn over."""
    terminal = Terminal()
    with progress(one_line=one_line, console=console(terminal, width=width)):
        await (slow | picky | pairs)([1, 2, 3, 4]).collect()
    assert all(len(line) <= width for line in terminal.frames[-1].splitlines())


async def test_a_long_pipeline_is_cut_to_the_height() -> None:
    """The first and the last stages are shown, and how many are in between."""
    terminal = Terminal()
    stages = [single_task(task_name=f"stage {number}")(abs) for number in range(100)]
    pipeline: Any = stages[0]
    for stage in stages[1:]:
        pipeline = pipeline | stage
    with progress(console=console(terminal, height=12)):
        await pipeline([1]).collect()
    lines = terminal.frames[-1].splitlines()
    assert len(lines) <= 12
    assert [
        line.split()[1] for line in lines[2:] if "stage" in line
    ] == "0 1 2 3 96 97 98 99".split()
    assert "  92 more" in [line.rstrip() for line in lines]


async def test_names_that_the_terminal_cannot_write() -> None:
    """An encoding of few characters gets few."""
    raw = io.BytesIO()

    class Ascii(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    file = Ascii(raw, encoding="ascii")
    with progress(console=console(file)):  # type: ignore[arg-type]  # it is written to only
        await single_task(task_name="übung")(abs)([1]).collect()
    file.flush()
    assert b"?bung" in raw.getvalue()


async def test_many_pipelines_are_cut_to_those_that_run() -> None:
    """Six at once; of the others it is said how many there are."""
    terminal = Terminal()
    with progress(one_line=True, console=console(terminal)):
        for number in range(9):
            await single_task(task_name=f"task {number}")(abs)([1]).collect()
    lines = terminal.frames[-1].splitlines()
    assert (len(lines), lines[-1]) == (7, "and 3 more")
