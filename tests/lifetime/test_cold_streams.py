"""What do the runs of one stream share? Nothing: L6 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import reactivex
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.subject import Subject

from conveyor_rx import SingleTask, get_current_context, single_task
from conveyor_rx.testing import source
from tests.kit import now, others
from tests.lifetime.pipelines import Numbers, Work, identity, of_each_stage, settle, stages


async def test_each_subscribe_is_a_run_of_its_own() -> None:
    """L6: calls, items and counters of two subscriptions at once have nothing in common."""
    work, data = Work(1), source("0-1-2|")
    stream = SingleTask(work)(data)
    seen: dict[str, list[Any]] = {"a": [], "b": [], "c": []}
    for number, name in enumerate(seen):
        stream.subscribe(
            lambda item, name=name: seen[name].append((now(), item)),
            on_completed=lambda name=name: seen[name].append("end"),
        )
        if number < 2:
            await asyncio.sleep(0.5 if number == 0 else 20)
    await asyncio.sleep(100)
    assert seen["a"] == [(1, 0), (3, 1), (5, 2), "end"]
    assert seen["b"] == [(1.5, 0), (3.5, 1), (5.5, 2), "end"]
    assert seen["c"] == [(21.5, 0), (23.5, 1), (25.5, 2), "end"]
    assert len(work.started) == 9
    assert (data.opened, data.pulled) == (3, 9)
    assert stream.stats[0].in_ == 3


async def test_subscribing_and_iterating_do_not_mix() -> None:
    """L6: a subscription takes nothing from who iterates the same stream."""
    stream = SingleTask(Work(1))(range(3))
    seen: list[int] = []
    stream.subscribe(seen.append)
    assert await stream.collect() == [0, 1, 2]
    await asyncio.sleep(1)
    assert seen == [0, 1, 2]
    stream.subscribe(seen.append)
    await asyncio.sleep(2)
    assert seen == [0, 1, 2, 0, 1, 2]


async def test_streams_of_one_task_share_nothing() -> None:
    """L6: limits, contexts, ids and failures are those of each run."""
    ids: set[str | None] = set()

    @single_task(concurrency_limit=1)
    async def work(item: int) -> int:
        context = get_current_context()
        assert context is not None
        context.data["sum"] = context.data.get("sum", 0) + item
        ids.add(context.pipeline_id)
        await asyncio.sleep(1)
        if item == 100:
            raise ValueError("boom")
        return context.data["sum"]

    pipeline = work.with_context(sum=0)
    results = await asyncio.gather(
        pipeline([1, 2]).collect(),
        pipeline([10, 20]).collect(),
        pipeline([100, 200]).collect(),
        return_exceptions=True,
    )
    assert results[:2] == [[1, 3], [10, 30]]
    assert isinstance(results[2], ValueError)
    assert now() == 2
    assert len(ids) == 3
    assert pipeline.context.data == {"sum": 0}


async def test_a_source_that_can_be_read_once_is_read_once() -> None:
    """L6: a second run on a generator finds it exhausted (or closed), it doesn't get it again."""
    pulled: list[int] = []

    def pull() -> Iterator[int]:
        for n in range(3):
            pulled.append(n)
            yield n

    stream = SingleTask(identity)(pull())
    seen: list[Any] = []
    for _ in range(2):
        stream.subscribe(seen.append, on_completed=lambda: seen.append("end"))
        await asyncio.sleep(1)
    assert seen == [0, 1, 2, "end", "end"]
    assert pulled == [0, 1, 2]


async def test_disposing_one_subscription_leaves_the_other() -> None:
    """L6, L2: the calls of the disposed run are cancelled, the other's go on."""
    work = Work(3)
    stream = SingleTask(work)(range(2))
    seen: list[Any] = []
    first = stream.subscribe(lambda item: seen.append(("first", item)))
    stream.subscribe(lambda item: seen.append(("second", item)))
    await asyncio.sleep(1)
    assert len(others()) == 2 * 3  # each has two calls, and a task of its own
    first.dispose()
    await settle()
    assert len(work.ended) == 2
    assert len(others()) == 3
    first.dispose()  # again
    await asyncio.sleep(10)
    assert seen == [("second", 0), ("second", 1)]


@of_each_stage
async def test_dispose_ends_a_run(kind: str) -> None:
    """L2: nothing is delivered, pulled or started after dispose, and the source is closed."""
    first, data = Work(1), Numbers(0.25)
    seen: list[Any] = []
    subscription = (SingleTask(first) | stages()[kind])(data).subscribe(
        seen.append, lambda _: seen.append("error"), lambda: seen.append("completed")
    )
    await asyncio.sleep(10)
    assert seen
    subscription.dispose()
    before = len(seen), len(first.started), data.pulled
    await settle()
    assert not others()
    assert data.closed == 1
    await asyncio.sleep(100)
    assert (len(seen), len(first.started), data.pulled) == before
    assert sorted(first.ended) == sorted(first.started)


@of_each_stage
async def test_dispose_inside_of_on_next(kind: str) -> None:
    """L2: the observer that disposes hears nothing more, not even the end."""
    seen: list[Any] = []
    subscription: list[Any] = []

    def on_next(item: Any) -> None:
        seen.append(item)
        subscription[0].dispose()

    stream = stages()[kind](range(20))
    subscription.append(stream.subscribe(on_next, seen.append, lambda: seen.append("end")))
    await asyncio.sleep(100)
    assert len(seen) == 1
    assert not others()


async def test_dispose_before_anything_ran() -> None:
    """L2, F1: the run begins at the loop's next turn; disposed before, it never does."""
    work, data = Work(), Numbers()
    SingleTask(work)(data).subscribe(lambda _: None).dispose()
    await asyncio.sleep(10)
    assert (data.pulled, work.started) == (0, [])
    assert not others()


async def test_a_take_that_is_satisfied_closes_the_run() -> None:
    """L2, L4: what an Rx operator needs no more is closed, and nothing starts any more."""
    work, data = Work(1), Numbers(0.25)
    stream = SingleTask(work)(data).take(3)
    assert await stream.collect() == [0, 1, 2]
    assert data.closed == 1
    assert sorted(work.ended) == sorted(work.started)
    assert not others()
    inside = (SingleTask(work) | ops.take(3) | SingleTask(Work(1)))(Numbers(0.25))
    assert await inside.collect() == [0, 1, 2]
    assert not others()


async def test_an_observable_source_is_unsubscribed_once() -> None:
    """L2: on close, failure and exhaustion the subscription is disposed exactly once."""
    for end in ("close", "failure", "exhaustion"):
        disposed: list[str] = []
        subject: Subject[int] = Subject()

        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            inner = subject.subscribe(observer)  # noqa: B023  # called in this turn only

            def dispose() -> None:
                disposed.append(end)  # noqa: B023
                inner.dispose()

            return Disposable(dispose)

        def work(item: int) -> int:
            if item == 2:
                raise ValueError("boom")
            return item

        stream = SingleTask(work)(reactivex.create(subscribe))
        reading = asyncio.create_task(stream.collect())
        await asyncio.sleep(1)
        subject.on_next(1)
        if end == "close":
            await stream.aclose()
        elif end == "failure":
            subject.on_next(2)
        else:
            subject.on_completed()
        await asyncio.wait({reading})
        assert disposed == [end]
        assert (reading.exception() is not None) == (end == "failure")
        assert not subject.observers
        subject.on_next(3)  # to nobody
