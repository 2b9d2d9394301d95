"""What do the ready-made probes say of calls that workers make?"""

from __future__ import annotations

import logging
import re

import pytest

from conveyor_rx import SingleTask, single_task
from conveyor_rx.events import observe
from conveyor_rx.probes import LoggingProbe
from tests.executors import functions as f
from tests.executors.virtual import VirtualExecutor

WORKER, QUEUE_TIME = "conveyor_rx.call.worker", "conveyor_rx.call.queue_time"


def executor() -> VirtualExecutor:
    return VirtualExecutor("process 11", seconds=lambda item: 10.0)


async def test_logs_name_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    """P4: a line for the end of a call says who made it, and after which wait."""
    with caplog.at_level(logging.DEBUG, "conveyor_rx"), observe(LoggingProbe()):
        await SingleTask(f.double, executor=executor(), concurrency_limit=2)([1, 2]).collect()
    ends = [line for line in caplog.messages if "call_ended" in line]
    assert [re.sub(r"^run \S+, |\.\d+", "", line) for line in ends] == [
        "double: call_ended, input 0, call 0, completed, by process 11 after 0 s",
        "double: call_ended, input 1, call 1, completed, by process 11 after 10 s",
    ]


async def test_spans_and_metrics() -> None:
    """P4: spans have the worker and the wait as attributes; waits are a histogram of the stage."""
    pytest.importorskip("opentelemetry.sdk", reason="the SDK of OpenTelemetry is not installed")
    from tests.probes.telemetry import Telemetry

    telemetry = Telemetry()
    task = single_task(
        f.obey,
        executor=executor(),
        concurrency_limit=3,
        retry_attempts=2,
        on_error="skip_item",
    )
    with observe(telemetry.probe(spans=True)):
        await (task | single_task(f.double, task_name="here"))(["x", "fail"]).collect()
    of_task = [span.attributes or {} for span in telemetry.spans if span.name == "obey"]
    # The second is called at 10; it fails at 20, and again, after a short rest, at 30.
    assert [(each[WORKER], round(float(str(each[QUEUE_TIME])))) for each in of_task] == [
        ("process 11", 0),
        ("process 11", 0),
    ]
    (failed,) = [span for span in telemetry.spans if len(span.events) == 2]
    waits = [(event.attributes or {})[QUEUE_TIME] for event in failed.events]
    assert [round(float(str(wait))) for wait in waits] == [10, 0]
    ((count, seconds),) = telemetry.times("call.queue_time").values()
    assert count == 3
    assert 9 < seconds.expected < 11
    assert not any(WORKER in (s.attributes or {}) for s in telemetry.spans if s.name == "here")
