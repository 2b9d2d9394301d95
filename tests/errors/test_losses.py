"""Is everything counted that disappears? E9 of the contract."""

from __future__ import annotations

from typing import Any

from conveyor_rx import BatchTask, RetryConfig, SingleTask
from tests.errors.failing import Slow, ending
from tests.kit import in_both_modes


@in_both_modes
async def test_everything_that_disappears_is_counted(mode: Any) -> None:
    """E9: of ten items each is somewhere: completed, skipped, dropped; Nones in lists are, too."""

    async def work(item: int) -> Any:
        if item % 5 == 1:
            raise ValueError("boom")
        return None if item % 5 == 2 else [item, None]

    task = SingleTask(work, on_error="skip_item", retry_config=RetryConfig(2, 1.0))
    stream = (task | BatchTask(list, 4, 4)).with_execution_mode(mode)(range(10))
    assert await stream.collect() == [0, 3, 4, 5]
    first, second = stream.stats
    assert (first.in_, first.completed, first.skipped, first.dropped) == (10, 6, 2, 2)
    assert (first.retried, first.dropped_outputs, first.out) == (2, 6, 6)
    assert (second.in_, second.completed, second.dropped, second.out) == (6, 4, 2, 4)


@in_both_modes
async def test_the_counters_of_a_failed_run_balance(mode: Any) -> None:
    """E9: in a run that fails what was let go is counted as cancelled."""
    work = Slow({0: 1, 1: 9, 2: 2, 3: 9, 4: 9})
    work.fails[2] = ValueError("boom")
    stream = SingleTask(work).with_execution_mode(mode)(range(5))
    _, error = await ending(stream)
    assert isinstance(error, ValueError)
    (stats,) = stream.stats
    cancelled = 2 if mode == "ordered" else 3
    assert (stats.in_, stats.completed, stats.failed) == (5, 4 - cancelled, 1)
    assert (stats.cancelled, stats.running, stats.waiting) == (cancelled, 0, 0)
