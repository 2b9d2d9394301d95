"""What never arrives in OpenTelemetry, and what is remembered of a run?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import Event, observe
from tests.probes.careful import Careful
from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans

pytest.importorskip("opentelemetry.sdk", reason="the SDK of OpenTelemetry is not installed")

from conveyor_rx.probes.opentelemetry import OpenTelemetryProbe
from tests.probes.telemetry import Telemetry, pairs, picky, slow


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


SECRETS = ("hunter2", "swordfish")


async def test_contents_and_messages_are_never_sent(telemetry: Telemetry) -> None:
    """E2: neither of items, results nor errors, unless messages are asked for."""

    @single_task(on_error="skip_item")
    def fail(item: str) -> str:
        if item == "hunter2":
            raise KeyError(item)
        return item

    with observe(telemetry.probe(spans=True)):
        assert await (fail | batch_task(max_size=2)(list))(SECRETS).collect() == ["swordfish"]
    assert "KeyError" in telemetry.text()
    assert not any(secret in telemetry.text() for secret in SECRETS)


async def test_messages_are_a_choice(telemetry: Telemetry) -> None:
    """`record_exceptions` sends them, with the traceback."""
    with observe(telemetry.probe(spans=True, record_exceptions=True)):
        await picky([3]).collect()
    events = [event.name for event in telemetry.spans[0].events]
    assert events == ["attempt failed", "exception"] * 3
    assert "hunter2" in telemetry.text()


async def test_the_global_providers_are_the_default() -> None:
    """As with all of OpenTelemetry's own; where none is set nothing happens."""
    with observe(OpenTelemetryProbe(spans=True)):
        assert await (slow | picky)([1, 2]).collect() == [1, 2]


async def test_only_what_is_under_way_is_remembered(telemetry: Telemetry) -> None:
    """A run that goes on for ever fills no memory: nothing is kept of what has left."""
    probe = telemetry.probe(spans=True)
    left: list[int] = []

    def look(event: Event) -> None:
        if event.kind == "stage_ended" and event.stage == 3:
            for part in probe._probes:
                (run,) = part._runs.values()  # type: ignore[attr-defined]
                left.extend(len(kept) for kept in vars(run).values() if type(kept) is dict)

    with observe(probe, look):
        await (slow | picky | pairs)(range(99)).collect()
    assert len(left) >= 5
    assert set(left) == {0}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_run_is_told_to_its_end(plan: Plan) -> None:
    """Whatever the stages, failures and consumer: each span is ended, nothing is remembered."""
    telemetry = Telemetry()
    begun: set[tuple[int, int, int | None]] = set()
    probe = Careful(telemetry.probe(spans=True))
    runs: list[Any] = []

    def count(event: Event) -> None:
        if event.kind == "call_started":
            begun.add((id(event.run), event.stage, event.call))
        if event.kind == "run_started":
            runs.append(event.run)

    with observe(probe, count):
        check(plan)
    assert not probe.raised
    assert len(telemetry.spans) == len(begun) + len(runs)
    assert sum(point.value for point in telemetry.points("calls")) == len(begun)
    assert sum(point.count for point in telemetry.points("run.duration")) == len(runs)
    assert not any(part._runs for part in probe.probe._probes)
