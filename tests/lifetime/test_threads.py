"""What if an Observable emits, ends or is disposed of on another thread? L8 of the contract."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops
from reactivex.subject import Subject

from conveyor_rx import AsyncStream, SingleTask
from tests.kit import in_both_modes, others
from tests.lifetime.pipelines import Work


@pytest.mark.parametrize("how", ["collect", "subscribe"])
@in_both_modes
@pytest.mark.real_time("threads push into the source")
async def test_items_from_four_threads(how: str, mode: Any) -> None:
    """L8: nothing is lost or doubled, the order of each thread is kept, calls run in the loop."""
    subject: Subject[tuple[int, int]] = Subject()
    here = threading.get_ident()
    count = 2000
    elsewhere: list[int] = []

    def work(item: tuple[int, int]) -> tuple[int, int]:
        if threading.get_ident() != here:
            elsewhere.append(threading.get_ident())
        return item

    stream = SingleTask(work).with_execution_mode(mode)(subject)
    got: list[tuple[int, int]] = []
    done = asyncio.Event()
    if how == "collect":
        reading = asyncio.create_task(stream.collect())
    else:
        stream.subscribe(got.append, on_completed=done.set)
    while not subject.observers:  # noqa: ASYNC110  # a Subject tells nobody
        await asyncio.sleep(0)

    def push(thread: int) -> None:
        for n in range(count):
            subject.on_next((thread, n))

    threads = [threading.Thread(target=push, args=(n,)) for n in range(4)]

    def push_all() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        subject.on_completed()

    await asyncio.to_thread(push_all)
    if how == "collect":
        got = await reading
    else:
        await done.wait()
    assert len(got) == 4 * count
    for thread in range(4):
        assert [n for who, n in got if who == thread] == list(range(count))
    assert not elsewhere


@pytest.mark.real_time("threads push into the source")
async def test_an_error_and_an_end_from_another_thread() -> None:
    """L8, E7: they are marshalled as items are, and come behind them."""
    for error in (None, ValueError("boom")):
        subject: Subject[int] = Subject()
        stream = SingleTask(Work(0.001))(subject)
        got: list[int] = []

        async def consume(stream: AsyncStream[int] = stream, got: list[int] = got) -> None:
            async for item in stream:
                got.append(item)  # noqa: PERF401  # kept if it fails

        reading = asyncio.create_task(consume())
        while not subject.observers:  # noqa: ASYNC110  # a Subject tells nobody
            await asyncio.sleep(0)

        def push(subject: Subject[int] = subject, error: Exception | None = error) -> None:
            for n in range(50):
                subject.on_next(n)
            if error is None:
                subject.on_completed()
            else:
                subject.on_error(error)

        await asyncio.to_thread(push)
        await asyncio.wait({reading})
        assert got == list(range(50))
        assert reading.exception() is error


@pytest.mark.real_time("another thread disposes")
async def test_dispose_from_another_thread() -> None:
    """L2, L8: it is handed to the loop, which ends the run and its calls."""
    work = Work(30)
    seen: list[Any] = []
    subscription = SingleTask(work)(range(4)).subscribe(
        seen.append, lambda _: seen.append("error"), lambda: seen.append("completed")
    )
    await asyncio.sleep(0.01)
    assert len(work.started) == 4
    await asyncio.to_thread(subscription.dispose)
    for _ in range(5):
        await asyncio.sleep(0)
    assert sorted(work.ended) == [0, 1, 2, 3]
    assert not others()
    assert seen == []


@pytest.mark.real_time("another thread emits")
async def test_a_thread_that_emits_after_the_end_does_no_harm() -> None:
    """L8, L2: a hot source that outlives its run is heard no more."""
    subject: Subject[int] = Subject()
    work = Work(0)
    stream = SingleTask(work)(subject)
    stop = threading.Event()

    def push() -> None:
        n = 0
        while not stop.is_set():
            subject.on_next(n)
            n += 1
            time.sleep(0.0005)

    pushing = asyncio.create_task(asyncio.to_thread(push))
    assert isinstance(await anext(stream), int)
    await stream.aclose()
    started = len(work.started)
    await asyncio.sleep(0.02)
    stop.set()
    await pushing
    assert len(work.started) == started
    assert not subject.observers


@pytest.mark.real_time("the source emits on a thread of its own")
async def test_a_scheduler_of_another_thread_as_source() -> None:
    """L8: `observe_on`/`subscribe_on` a thread pool: everything arrives, in order."""
    from reactivex.scheduler import NewThreadScheduler

    scheduler = NewThreadScheduler()
    numbers = reactivex.from_iterable(range(300)).pipe(ops.subscribe_on(scheduler))
    assert await SingleTask(Work(0))(numbers).collect() == list(range(300))
