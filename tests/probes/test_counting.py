"""Are the numbers of a progress view right, at any time, and is nothing kept of what is over?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from reactivex import operators as ops

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import Event, observe
from conveyor_rx.probes._counting import Counting
from conveyor_rx.probes._counts import PipelineCount, StageCount
from tests.probes.careful import Careful
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans


@single_task(concurrency_limit=2)
async def slow(n: int) -> int:
    await asyncio.sleep(n)
    return n


@single_task(on_error="skip_item", retry_attempts=2)
def picky(n: int) -> int | None:
    if n % 5 == 0:
        raise ValueError(n)
    return n if n % 2 else None


@batch_task(max_size=4, on_error="skip_item")
async def sums(batch: list[int]) -> int:
    if 7 in batch:
        raise ValueError(7)
    return sum(batch)


async def counted(stream: Any) -> PipelineCount:
    counting = Counting()
    with observe(counting):
        await stream.collect()
    (pipeline,) = counting.pipelines
    pipeline.expect()
    return pipeline


def numbers(stage: StageCount) -> tuple[int, int, int, int]:
    return stage.done, stage.running, stage.waiting, stage.failed + stage.skipped


@pytest.mark.parametrize("data", [range(20), iter(range(20))], ids=["length", "no length"])
@pytest.mark.parametrize("mode", ["ordered", "as_completed"])
@pytest.mark.parametrize(
    "pipeline",
    [picky, picky | slow, slow | sums, picky | sums | slow, batch_task(3, 6)(list) | picky],
    ids=str,
)
async def test_numbers_at_the_end_are_those_of_the_run(pipeline: Any, mode: Any, data: Any) -> None:
    """E9: what is done, failed, skipped and expected agrees with the statistics of the stream."""
    stream = pipeline.with_execution_mode(mode)(range(20) if data == range(20) else iter(range(20)))
    count = await counted(stream)
    for stage, stats in zip(count.stages, stream.stats, strict=True):
        assert stage.done == stats.completed + stats.dropped
        assert (stage.failed, stage.skipped) == (stats.failed, stats.skipped)
        assert (stage.running, stage.waiting) == (0, 0)
        assert stage.results == stats.out
        assert (stage.expected, stage.is_exact) == (stats.in_, True)
    assert (count.active, count.outcome) == (0, "completed")


async def test_numbers_in_the_middle() -> None:
    """Running, waiting for a slot or a batch, done, and what is expected, at one instant."""
    counting = Counting()
    seen: list[Any] = []

    async def look() -> None:
        await asyncio.sleep(2.5)
        (pipeline,) = counting.pipelines
        pipeline.expect()
        seen.extend((numbers(s), s.expected, s.is_exact) for s in pipeline.stages)

    with observe(counting):
        looking = asyncio.create_task(look())
        await (slow | sums).with_context()([1] * 10).collect()
        await looking
    # 4 done in two pairs; they made a batch, which was summed at once.
    assert seen == [((4, 2, 4, 0), 10, True), ((4, 0, 0, 0), 10, False)]


async def test_operators_count_their_results() -> None:
    """Nobody knows which items an operator has done with; its results are known."""
    count = await counted((picky | ops.filter(lambda n: n > 5) | slow)(range(10)))
    assert [stage.makes_calls for stage in count.stages] == [True, False, True]
    assert [stage.results for stage in count.stages] == [4, 2, 2]
    assert [stage.expected for stage in count.stages] == [10, 4, 2]


@pytest.mark.parametrize("end", ["close", "fail"])
async def test_an_early_end_leaves_nothing_running(end: str) -> None:
    """What ran or waited is let go of, and the run is forgotten."""
    counting = Counting()
    fails = single_task(lambda n: 1 // (3 - n))
    with observe(counting):
        stream = (slow | fails | sums)([1] * 2 + [3 if end == "fail" else 1] + [2] * 9)
        if end == "close":
            reading = asyncio.create_task(anext(stream))
            await asyncio.sleep(1.5)
            await stream.aclose()
            with pytest.raises(StopAsyncIteration):
                await reading
        else:
            with pytest.raises(ZeroDivisionError):
                await stream.collect()
    (pipeline,) = counting.pipelines
    assert all((stage.running, stage.waiting) == (0, 0) for stage in pipeline.stages)
    assert (pipeline.active, counting.active) == (0, 0)
    assert pipeline.outcome == {"close": "closed", "fail": "ZeroDivisionError"}[end]
    assert pipeline.stages[1].failed == (end == "fail")


async def test_runs_of_one_pipeline_are_counted_together() -> None:
    """Interleaved runs, inner ones too, add up; other pipelines are apart."""
    counting = Counting()

    @single_task
    async def outer(n: int) -> int:
        return len(await slow([1] * n).collect())

    with observe(counting):
        assert await outer([1, 2, 3]).collect() == [1, 2, 3]
    first, second = counting.pipelines
    assert (first.name, first.runs, second.name, second.runs) == ("outer", 1, "slow", 3)
    assert numbers(second.stages[0]) == (6, 0, 0, 0)
    second.expect()
    assert second.stages[0].expected == 6


async def test_only_so_many_pipelines_are_remembered() -> None:
    """A program that makes pipelines for ever doesn't fill the memory."""
    counting = Counting()
    with observe(counting):
        for number in range(60):
            await single_task(task_name=f"task {number}")(abs)([1]).collect()
    assert len(counting.pipelines) == 50
    assert counting.pipelines[-1].name == "task 59"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_run_adds_up(plan: Plan) -> None:
    """Whatever the stages, the failures and the consumer, all that came is accounted for."""
    counting = Counting()
    careful = Careful(counting)

    def probe(event: Event) -> None:
        careful(event)
        for pipeline in counting.pipelines:
            pipeline.expect()
            for stage in pipeline.stages:
                assert stage.expected is None or stage.expected >= stage.settled >= 0
                assert min(numbers(stage)) >= 0
                if stage.makes_calls:
                    assert sum(numbers(stage)) <= stage.arrived

    checked = Careful(probe)
    with observe(checked):
        check(plan)
    assert not careful.raised + checked.raised
    assert counting.active == 0
    for pipeline in counting.pipelines:
        assert all((stage.running, stage.waiting) == (0, 0) for stage in pipeline.stages)
