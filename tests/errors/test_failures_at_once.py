"""What becomes of calls that fail in the turn in which another one fails the run?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conveyor_rx import single_task
from tests.kit import in_both_modes


@in_both_modes
async def test_what_fails_beside_the_failure_is_no_failure_of_the_clean_up(mode: Any) -> None:
    """E2, E9: of three calls that fail in one turn of a busy loop the second fails the run."""
    loop: Any = asyncio.get_running_loop()
    worked, gate = 0.0, loop.create_future()
    loop.work_clock = lambda: worked
    loop.call_later(3, gate.set_result, None)

    @single_task(concurrency_limit=3, retry_attempts=2, retry_delay=0, retry_on=KeyError)
    async def fails(item: int) -> None:
        nonlocal worked
        await asyncio.sleep(item)
        if gate.done():  # the second attempt
            return
        await gate
        worked += 1.0  # seconds: whoever comes next waits for its turn
        raise (ValueError if item == 1 else KeyError)(item)

    stream = fails.with_execution_mode(mode)([0, 1, 2])
    with pytest.raises(ValueError, match="1") as caught:
        await stream.collect()
    assert caught.value.__notes__ == ["in task 'fails', input 1, attempt 1"]
    (stats,) = stream.stats
    assert (stats.completed + stats.dropped, stats.failed, stats.cancelled) == (1, 1, 1)
