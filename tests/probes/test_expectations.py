"""What does a progress view expect of a stage, and how fast does it say it is?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import repeat
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import Event, observe
from conveyor_rx.probes._counting import Counting
from conveyor_rx.testing import run


@single_task(concurrency_limit=2)
async def slow(n: int) -> int:
    await asyncio.sleep(n)
    return n


pairs = batch_task(max_size=2)(list)


async def test_what_is_expected_follows_what_the_stages_make_of_it() -> None:
    """After a fan-out of three the next stage expects three times as much."""
    counting = Counting()
    expected: list[tuple[int | None, bool]] = []

    def look(event: Event) -> None:
        counting(event)
        if event.kind == "call_ended" and event.stage == 2:
            (pipeline,) = counting.pipelines
            pipeline.expect()
            expected.append((pipeline.stages[1].expected, pipeline.stages[1].is_exact))

    thrice = single_task(concurrency_limit=1)(lambda n: [n, n, n])
    with observe(look):
        await (slow | thrice | slow)([1] * 4).collect()
    assert set(expected) == {(4, False), (4, True)}
    (pipeline,) = counting.pipelines
    pipeline.expect()
    assert [stage.expected for stage in pipeline.stages] == [4, 4, 12]


async def test_unknown_lengths_are_not_made_up() -> None:
    """Without a length nothing is expected until the source has ended."""
    counting = Counting()
    expected: set[int | None] = set()

    async def source() -> AsyncIterator[int]:
        for _ in range(3):
            yield 0
            (pipeline,) = counting.pipelines
            pipeline.expect()
            expected.update(stage.expected for stage in pipeline.stages)

    with observe(counting):
        await (slow | pairs)(source()).collect()
    assert expected == {None}
    (pipeline,) = counting.pipelines
    pipeline.expect()
    assert [stage.expected for stage in pipeline.stages] == [3, 3]


async def test_a_length_that_is_no_length() -> None:
    """Where more comes than the source said, that is expected, and never less than is done."""

    class Liar(list[int]):
        def __len__(self) -> int:
            return 2

    counting = Counting()
    shares: list[tuple[int, int | None]] = []

    def look(event: Event) -> None:
        counting(event)
        (pipeline,) = counting.pipelines
        pipeline.expect()
        shares.extend((stage.settled, stage.expected) for stage in pipeline.stages)

    with observe(look):
        await (single_task(lambda n: [n] * n) | slow)(Liar([5, 0, 1, 2])).collect()
    assert all(expected is None or done <= expected for done, expected in shares)
    assert shares[-2:] == [(4, 4), (8, 8)]


async def test_rates_are_items_a_second() -> None:
    """Of late while it runs, over all the time at the end."""
    counting = Counting()
    rates: list[float | None] = []

    async def look() -> None:
        for _ in range(3):
            await asyncio.sleep(15)
            rates.append(counting.pipelines[0].stages[0].rate(asyncio.get_running_loop().time()))

    with observe(counting):
        looking = asyncio.create_task(look())
        await slow.with_context()([1] * 40 + [20, 20, 20, 20]).collect()
        await looking
    # Two a second for 20 seconds, then two every 20 seconds.
    assert rates == [
        pytest.approx(2, abs=0.1),
        pytest.approx(0.2, abs=0.1),
        pytest.approx(0.1, abs=0.1),
    ]
    (stage,) = counting.pipelines[0].stages
    assert stage.rate(None) == pytest.approx(44 / 60, rel=0.01)


def left_at(times: list[float], begin: Callable[[], Any]) -> list[str]:
    """Run, and give the seconds that are said to be left at these times, rounded."""

    async def main() -> list[str]:
        counting = Counting()
        found: list[str] = []

        async def look() -> None:
            for time in times:
                await asyncio.sleep(time - asyncio.get_running_loop().time())
                (pipeline,) = counting.pipelines
                pipeline.expect()
                left = pipeline.left(asyncio.get_running_loop().time())
                found.append("?" if left is None else f"{left:.0f}")

        with observe(counting):
            looking = asyncio.create_task(look())
            await begin()
            await looking
        return found

    return run(main)


@single_task(concurrency_limit=1)
async def steady(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@pytest.mark.parametrize(
    ("times", "make", "left"),
    [
        # The last stage is through with its first batch in no time, and has long to wait.
        ([10.1, 20.1], lambda: (steady | batch_task(max_size=10)(list))([1] * 30), ["20", "10"]),
        # The first stage is through long before the last.
        ([4.5, 40.5], lambda: (slow | steady)([1] * 60), ["66", "22"]),
        # Nobody can tell before a stage's first calls have ended.
        ([1.5], lambda: (steady | single_task(lambda _: asyncio.sleep(9)))([1] * 5), ["?"]),
        ([2.5], lambda: (steady | ops.take(5))(repeat(1)), ["?"]),
        # The slowest is an operator: its items come from the first stage at its own pace.
        ([10.1], lambda: (steady | ops.map(str) | batch_task(10)(list))([1] * 30), ["20"]),
        ([0.5], lambda: single_task(str)([1] * 5), ["0"]),
    ],
    ids=["bursts", "slow end", "slow call", "no length", "operator", "done"],
)
def test_the_time_left_is_that_of_the_slowest_stage(
    times: list[float], make: Callable[[], Any], left: list[str]
) -> None:
    """It is no less than any stage needs, at its pace of late; or nothing, if nobody can tell."""
    assert left_at(times, lambda: make().collect()) == left


@pytest.mark.parametrize("one_line", [False, True])
def test_the_time_left_is_shown(one_line: bool) -> None:
    """By the table, too."""
    pytest.importorskip("rich", reason="the extra `rich` is not installed")
    from rich.console import Console

    from conveyor_rx.probes._one_line import one_line as line
    from conveyor_rx.probes._table import table

    counting = Counting()
    console = Console(width=100, record=True)

    async def main() -> None:
        with observe(counting):
            stream = (steady | batch_task(max_size=10)(list))([1] * 30)
            await anext(stream)
            (pipeline,) = counting.pipelines
            pipeline.expect()
            now = asyncio.get_running_loop().time()
            view = line(pipeline, now, console) if one_line else table(pipeline, now, console, 9)
            console.print(view)
            await stream.aclose()

    run(main)
    shown = console.export_text()
    assert ("[0:10<0:20" if one_line else "10.0 s, 0:20 left") in shown
