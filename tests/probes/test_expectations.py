"""What does a progress view expect of a stage, and how fast does it say it is?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import Event, observe
from conveyor_rx.probes._counting import Counting


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
        if event.kind == "call_ended" and event.stage == 1:
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
