"""The virtual loop: an exact clock, an end to every run, and a seed that replays."""

import asyncio
import math
import random
import time

import pytest

from conveyor_rx.testing import Deadlock, StepLimitError, VirtualLoop, run
from tests.kit import now


async def test_the_clock_starts_at_zero_and_shows_sleeps_exactly() -> None:
    """Decimal sleeps add up exactly, although 0.1 + 0.1 + 0.1 is not 0.3 in floats."""
    assert now() == 0.0
    await asyncio.sleep(0.1)
    assert now() == 0.1
    await asyncio.sleep(0.1)
    await asyncio.sleep(0.1)
    assert now() == 0.3
    await asyncio.sleep(1_000_000)
    assert now() == 1_000_000.3


async def test_random_sums_of_decimals_are_exact() -> None:
    """Any sum of whole microseconds is the float next to the exact sum."""
    rng = random.Random(1)
    total = 0
    for _ in range(1000):
        micros = rng.randrange(1, 10**6)
        total += micros
        await asyncio.sleep(micros / 10**6)
        assert now() == total / 10**6


def test_a_long_sleep_takes_no_real_time() -> None:
    """sleep(1000) takes milliseconds."""
    start = time.perf_counter()
    run(asyncio.sleep(1000))
    assert time.perf_counter() - start < 1


@pytest.mark.virtual_time(seed=None)  # about the order of ready callbacks
async def test_timers_fire_by_time_then_in_the_order_they_were_set() -> None:
    """Timers of one instant keep their order, cancelled ones stay silent."""
    loop = asyncio.get_running_loop()
    fired: list[int] = []
    handles = [
        loop.call_at(when, fired.append, when * 1000 + n) for n in range(99) for when in (2, 1)
    ]
    for handle in handles[40:]:
        handle.cancel()
    for n in range(500):  # many more: the cancelled ones are purged
        loop.call_at(3, fired.append, 3000 + n).cancel()
    await asyncio.sleep(4)
    assert fired == [1000 + n for n in range(20)] + [2000 + n for n in range(20)]


async def test_a_timer_at_nan_is_refused() -> None:
    """A timer at NaN would stop the clock for good."""
    with pytest.raises(ValueError, match="NaN"):
        asyncio.get_running_loop().call_at(math.nan, print)


@pytest.mark.virtual_time(seed=None)  # about the order of ready callbacks
async def test_ready_callbacks_run_first_in_first_out() -> None:
    """Without a seed the loop keeps asyncio's order; a cancelled callback doesn't run."""
    ran: list[int] = []
    handles = [asyncio.get_running_loop().call_soon(ran.append, n) for n in range(20)]
    handles[0].cancel()
    await asyncio.sleep(0)
    assert ran == list(range(1, 20))


def test_a_seed_shuffles_and_replays() -> None:
    """The same seed gives the same order, another seed another one, each of them all callbacks."""

    async def order() -> list[int]:
        ran: list[int] = []
        for n in range(20):
            asyncio.get_running_loop().call_soon(ran.append, n)
        await asyncio.sleep(1)
        return ran

    orders = [run(order, seed=seed) for seed in (1, 2, 1)]
    assert orders[0] == orders[2]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(20))


def test_a_deadlock_names_the_tasks_and_where_they_wait() -> None:
    """Where a real loop would hang, the error shows the chain of awaits of every task."""

    async def items():
        await asyncio.Event().wait()
        yield 1

    async def consume() -> None:
        async for _ in items():
            pass

    async def main() -> None:
        await asyncio.sleep(3)
        await asyncio.create_task(consume(), name="consumer")

    start = time.perf_counter()
    with pytest.raises(Deadlock) as caught:
        run(main)
    assert time.perf_counter() - start < 1
    message = str(caught.value)
    assert "at 3.0 s" in message
    assert "main (testing/test_loop.py:" in message
    assert "Task 'consumer'" in message
    assert "task 'consumer': " in message
    assert "items (testing/test_loop.py:" in message
    assert "Event.wait (asyncio/locks.py:" in message


def test_sleeping_for_ever_is_a_deadlock() -> None:
    """A timer at infinity is no timer."""
    with pytest.raises(Deadlock):
        run(asyncio.sleep(math.inf))


def test_what_never_ends_hits_the_step_limit() -> None:
    """A busy task ends the run with an error, is cancelled, and cleans up after itself."""
    ends: list[str] = []

    async def spin() -> None:
        try:
            while True:  # noqa: ASYNC110  # meant to be busy
                await asyncio.sleep(0)  # never ends, and the clock never moves
        finally:
            await asyncio.sleep(1)
            ends.append("cleaned up")

    with pytest.raises(StepLimitError, match="more than 500 steps"):
        run(spin, max_steps=500)
    assert ends == ["cleaned up"]


def test_the_hook_is_called_before_each_step_and_may_cancel() -> None:
    """A run cancelled from the hook at its n-th step ends there."""

    async def main() -> None:
        for _ in range(100):
            await asyncio.sleep(1)

    for step in (1, 2, 10, 50):
        seen: list[int] = []

        def cancel(loop: VirtualLoop, step: int = step, seen: list[int] = seen) -> None:
            seen.append(loop.steps)
            if loop.steps == step:
                for task in asyncio.all_tasks(loop):
                    task.cancel()

        with pytest.raises(asyncio.CancelledError):
            run(main, on_step=cancel)
        assert seen[:step] == list(range(1, step + 1))
        assert len(seen) <= step + 3


def test_what_the_hook_raises_breaks_the_run() -> None:
    """An exception from the hook leaves the loop at once; the tasks are cancelled after it."""
    ends: list[str] = []

    async def main() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ends.append("cancelled")

    def stop(loop: VirtualLoop) -> None:
        if loop.steps == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(main, on_step=stop)
    assert ends == ["cancelled"]


def test_the_loop_is_a_loop_factory() -> None:
    """asyncio.Runner takes it as it is, and runs twice on one clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(asyncio.sleep(2))
        runner.run(asyncio.sleep(3))
        assert runner.get_loop().time() == 5.0


@pytest.mark.parametrize("moment", [0.1 / 3, 2 / 3, 1000 / 7, 1e6 + 1 / 3])
async def test_whoever_sleeps_until_a_moment_gets_there(moment: float) -> None:
    """A timer never fires before its time at the instant at which it was set."""
    time = asyncio.get_running_loop().time
    sleeps = 0
    while time() < moment:
        sleeps += 1
        assert sleeps <= 2
        await asyncio.sleep(moment - time())
    assert time() - moment < 2e-9


async def test_noise_of_floats_is_no_time() -> None:
    """Sums of decimal sleeps stay exact."""
    time = asyncio.get_running_loop().time
    for instant in (0.3, 1e4 + 0.3):
        await asyncio.sleep(instant - time())
        await asyncio.sleep((0.1 + 0.2) - 0.3)
        assert time() == instant
