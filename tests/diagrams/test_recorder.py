"""What is kept of a run? Little, whatever the values are, and it is said what is not."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from conveyor_rx import Failure, RateLimit, batch_task, single_task
from conveyor_rx.diagrams import MarbleDiagram, Recorder, record
from conveyor_rx.events import observe


class Raising:
    def __repr__(self) -> str:
        raise RuntimeError("secret")


class Huge:
    def __repr__(self) -> str:
        return "huge " * 10**6


@single_task(concurrency_limit=2)
async def passed(item: Any) -> Any:
    await asyncio.sleep(1)
    return item


async def test_values_without_a_decent_repr_are_recorded() -> None:
    """It raises, is huge, or the user's `labels` raise: the run and the picture go on."""
    values = [Raising(), Huge(), "x" * 10**6, 10**100_000, 5]

    def labels(value: Any) -> object:
        if value == 5:
            raise ValueError("secret")
        return value

    for chosen in (None, labels):
        with record(labels=chosen) as recorder:
            assert await passed(values).collect() == values
        shown = [marble.label for marble in recorder.run.output.marbles]
        assert shown[0] == "<Raising>"
        assert shown[1].startswith("huge")
        assert shown[4] == ("5" if chosen is None else "<int>")
        assert max(map(len, shown)) <= 40
        diagram = MarbleDiagram(recorder)
        for picture in (diagram.svg(), diagram.text(), diagram.html()):
            assert "secret" not in picture
            assert len(picture) < 50_000


async def test_values_are_not_kept_alive() -> None:
    """Only labels are."""

    class Value:
        pass

    def values() -> Any:
        for _ in range(3):
            value = Value()
            alive.append(weakref.ref(value))
            yield value

    alive: list[weakref.ref[Value]] = []
    with record() as recorder:
        async for _ in passed(values()):
            pass
        del _
    gc.collect()
    assert recorder.run.delivered == 3
    assert [one() for one in alive] == [None] * 3


async def test_beyond_its_bounds_it_only_counts() -> None:
    """So many items of a run, so many runs; the numbers go on, and the picture says so."""
    recorder = Recorder(max_items=4, max_runs=2)
    with observe(recorder):
        for _ in range(3):
            await passed(range(10)).collect()
    assert len(recorder.runs) == 2
    assert recorder.unrecorded_runs == 1
    run = recorder.run
    assert (run.pulled, run.delivered, run.kept, run.is_cut) == (10, 10, 4, True)
    assert len(run.output.marbles) == 4
    assert "10 items: recorded in detail are the first 4" in MarbleDiagram(recorder).svg()


def test_a_recorder_without_a_run() -> None:
    """It says what is missing; bad bounds are refused by name."""
    with pytest.raises(LookupError, match="a run begins when its stream is first read"):
        _ = Recorder().run
    for name in ("max_items", "max_runs"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1"):
            Recorder(**{name: 0})


@pytest.mark.parametrize("attempts", [1, 2])
async def test_parts_of_a_halved_batch_are_no_retries(attempts: int) -> None:
    """E3, E5: a retry is what `retry_attempts` leads to; it is said how many parts were tried."""

    @batch_task(max_size=4, on_error="skip_item", retry_attempts=attempts, retry_delay=0)
    def picky(batch: list[int]) -> list[int]:
        if 2 in batch:
            raise ValueError(batch)
        return batch

    with record() as recorder:
        stream = picky(range(4))
        assert await stream.collect() == [0, 1, 3]
    run = recorder.run
    assert run.retries == stream.stats[0].retried == 3 * (attempts - 1)
    assert run.parts == 4
    diagram = MarbleDiagram(recorder)
    for picture in (diagram.text(), diagram.svg()):
        assert ("retries" in picture) is (attempts > 1)
        assert "4 parts of batches tried" in picture


async def test_a_recorder_says_what_it_holds() -> None:
    """Nothing yet, runs that go on, runs that have ended; of many the first, none of their data."""
    recorder = Recorder(max_runs=12)
    assert repr(recorder) == (
        "<Recorder of no run yet: a run begins when its stream is first read>"
    )
    fails = single_task(lambda n: 1 // n, task_name="one\u202eover")
    with observe(recorder):
        async with passed([1, 2, 3]) as stream:
            await anext(stream)
            assert repr(recorder).split("\n") == [
                "<Recorder of 1 run, MarbleDiagram(recorder) draws the first>",
                "  passed: 3 in · 1 out · first result after 1 s · running for 1 s",
            ]
        with pytest.raises(ZeroDivisionError):
            await fails([1, 0]).collect()
        for _ in range(12):
            await passed(["secret"] * 1000).take(1).collect()
    first, passed_line, failed_line, *_, last = repr(recorder).split("\n")
    assert first == "<Recorder of 26 runs, MarbleDiagram(recorder) draws the first>"
    assert passed_line.endswith("closed after 1 s")
    assert failed_line.startswith("  one·over: 2 in · 1 out · 1 failed")
    assert last == "  and 16 more"
    assert "secret" not in repr(recorder)
    assert len(repr(recorder)) < 2000


async def test_a_recording_and_its_lanes_have_a_short_repr() -> None:
    """Not the thousands of calls and marbles that they hold."""
    with record() as recorder:
        await (passed | batch_task(max_size=10)(list))(["secret"] * 1000).collect()
    assert repr(recorder.run) == "<Recording of passed | list: 1,000 in, 1,000 out, completed>"
    assert [repr(lane) for lane in recorder.run.stages] == [
        "<Lane passed: 1,000 calls, 1,000 results, 0 losses>",
        "<Lane list: 100 calls, 1,000 results, 0 losses>",
    ]


async def test_it_notes_waits_times_that_were_over_letters_and_the_watermark() -> None:
    """K3, R4, T1, D1, W3: what each call waited for, which attempts and items these are."""
    letters: list[Failure] = []

    @single_task(rate_limit=RateLimit(1, per=4), timeout=2, retry_attempts=2, retry_delay=1)
    async def fetch(number: int) -> int:
        await asyncio.sleep(9 if number == 1 else 1)
        return number

    @single_task(on_error="skip_item", dead_letter=letters.append)
    async def check(number: int) -> int:
        raise ValueError(number)

    with record() as recorder, pytest.raises(TimeoutError):
        async for _ in (fetch | check)([0, 1]):
            pass
    lane, checks = recorder.run.stages
    assert [(call.waits_for, call.waited_from) for call in lane.calls] == [("", 0), ("rate", 0)]
    assert [
        [(attempt.error, attempt.timed_out) for attempt in call.attempts] for call in lane.calls
    ] == [[("", False)], [("TimeoutError", True)] * 2]
    assert [loss.has_letter for loss in checks.losses] == [True] * len(letters) == [True]
    assert (lane.retries, recorder.run.watermark) == (1, 1)
