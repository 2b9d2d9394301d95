"""Runs drawn as text: what stands where, and that nothing breaks the lines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from reactivex import operators as ops

from conveyor_rx import AsyncStream, RateLimit, batch_task, single_task
from conveyor_rx._text.columns import columns
from conveyor_rx.diagrams._recorder import Recorder
from conveyor_rx.diagrams._recording import Lane, Marble, Recording
from conveyor_rx.diagrams._text import render
from conveyor_rx.diagrams._words import figures
from conveyor_rx.events import observe
from tests.diagrams.test_labels import HOSTILE
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans


async def recorded(stream: AsyncStream[Any], **options: Any) -> Recording:
    """Collect `stream`, whatever becomes of it."""
    recorder = Recorder(**options)
    with observe(recorder), suppress(ValueError):
        await stream.collect()
    return recorder.run


async def each(*instants: float) -> AsyncIterator[int]:
    """Give 0, 1, 2… at these instants."""
    before = 0.0
    for number, instant in enumerate(instants):
        await asyncio.sleep(instant - before)
        before = instant
        yield number


@single_task(concurrency_limit=2)
async def slow(n: int) -> int:
    await asyncio.sleep(4 - n)
    return n


def rows(drawn: str, name: str) -> list[str]:
    """Give the rows of this name, with whatever number, from the time axis on."""
    named = re.compile(re.escape(name) + r"[ ≤\d]*")
    return [line[11:] for line in drawn.splitlines() if named.fullmatch(line[:11])]


def without_colours(drawn: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", drawn)


async def test_an_ordered_run_looks_like_this() -> None:
    """Slots and what waits for them; results that are held for order are rings and dots."""
    drawn = render(await recorded(slow([0, 1, 2, 3])), width=60)
    assert drawn.splitlines() == [
        "slow",
        "4 in · 4 out · first result after 4 s · all after 5 s",
        "",
        "           0 s               2 s               4 s",
        "source · iterable",
        "out        (0123)|",
        "",
        "slow · @single_task concurrency_limit…  100% of 2 slots busy",
        "waiting    2╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌1╌╌╌╌╌╌╌╌",
        "slot 1     0━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━3━━━━━━━━",
        "slot 2     1━━━━━━━━━━━━━━━━━━━━━━━━━━2━━━━━━━━━━━━━━━━━",
        "out        ───────────────────────────o········01───────23|",
        "",
        "output · pulled · ordered",
        "out        ────────────────────────────────────01───────23|",
        "",
        "0━━ call with input 0   3╌╌ three wait",
        "o··0 ready, held until 0 left   (0123) at one time   | end",
    ]


async def test_as_completed_nothing_is_held() -> None:
    """The same run in the other mode: results leave when they are ready."""
    drawn = render(await recorded(slow.as_completed([0, 1, 2, 3])), width=60)
    assert rows(drawn, "out")[1:] == ["───────────────────────────1────────0────────23|"] * 2
    assert "held" not in drawn


async def test_columns_are_proportional_to_time() -> None:
    """A mark stands in the column of its instant, below the tick of that instant."""
    instants = [0, 1, 3, 7, 8, 15, 20]
    drawn = render(await recorded(AsyncStream(each(*instants))), width=111)
    [source, output] = rows(drawn, "out")
    columns_of = [source.index(str(number)) for number in range(7)]
    assert columns_of == pytest.approx(
        [instant / 20 * columns_of[-1] for instant in instants], abs=1
    )
    assert [output.index(str(number)) for number in range(7)] == columns_of
    ticks = drawn.splitlines()[3][11:]
    assert ticks.index("15 s") == columns_of[5]
    assert ticks.index("20 s") == columns_of[6]


async def test_attempts_retries_and_lost_items_are_drawn() -> None:
    """A failed attempt ends with x, dots until the next; what was given up stands on the line."""

    @single_task(retry_attempts=2, retry_delay=1, on_error="skip_item", concurrency_limit=1)
    async def fetch(n: int) -> int | None:
        await asyncio.sleep(2)
        if n == 0:
            raise ValueError
        return n if n > 1 else None

    drawn = render(await recorded(fetch([0, 1, 2])), width=75)
    assert rows(drawn, "slot 1") == ["0━━━━━━━━━━━x·······0━━━━━━━━━━━x1━━━━━━━━━━━━2━━━━━━━━━━━━"]
    assert rows(drawn, "out")[1] == "─────────────────────────────────x0───────────∅1───────────2|"
    for sign in ("━x failed attempt", "x0 skipped", "∅0 dropped"):
        assert sign in drawn


async def test_calls_whose_time_was_over_and_waits_for_a_rate_are_drawn() -> None:
    """T1, R4: a timed-out attempt ends with T; a slot that is free for want of a rate says so."""

    @single_task(timeout=2, on_error="skip_item", rate_limit=RateLimit(1, per=4))
    async def fetch(n: int) -> int:
        await asyncio.sleep(1 if n else 9)
        return n

    drawn = render(await recorded(fetch([0, 1, 2])), width=65)
    assert rows(drawn, "slot 1") == ["0━━━━━━━━━T~~~~~~~~~~~1━━━━━~~~~~~~~~~~~~~~~2━━━━━"]
    for sign in ("━T its time was over", "~~ waits for its key or a rate"):
        assert sign in drawn


async def test_a_wait_for_a_key_is_drawn_where_the_slot_is_free() -> None:
    """K3: what waits for its key has no slot; it is drawn in the one that it gets."""

    @single_task(key=str, concurrency_limit=2)
    async def save(n: int) -> int:
        await asyncio.sleep(n)
        return n

    drawn = render(await recorded(save([1, 3, 3])), width=65)
    assert rows(drawn, "slot 1") == ["0━━━━━━━~~~~~~~~~~~~~~~~~2━━━━━━━━━━━━━━━━━━━━━━━━"]
    assert rows(drawn, "slot 2") == ["1━━━━━━━━━━━━━━━━━━━━━━━━"]


async def test_the_axis_has_marks_for_a_drain_and_the_watermark() -> None:
    """W1, W3: D where it was drained; W between what is settled and where a new run begins."""
    stream = slow(each(0, 4, 8, 12))
    asyncio.get_running_loop().call_later(9, stream.drain, 0.5)
    recorder = Recorder()
    with observe(recorder):
        assert [n async for n in stream] == [0, 1]
    drawn = render(recorder.run, width=100)
    assert "drained after 9 s · watermark 2 · closed after 9.5 s" in drawn
    assert rows(drawn, "marks") == [" " * 52 + "W" + " " * 26 + "D"]
    assert "D drained   W all before is settled" in drawn
    complete = render(await recorded(slow([1, 2])), width=65)
    assert "watermark" not in complete
    assert "marks" not in complete


async def test_batches_say_what_is_in_them_and_why_they_were_cut() -> None:
    """In brackets; the parts of one that was split are named, and the row that was given up."""

    @batch_task(max_size=4, on_error="skip_item")
    async def rank(batch: list[int]) -> list[int]:
        await asyncio.sleep(3)
        if 2 in batch:
            raise ValueError
        return batch

    @batch_task(max_size=3, min_size=2)
    async def total(batch: list[int]) -> int:
        return sum(batch)

    drawn = render(await recorded((rank | total)(range(6))), width=100)
    [slot] = rows(drawn, "slot 1")[:1]
    assert re.fullmatch(r"\[0123━full━*x01━+23━+x2━+x3━+\]\[45━flush━*\]", slot)
    assert re.search(r"x2─", rows(drawn, "out")[1])
    assert re.search("<013>─+<45>|", rows(drawn, "out")[2])


@pytest.mark.parametrize("kind", ["failed", "closed"])
async def test_a_run_that_ends_early_says_so(kind: str) -> None:
    """With an error or by the consumer: at the output, and calls that were cancelled."""

    @single_task(concurrency_limit=2)
    async def work(n: int) -> int:
        await asyncio.sleep(2 - n)
        if n == 0 and kind == "failed":
            raise ValueError("\x1b[31mno")
        await asyncio.sleep(n * 10)
        return n

    recorder = Recorder()
    with observe(recorder), suppress(ValueError):
        async with work([0, 1, 2]) as stream:
            await anext(stream)
    drawn = render(recorder.run, width=60)
    assert rows(drawn, "out")[-1].endswith("X" if kind == "failed" else "0/")
    assert rows(drawn, "slot 2")[0].endswith("/")
    assert ("X0" in drawn) == (kind == "failed")
    assert drawn.isprintable() or "\x1b" not in drawn


async def test_a_run_is_drawn_while_it_goes_on() -> None:
    """Calls go on until now, and no line has an end."""
    recorder = Recorder()
    drawn: list[str] = []

    @single_task
    async def look(n: int) -> int:
        await asyncio.sleep(5)
        drawn.append(render(recorder.run, width=60))
        return n

    with observe(recorder):
        await look(each(0, 4)).collect()
    assert rows(drawn[0], "slot 1") == ["0" + "━" * 44]
    assert rows(drawn[0], "out") == ["0" + "─" * 44 + "1|", "─" * 46, "─" * 46]
    assert "running for 4 s" in drawn[0]


async def test_many_results_at_one_instant_are_shortened() -> None:
    """What waits for one outlier comes in a burst: first and last in brackets, not a wall."""

    @single_task(concurrency_limit=4)
    async def outlier(n: int) -> int:
        await asyncio.sleep(8 if n == 2 else 1 + n % 3)
        return n

    drawn = render(await recorded(outlier(range(14))))
    assert "(2…c)────d|" in rows(drawn, "out")[-1]
    assert "(0123456789abcd)|" in rows(drawn, "out")[0]
    assert "a…z inputs 10 to 33" in drawn


async def test_what_is_too_much_for_marbles_becomes_heights() -> None:
    """Calls, results and what waits are counted for each column, with the highest number."""

    @single_task(concurrency_limit=16)
    async def fetch(n: int) -> int:
        await asyncio.sleep(1 + n * 7919 % 13 / 10)
        return n

    run = await recorded(fetch(range(1000)))
    drawn = render(run)
    assert len(drawn.splitlines()) < 20
    [busy] = rows(drawn, "busy ≤16")
    assert busy.rstrip("▁▂▃▄▅▆▇").strip("█") == ""
    assert rows(drawn, "wait ≤984")
    assert rows(drawn, "out ≤1000")
    assert len(rows(drawn, "out ≤")) == 3
    assert set(rows(drawn, "out ≤")[1]) <= set("─▁▂▃▄▅▆▇█|")


async def test_plain_functions_are_never_busy_twice() -> None:
    """Their calls take no time, and one begins when the other has ended."""

    @single_task
    def double(n: int) -> int:
        return 2 * n

    drawn = render(await recorded(double(range(20))))
    assert rows(drawn, "busy ≤1") == ["█"]
    assert rows(drawn, "out")[1:] == ["(0123456789abcdefghij)|"] * 2


async def test_what_was_not_recorded_is_not_drawn_and_that_is_said() -> None:
    """The picture ends where the details end; no line pretends to end there."""
    drawn = render(await recorded(slow([0] * 100), max_items=4), width=80)
    assert "100 items, drawn are the first 4; the numbers count all" in drawn
    assert "100 in · 100 out" in drawn
    assert rows(drawn, "out")[-1].endswith("23")


async def test_of_very_many_stages_the_first_and_the_last_are_drawn() -> None:
    """With a line for the others."""
    pipeline = slow
    for _ in range(59):
        pipeline = pipeline | ops.map(lambda n: n)
    drawn = render(await recorded(pipeline([0])))
    assert "… 20 more stages" in drawn.splitlines()
    assert len(re.findall("Rx operator", drawn)) == 39


@pytest.mark.parametrize("count", [34, 35])
async def test_inputs_are_named_by_one_character_or_by_their_number(count: int) -> None:
    """Letters as long as they are enough, without those that say something else; then numbers."""
    drawn = render(await recorded(slow.as_completed([3] * count)), width=200)
    [slot] = rows(drawn, "slot 1")
    names = re.findall(r"\w+", slot)
    letters = [*"0123456789abcdefghijklmnpqrstuvwyz"[:34:2]]
    assert names == (letters if count == 34 else [str(number) for number in range(0, 35, 2)])


async def test_many_options_leave_room_for_the_share_that_is_busy() -> None:
    """It is what a reader looks for; the options are cut."""
    options: Any = {"retry_attempts": 3, "retry_delay": 0.25, "on_error": "skip_item"}
    stage = single_task(asyncio.sleep, concurrency_limit=1, **options)
    drawn = render(await recorded(stage([1, 2])), width=80)
    [header] = [line for line in drawn.splitlines() if line.startswith("sleep · ")]
    assert re.search(r"concurrency_limit=1 .*…  100% of 1 slot busy$", header)
    assert len(header) == 80


async def test_labels_of_the_users_are_shown_where_they_have_room() -> None:
    """Cut, in as many columns as they take; without room the inputs' marks, and that is said."""
    names = ["日本語の名前", "ok", "a\nb\x1b[2J", ""]
    run = await recorded(AsyncStream(each(0, 5, 10, 15)), labels=names.__getitem__)
    drawn = render(run, width=100)
    assert rows(drawn, "out")[0].replace("─", "") == "日本語…oka b·[2J•|"
    close = await recorded(AsyncStream(each(*range(20))), labels=lambda _: "a label")
    drawn = render(close, width=60)
    assert "0─1──2─3─4──5─" in rows(drawn, "out")[0]
    assert "labels have no room" in drawn


