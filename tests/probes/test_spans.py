"""Which spans does a run have, and what do they say?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conveyor_rx import single_task
from conveyor_rx.events import observe

pytest.importorskip("opentelemetry.sdk", reason="the SDK of OpenTelemetry is not installed")

from opentelemetry import trace

from tests.probes.telemetry import Telemetry, pairs, slow


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


async def test_spans_are_a_choice(telemetry: Telemetry) -> None:
    """Without it there are none."""
    with observe(telemetry.probe()):
        await slow([1]).collect()
    assert telemetry.spans == []


@pytest.mark.parametrize("mode", ["ordered", "as_completed"])
async def test_a_span_for_each_call(telemetry: Telemetry, mode: Any) -> None:
    """Under that of the run, which is under the caller's; with the call's numbers."""
    with observe(telemetry.probe(spans=True)), telemetry.tracer.start_as_current_span("caller"):
        await (slow | pairs).with_execution_mode(mode)([1, 1, 1, 1]).collect()
    assert telemetry.parents() == {
        "caller": {None},
        "slow | pairs": {"caller"},
        "slow": {"slow | pairs"},
        "pairs": {"slow | pairs"},
    }
    calls = [span.attributes for span in telemetry.spans if span.name == "pairs"]
    assert [dict(attributes or {}) for attributes in calls] == [
        {
            "conveyor_rx.pipeline.name": "slow | pairs",
            "conveyor_rx.stage.name": "pairs",
            "conveyor_rx.stage.id": 2,
            "conveyor_rx.call.number": number,
            "conveyor_rx.batch.size": 2,
            "conveyor_rx.inputs": (2 * number, 2 * number + 1),
            "conveyor_rx.outcome": "completed",
        }
        for number in range(2)
    ]


async def test_failures_are_named_by_type(telemetry: Telemetry) -> None:
    """Status and type of error, of the call and of the run; an event for each failed attempt."""
    fail = single_task(task_name="fail", retry_attempts=2, retry_delay=1)(lambda n: 1 // n)
    with observe(telemetry.probe(spans=True, run_spans=False)), pytest.raises(ZeroDivisionError):
        await fail([1, 0]).collect()
    well, badly = telemetry.spans
    assert well.status.status_code is trace.StatusCode.UNSET
    assert (badly.status.status_code, badly.status.description) == (trace.StatusCode.ERROR, None)
    assert badly.attributes is not None
    assert badly.attributes["error.type"] == "ZeroDivisionError"
    assert badly.attributes["conveyor_rx.outcome"] == "failed"
    assert badly.attributes["conveyor_rx.call.retries"] == 1
    assert [(event.name, dict(event.attributes or {})) for event in badly.events] == [
        ("attempt failed", {"error.type": "ZeroDivisionError", "conveyor_rx.attempt": attempt})
        for attempt in (1, 2)
    ]


@pytest.mark.parametrize("end", ["close", "fail"])
async def test_every_span_is_ended(telemetry: Telemetry, end: str) -> None:
    """A run that ends early ends the spans of its calls, as cancelled, and its own."""
    probe = telemetry.probe(spans=True)
    with observe(probe):
        if end == "close":
            async with slow([0, 5, 5]) as stream:
                await anext(stream)
                await asyncio.sleep(1)
        else:
            boom = single_task(lambda n: 1 // n)
            with pytest.raises(ZeroDivisionError):
                await (boom | slow)(iter([5, 5, 0])).collect()
    outcomes = [(span.attributes or {})["conveyor_rx.outcome"] for span in telemetry.spans]
    assert outcomes.count("cancelled") >= (2 if end == "close" else 0)
    assert outcomes[-1] == {"close": "closed", "fail": "failed"}[end]
    assert all(span.end_time for span in telemetry.spans)
