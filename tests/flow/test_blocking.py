"""Who holds the event loop? A plain function that does for long is warned of."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from conveyor_rx import PipelineContext, batch_task, single_task
from conveyor_rx.events import observe
from tests.kit import in_both_modes


class Clock:
    """A clock of the work that is done on the running loop."""

    def __init__(self) -> None:
        self.time = 0.0
        asyncio.get_running_loop().work_clock = lambda: self.time  # type: ignore[attr-defined]


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@in_both_modes
@pytest.mark.parametrize("observed", [False, True])
async def test_a_plain_function_that_blocks_is_warned_of_once_a_run(
    mode: Any, observed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """F7: what holds the loop for more than 0.1 s is named, once a stage and run, and it alone."""
    clock = Clock()

    @single_task
    def quick(item: int) -> int:
        return item

    @single_task
    def slow(item: int) -> int:
        clock.time += 0.15 if item > 2 else 0.05
        return item

    @batch_task(max_size=2, task_name="by two")
    def batches(items: list[int]) -> list[int]:
        clock.time += 0.3
        return items

    pipeline = (quick | slow | quick | batches).with_execution_mode(mode)
    for _ in range(2):
        caplog.clear()
        if observed:
            with observe(lambda event: None):
                assert len(await pipeline(range(8)).collect()) == 8
        else:
            assert len(await pipeline(range(8)).collect()) == 8
        first, second = sorted(warned(caplog))
        assert first.startswith("task 'by two' held the event loop for 0.30 s: it is a plain `def`")
        assert second.startswith("task 'slow' held the event loop for 0.15 s: it is a plain `def`")
        assert "asyncio.to_thread" in first
        assert "warn_of_blocking=False" in first


async def test_a_call_that_fails_is_warned_of_too(caplog: pytest.LogCaptureFixture) -> None:
    """F7: the loop was held all the same; what became of the call is another matter."""
    clock = Clock()

    @single_task(on_error="skip_item")
    def fail(item: int) -> int:
        clock.time += 1
        raise ValueError

    assert await fail([1]).collect() == []
    assert any(message.startswith("task 'fail' held the event") for message in warned(caplog))


async def test_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Neither when it is switched off, nor of what takes no more than 0.1 s, nor of what awaits."""
    clock = Clock()

    @single_task
    def work(seconds: float) -> float:
        clock.time += seconds
        return seconds

    @single_task
    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    await (work | wait)([0.09] * 10).collect()
    await work.with_context(warn_of_blocking=False)([1.0]).collect()
    await wait([1.0]).collect()
    assert warned(caplog) == []


@pytest.mark.parametrize("value", [None, 0.5, "no"])
def test_the_option_is_a_flag(value: Any) -> None:
    """E10: a wrong option names itself."""
    with pytest.raises(TypeError, match="warn_of_blocking must be a bool"):
        PipelineContext(warn_of_blocking=value)
