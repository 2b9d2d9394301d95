"""What does an observer hear, and when? `subscribe`."""

from __future__ import annotations

import asyncio
from typing import Any

from conveyor_rx import single_task
from conveyor_rx.testing import timed_task
from tests.kit import Boom, Endless, in_both_modes
from tests.rx.stages import add_one, double


async def test_subscribe_pushes_results_when_they_are_there() -> None:
    """Section 2: `.subscribe` pushes each result at its instant, then the end, once."""
    clock = asyncio.get_running_loop().time
    got: list[tuple[float, Any]] = []
    done = asyncio.Event()

    def end() -> None:
        got.append((clock(), "|"))
        done.set()

    single_task(timed_task("--2---1"))([1, 2]).subscribe(
        lambda x: got.append((clock(), x)), on_completed=end
    )
    assert got == []
    await done.wait()
    await asyncio.sleep(10)
    assert got == [(6, 1), (6, 2), (6, "|")]


async def test_subscribe_starts_at_the_next_turn() -> None:
    """F1: nothing runs inside of `subscribe` itself."""
    seen: list[int] = []
    subscription = single_task(seen.append)([1, 2]).subscribe()
    assert seen == []
    await asyncio.sleep(1)
    assert seen == [1, 2]
    subscription.dispose()


async def test_subscribe_tells_an_error_once() -> None:
    """E1/E2: a subscriber gets the results before the failure, then the original exception."""
    got: list[Any] = []
    error = Boom()

    @single_task
    async def fragile(x: int) -> int:
        if x == 2:
            raise error
        return x

    fragile(range(5)).subscribe(got.append, got.append, lambda: got.append("|"))
    await asyncio.sleep(1)
    assert got == [0, 1, error]


async def test_end_is_told_when_every_call_has_ended() -> None:
    """L2: `on_error` comes when the calls behind the failure are cancelled and awaited."""
    told: list[float] = []
    clock = asyncio.get_running_loop().time

    @single_task
    async def work(x: int) -> int:
        if x == 0:
            await asyncio.sleep(1)
            raise Boom
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(3)
        return x

    work([0, 1]).subscribe(on_error=lambda _: told.append(clock()))
    await asyncio.sleep(10)
    assert told == [4]


@in_both_modes
async def test_dispose_in_the_middle(mode: Any) -> None:
    """L2: after `dispose` nothing is pushed or started, and the calls are cancelled."""
    work = timed_task(lambda x: x)
    got: list[int] = []
    subscription = (
        single_task(work, concurrency_limit=2)
        .with_execution_mode(mode)([1, 2, 3, 4, 5])
        .subscribe(got.append)
    )
    await asyncio.sleep(2.5)
    subscription.dispose()
    subscription.dispose()
    await asyncio.sleep(100)
    assert got == [1, 2]
    assert [call.item for call in work.calls] == [1, 2, 3, 4]
    assert {call.outcome for call in work.calls[2:]} == {"cancelled"}


async def test_dispose_from_inside_of_on_next() -> None:
    """L3: a subscriber may dispose while it is being told a result."""
    got: list[int] = []
    endless = Endless()

    def on_next(x: int) -> None:
        got.append(x)
        if len(got) == 3:
            subscription.dispose()

    subscription = double(endless).subscribe(on_next)
    await asyncio.sleep(10)
    assert got == [0, 2, 4]
    assert endless.closed == 1


async def test_dispose_before_the_first_turn() -> None:
    """F1/L2: a subscription disposed at once runs nothing."""
    endless = Endless()
    seen: list[int] = []
    single_task(seen.append)(endless).subscribe().dispose()
    await asyncio.sleep(1)
    assert seen == []
    assert endless.pulled == 0


async def test_iterating_and_subscribing_one_stream() -> None:
    """L6: iteration is one run, a subscription another; neither takes items of the other."""
    got: list[int] = []
    stream = add_one([1, 2, 3])
    stream.subscribe(got.append)
    assert await stream.collect() == [2, 3, 4]
    await asyncio.sleep(5)
    assert got == [2, 3, 4]
