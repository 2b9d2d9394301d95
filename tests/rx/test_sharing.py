"""When are two readers of a stream two runs? Futures, sharing and subscriptions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import single_task
from conveyor_rx.testing import timed_task
from tests.kit import Boom
from tests.rx.stages import add_one, double, explode_at


async def test_await_stream_gives_the_last_item() -> None:
    """L6: behind an Rx operator a stream is awaitable as any Observable is: the last item."""
    assert await add_one([1, 2, 3]).pipe(ops.map(str)) == "4"


async def test_to_future() -> None:
    """Section 2: `to_future` gives a future of the last item."""
    future = add_one([1, 2, 3]).to_future()
    assert isinstance(future, asyncio.Future)
    assert await future == 4


async def test_await_of_a_failing_stream() -> None:
    """E2: awaiting raises the original exception."""
    with pytest.raises(Boom):
        await single_task(explode_at(1))([0, 1, 2]).last()


async def test_await_of_an_empty_stream() -> None:
    """As in reactivex: awaiting an empty Observable is an error, not a hang."""
    from reactivex.internal.exceptions import SequenceContainsNoElementsError

    with pytest.raises(SequenceContainsNoElementsError):
        await double([]).map(str)


async def test_share_is_one_run_for_several_subscribers() -> None:
    """L6: `share` makes one run of several subscriptions."""
    work = timed_task(lambda x: 1)
    shared = single_task(work)([1, 2, 3]).share()
    a: list[int] = []
    b: list[int] = []
    done = [asyncio.Event(), asyncio.Event()]
    shared.subscribe(a.append, on_completed=done[0].set)
    shared.subscribe(b.append, on_completed=done[1].set)
    await asyncio.gather(*[each.wait() for each in done])
    assert a == b == [1, 2, 3]
    assert len(work.calls) == 3


async def test_publish_is_one_run_from_connect_on() -> None:
    """L6/F1: `publish` starts nothing before `connect`, then one run for all."""
    work = timed_task(lambda x: 1)
    published: Any = single_task(work)([1, 2]).publish()
    got: list[tuple[str, int]] = []
    done = asyncio.Event()
    published.subscribe(lambda x: got.append(("a", x)))
    published.subscribe(lambda x: got.append(("b", x)), on_completed=done.set)
    await asyncio.sleep(5)
    assert work.calls == []
    published.connect()
    await done.wait()
    assert got == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert len(work.calls) == 2


async def test_two_subscriptions_are_two_runs() -> None:
    """L6: each `subscribe` is a run of its own."""
    work = timed_task(lambda x: 1)
    stream = single_task(work)([1, 2])
    got: list[list[int]] = [[], []]
    done = [asyncio.Event(), asyncio.Event()]
    for mine, end in zip(got, done, strict=True):
        stream.subscribe(mine.append, on_completed=end.set)
    for end in done:
        await end.wait()
    assert got == [[1, 2], [1, 2]]
    assert len(work.calls) == 4


@pytest.mark.parametrize(
    "derive",
    [
        lambda stream: stream.pipe(ops.map(lambda x: x + 1)),
        lambda stream: stream.pipe(single_task(lambda x: x + 1)),
        lambda stream: single_task(lambda x: x + 1)(stream),
        lambda stream: stream.pipe(ops.map(lambda x: x + 1)).pipe(single_task(lambda x: x)),
    ],
    ids=["operator", "task", "task of the stream", "operator and task"],
)
async def test_each_subscription_of_a_derived_stream_is_a_run(
    derive: Callable[[Any], Any],
) -> None:
    """L6: whatever stands behind a stream, each subscription is a run of its own."""
    stream = derive(double([1, 2]))
    for _ in range(3):
        got: list[int] = []
        stream.subscribe(got.append)
        await asyncio.sleep(1)
        assert got == [3, 5]
    assert await stream.collect() == [3, 5]
