"""What does the logging probe write, and what never?"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import Event, observe
from conveyor_rx.probes import LoggingProbe


class Secret:
    """An item whose repr must not be asked for."""

    def __repr__(self) -> str:
        raise AssertionError("the contents of an item were asked for")

    __str__ = __repr__


async def lines_of(caplog: pytest.LogCaptureFixture, stream: Any) -> list[str]:
    with caplog.at_level(logging.DEBUG, "conveyor_rx"), observe(LoggingProbe()):
        try:
            await stream.collect()
        except ValueError:
            pass
    records = [record for record in caplog.records if "skipped" not in record.message]
    assert {(record.name, record.levelno) for record in records} == {("conveyor_rx", logging.DEBUG)}
    return [record.getMessage() for record in records]


async def test_each_event_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """DEBUG on `conveyor_rx`: run, stage, event, and the numbers of items, call and attempt."""
    task = single_task(retry_attempts=2, task_name="half")(lambda x: 1 // x)
    lines = await lines_of(caplog, task([1]))
    (run,) = {line.split(",")[0] for line in lines}
    assert [line.replace(run, "run r") for line in lines] == [
        "run r, source: run_started, total 1",
        "run r, source: pulled, input 0",
        "run r, half: call_started, input 0, call 0, attempt 1",
        "run r, half: call_ended, input 0, call 0, completed",
        "run r, half: ready, input 0, call 0",
        "run r, half: emitted, input 0, call 0",
        "run r, output: delivered, input 0, call 0",
        "run r, source: stage_ended",
        "run r, half: stage_ended",
        "run r, output: run_ended, completed",
    ]


async def test_contents_and_messages_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """E2: of items the numbers and of errors the type; nothing else is even asked for."""

    @single_task(on_error="skip_item", retry_attempts=2)
    def refuse(item: Secret) -> Secret:
        raise KeyError("hunter2", item)

    @single_task
    def fail(item: Secret) -> Secret:
        raise ValueError("hunter2", item)

    lines = await lines_of(caplog, refuse([Secret()]))
    lines += await lines_of(caplog, fail([Secret()]))
    text = "\n".join(lines)
    assert "attempt_failed, input 0, call 0, attempt 2, KeyError" in text
    assert "run_ended, ValueError, failed" in text
    assert "hunter2" not in text
    args = [arg for record in caplog.records for arg in record.args or ()]
    assert all(isinstance(arg, str | int) for arg in args)


async def test_names_are_made_harmless(caplog: pytest.LogCaptureFixture) -> None:
    """A stage can't forge a line of the log, whatever its name."""
    task = single_task(task_name="x\nrun r, output: run_ended\x1b[2J")(abs)
    lines = await lines_of(caplog, task([1]))
    assert all(line.isprintable() for line in lines)


async def test_a_large_batch_is_a_short_line(caplog: pytest.LogCaptureFixture) -> None:
    """The numbers of a batch are named by the first and the last."""
    lines = await lines_of(caplog, batch_task(max_size=500)(sum)(range(500)))
    (formed,) = [line for line in lines if "batch_formed" in line]
    assert formed.endswith("batch_formed, inputs 0 to 499, full")


def test_nothing_is_made_up_while_debug_is_off() -> None:
    """The event isn't even looked at."""
    logger = logging.getLogger("conveyor_rx.tests.off")
    logger.setLevel(logging.INFO)
    not_an_event: Any = object()
    LoggingProbe(logger)(not_an_event)


async def test_a_logger_can_be_given() -> None:
    """Nothing reaches the library's own logger then."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    logger = logging.Logger("mine", logging.DEBUG)
    logger.addHandler(Keep())
    kinds: list[str] = []

    def also(event: Event) -> None:
        kinds.append(event.kind)

    with observe(LoggingProbe(logger), also):
        await single_task(abs)([-1, -2]).collect()
    assert [record.getMessage().split(": ")[1].split(",")[0] for record in records] == kinds
    assert {record.name for record in records} == {"mine"}