def test_labels_of_a_recording_are_escaped_here() -> None:
    """Whoever made the recording."""
    run = lane(marbles=[Marble(1, (0,), "\x1b[2J", 5, 5)])
    run.shows_labels = True
    assert "─·[2J─" in render(run)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_labels_and_names_change_nothing_else(text: str) -> None:
    """No line more, no sign that isn't visible, and all in its place."""

    @single_task(task_name=text, concurrency_limit=2)
    async def named(n: int) -> int:
        await asyncio.sleep(4 - n)
        return n

    for color in (False, True):
        hostile = render(await recorded(named([0, 1]), labels=lambda _: text), color=color)
        harmless = render(await recorded(slow([0, 1]), labels=lambda _: "12345678"), color=color)
        lines = without_colours(hostile).splitlines()
        assert len(lines) == len(hostile.split("\n"))
        assert all(line.isprintable() for line in lines)
        assert rows("\n".join(lines), "slot") == rows(without_colours(harmless), "slot")
        assert max(map(columns, lines)) <= 100


async def test_colours_change_no_character() -> None:
    """They are ANSI codes around the same text, each line closing its own; without them none."""
    run = await recorded(slow([0, 1, 2, 3]))
    coloured = render(run, color=True)
    assert without_colours(coloured) == render(run)
    assert "\x1b" not in render(run)
    for line in coloured.splitlines():
        assert line.count("\x1b[0m") * 2 <= line.count("\x1b[")
        assert "\x1b" not in line or line.endswith("\x1b[0m") or line.rindex("\x1b[0m") > 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_run_is_drawn_within_its_width(plan: Plan) -> None:
    """Whatever the stages, failures and ends: wide or narrow, each line is one of text."""
    recorder = Recorder()
    with observe(recorder):
        check(plan)
    for run in recorder.runs:
        for width in (40, 79, 150):
            lines = render(run, width=width).split("\n")
            assert all(line.isprintable() and columns(line) <= width for line in lines)
            assert without_colours(render(run, width=width, color=True)).split("\n") == lines


