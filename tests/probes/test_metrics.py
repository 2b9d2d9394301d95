"""What does OpenTelemetry count and measure of a run?"""

from __future__ import annotations

import asyncio

import pytest
from reactivex import operators as ops

from conveyor_rx import Failure, batch_task, single_task
from conveyor_rx.events import observe

pytest.importorskip("opentelemetry.sdk", reason="the SDK of OpenTelemetry is not installed")

from tests.probes.telemetry import Telemetry, pairs, picky, slow


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


async def test_counters_of_each_stage(telemetry: Telemetry) -> None:
    """Items in, out, skipped, dropped; calls by outcome and type of error; retries."""
    stream = (slow | picky | pairs)([1, 2, 3, 4, 5, 6])
    with observe(telemetry.probe()):
        assert await stream.collect() == [1, 2, 5, 6]
        assert await (slow | picky | pairs)([1]).collect() == []
    assert telemetry.counts("items.in") == {"slow": 7, "picky": 7, "pairs": 5}
    assert telemetry.counts("items.out") == {"slow": 7, "picky": 5, "pairs": 4}
    assert telemetry.counts("items.skipped") == {"picky": 1}
    by_reason = telemetry.counts("items.dropped", "conveyor_rx.reason")
    assert by_reason == {("picky", "none"): 1, ("pairs", "rest"): 1}
    assert telemetry.counts("retries") == {"picky": 2}
    assert telemetry.counts("calls", "conveyor_rx.outcome", "error.type") == {
        ("slow", "completed", ""): 7,
        ("picky", "completed", ""): 5,
        ("picky", "skipped", "KeyError"): 1,
        ("picky", "dropped", ""): 1,
        ("pairs", "completed", ""): 2,
    }
    assert telemetry.counts("items.failed") == {}
    (run,) = telemetry.points("run.duration")
    assert (run.count, dict(run.attributes)) == (
        2,
        {
            "conveyor_rx.pipeline.name": "slow | picky | pairs",
            "conveyor_rx.outcome": "completed",
        },
    )


async def test_times_of_each_stage(telemetry: Telemetry) -> None:
    """Seconds of calls, of waiting for a slot or a batch, and of being held for order."""
    with observe(telemetry.probe()):
        # The first is held up in `slow` by nobody; the second and the third are held for it.
        await (slow | pairs)([3, 1, 1, 5]).collect()
    # 0-3, 0-1, 1-2, 2-7; the first pair from 3 on; the second is full at 7.
    assert telemetry.times("call.duration") == {"slow": (4, 10), "pairs": (2, 2)}
    assert telemetry.times("items.wait_time") == {"slow": (4, 0 + 0 + 1 + 2), "pairs": (4, 4)}
    assert telemetry.times("items.hold_time") == {"slow": (4, 0 + 2 + 1 + 0), "pairs": (4, 0)}
    (run,) = telemetry.points("run.duration")
    assert (run.count, run.sum) == (1, 8)
    assert run.explicit_bounds[0] < 0.001
    assert run.explicit_bounds[-1] == 60


async def test_an_item_waits_from_its_coming_to_its_call(telemetry: Telemetry) -> None:
    """First for its batch to fill, then, as a batch, for a slot: both count, once."""

    @single_task
    async def arrive(at: int) -> int:
        await asyncio.sleep(at)
        return at

    @batch_task(max_size=2)
    async def store(batch: list[int]) -> int:
        await asyncio.sleep(10)
        return 0

    with observe(telemetry.probe()):
        await (arrive | store)([1, 2, 3, 5]).collect()
    # The first pair is full at 2 and called at once; the second is full at 5, and called at 12.
    assert telemetry.times("items.wait_time")["store"] == (4, (1 + 0) + (9 + 7))


async def test_a_batch_that_is_halved_is_no_retry(telemetry: Telemetry) -> None:
    """E3, E5: the parts are tried for the first time; what stands alone in the end is skipped."""

    @batch_task(max_size=4, on_error="skip_item")
    def refuse(batch: list[int]) -> list[int]:
        if 3 in batch:
            raise ValueError
        return batch

    with observe(telemetry.probe(spans=True)):
        assert await refuse([1, 2, 3, 4]).collect() == [1, 2, 4]
    assert telemetry.counts("retries") == {}
    assert telemetry.counts("items.skipped") == {"refuse": 1}
    assert telemetry.counts("calls", "conveyor_rx.outcome") == {("refuse", "completed"): 1}


async def test_stages_of_one_name_and_operators_are_told_apart(telemetry: Telemetry) -> None:
    """By their ids; an operator has no calls, but what came and what left."""
    with observe(telemetry.probe()):
        await (picky | ops.filter(lambda n: n > 1) | picky)([1, 2]).collect()
    stages = {
        (point.attributes["conveyor_rx.stage.id"], point.value)
        for point in telemetry.points("items.out")
    }
    assert stages == {(1, 2), (2, 1), (3, 1)}
    assert {point.value for point in telemetry.points("calls")} == {2, 1}


async def test_a_failure_is_counted(telemetry: Telemetry) -> None:
    """By the type of the error, of the call and of the run."""
    fail = single_task(task_name="fail")(lambda n: 1 // n)
    with observe(telemetry.probe()), pytest.raises(ZeroDivisionError):
        await fail([0]).collect()
    assert telemetry.counts("items.failed") == {"fail": 1}
    assert telemetry.counts("calls", "conveyor_rx.outcome", "error.type") == {
        ("fail", "failed", "ZeroDivisionError"): 1
    }
    (run,) = telemetry.points("run.duration")
    assert run.attributes["error.type"] == "ZeroDivisionError"


async def test_dead_letters_are_counted(telemetry: Telemetry) -> None:
    """D1: beside the items that were skipped; a span says when one was accepted."""
    letters: list[Failure] = []
    with observe(telemetry.probe(spans=True)):
        await picky.with_context(dead_letter=letters.append)([1, 3]).collect()
    assert telemetry.counts("items.dead_lettered") == {"picky": len(letters)} == {"picky": 1}
    accepted = [event.name for span in telemetry.spans for event in span.events][-1]
    assert accepted == "dead letter accepted"
    assert "hunter2" not in telemetry.text()