def lane(**values: Any) -> Recording:
    """Give a run of 10 s with one stage of one slot."""
    stage = Lane("stage", "single_task", **values)
    return Recording("stage", (Lane("source", "source"), stage, Lane("output", "output")), now=10)


@pytest.mark.parametrize(
    ("make", "row", "drawn"),
    [
        (lambda: lane(), "out", "─" * 46),
        (lambda: lane(marbles=[Marble(1, (), "", 5, 5)]), "out", "─" * 22 + "•" + "─" * 23),
        (lambda: lane(queue=[(0, 1), (5, 12), (5.1, 0)]), "wait ≤12", "▁" * 22 + "█"),
    ],
)
def test_odd_recordings_are_drawn_too(make: Callable[[], Recording], row: str, drawn: str) -> None:
    """A lane in which nothing happened, a result of no input, a short peak."""
    assert rows(render(make(), width=60), row)[:2][-1] == drawn


async def test_a_lane_says_what_its_items_waited_for() -> None:
    """K3, R4: for their key or a rate, where it was not only for a slot."""

    @single_task(key=lambda item: item % 2, rate_limit=RateLimit(2, per=5))
    async def call(item: int) -> int:
        await asyncio.sleep(1)
        return item

    lane = (await recorded(call(range(6)))).stages[0]
    assert ("mean wait 7.5 s (key, rate)", "muted") in figures(lane, 11.0)
