"""What a stream reads (V3, F5, L6, L8): iterables, Observables, streams, emissions on threads."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
import time
from collections import UserList, deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from operator import length_hint
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.scheduler import NewThreadScheduler
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.subject import BehaviorSubject, ReplaySubject, Subject

from conveyor_rx import AsyncStream, SingleTask, batch_task, single_task
from conveyor_rx.events import Event, observe
from conveyor_rx.testing import source, timed_task, timeline
from tests.kit import Boom, drain, in_both_modes, nap, same

threads = pytest.mark.real_time("emits on real threads")


class LoopClock(AsyncIOScheduler):
    """A scheduler that tells the time of the loop; reactivex's own tells that of the wall."""

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


def loop_clock() -> LoopClock:
    return LoopClock(asyncio.get_running_loop())


async def soon(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("never")


class OldSequence:
    def __getitem__(self, index: int) -> int:
        if index >= 3:
            raise IndexError
        return index

    def __len__(self) -> int:
        return 3


class Iterable:
    def __iter__(self) -> Iterator[int]:
        return iter(range(3))


class AsyncOnly:
    def __aiter__(self) -> AsyncIterator[int]:
        return three()


async def three() -> AsyncIterator[int]:
    for n in range(3):
        await asyncio.sleep(0)
        yield n


# -- kinds


@in_both_modes
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: [0, 1, 2], [0, 1, 2]),
        (lambda: (0, 1, 2), [0, 1, 2]),
        (lambda: range(3), [0, 1, 2]),
        (lambda: {0, 1, 2}, [0, 1, 2]),
        (lambda: frozenset({0}), [0]),
        (lambda: deque([0, 1]), [0, 1]),
        (lambda: {"a": 1, "b": 2}.keys(), ["a", "b"]),
        (lambda: {"a": 1}.items(), [("a", 1)]),
        (lambda: iter([0, 1]), [0, 1]),
        (lambda: map(abs, [-1, 2]), [1, 2]),
        (lambda: (n for n in range(3)), [0, 1, 2]),
        (lambda: io.StringIO("a\nb\n"), ["a\n", "b\n"]),
        (OldSequence, [0, 1, 2]),
        (Iterable, [0, 1, 2]),
        (AsyncOnly, [0, 1, 2]),
        (three, [0, 1, 2]),
        (lambda: source("1-2|"), [1, 2]),
        (lambda: rx.of(0, 1), [0, 1]),
        (lambda: rx.from_iterable([0, 1]), [0, 1]),
        (rx.empty, []),
        (lambda: same([0, 1]), [0, 1]),
        (lambda: nap([0, 1]).map(str), ["0", "1"]),
        (list, []),
        (lambda: [(1, 2), [3], {"a": 1}, "text"], [(1, 2), [3], {"a": 1}, "text"]),
    ],
    ids=range(24),
)
async def test_any_source(make: Callable[[], Any], expected: list[Any], mode: Any) -> None:
    """V3: any iterable, async iterable, Observable or AsyncStream gives its items."""
    wrap = single_task(lambda x: (x,)).with_execution_mode(mode)  # a tuple, so as not to flatten
    assert [x for (x,) in await wrap(make()).collect()] == expected


async def test_source_that_is_both_kinds_of_iterable() -> None:
    """V3: what is iterable both ways is read by `async for`."""

    class Both(Iterable, AsyncOnly):
        def __iter__(self) -> Iterator[int]:
            raise AssertionError

    assert await same(Both()).collect() == [0, 1, 2]


async def test_one_aiter_a_run_that_never_overlaps() -> None:
    """F5: one `aiter(source)` a run; `__anext__` never overlaps itself; one `aclose`."""
    data = source("1-2-3-4-5|")
    assert await nap(data).collect() == [1, 2, 3, 4, 5]
    assert (data.opened, data.pulled, data.closed) == (1, 5, 0)
    assert await nap(data).take(2).collect() == [1, 2]
    assert (data.opened, data.closed) == (2, 1)


async def test_source_that_can_be_read_once_is_read_once() -> None:
    """L6: a generator gives its items to the first run; a list to each."""
    once = iter([1, 2])
    assert await same(once).collect() == [1, 2]
    assert await same(once).collect() == []
    twice = same([1, 2])
    got: list[int] = []
    twice.subscribe(got.append)
    assert await twice.collect() == [1, 2]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert got == [1, 2]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="calls begin a turn later")
@pytest.mark.parametrize("window", [1, 5, 2000, None])
async def test_the_first_call_does_not_wait_until_much_was_read(window: int | None) -> None:
    """F6: of an iterator of Python's own, some items are read at a time, never a whole window."""
    items = iter(list(range(1000)))
    left: list[int] = []

    async def call(item: int) -> int:
        left.append(length_hint(items))
        return item

    stream = single_task(call).with_context(max_in_flight=window)(items)
    assert await stream.collect() == list(range(1000))
    assert left[0] >= 1000 - min(40, window or 40)
    assert left[-1] == 0


async def test_stream_as_source_is_paced() -> None:
    """F2: a pipeline that reads another one's stream pulls it at its own pace."""
    pulled = 0

    def endless() -> Iterator[int]:
        nonlocal pulled
        while True:
            pulled += 1
            yield pulled

    inner = nap.with_context(max_in_flight=4)(endless())
    outer = nap.with_context(max_in_flight=4)(inner)
    assert await anext(outer) == 1
    await asyncio.sleep(1000)
    assert pulled <= 1 + 4 + 16 + 4 + 16 + 1
    await outer.aclose()
    await inner.aclose()


# -- Observables on the loop


async def test_hot_subject() -> None:
    """V3: a hot Subject: what it emits while the run goes on, in order, till it completes."""
    subject: Subject[int] = Subject()
    stream = same(subject)
    subject.on_next(0)  # nobody listens yet
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    for n in (1, 2, 3):
        subject.on_next(n)
    await asyncio.sleep(1)
    subject.on_next(4)
    subject.on_completed()
    subject.on_next(5)
    assert await reader == [1, 2, 3, 4]
    assert subject.observers == []


async def test_hot_subject_before_a_consumer_is_ready() -> None:
    """V3/F2: what a hot source emits while the consumer is busy waits; nothing is lost."""
    subject: Subject[int] = Subject()
    stream = nap.with_context(max_in_flight=2)(subject)
    got: list[int] = []
    reader = asyncio.create_task(_read_slowly(stream, got))
    await asyncio.sleep(0.1)
    for n in range(100):
        subject.on_next(n)
    subject.on_completed()
    await reader
    assert got == list(range(100))


async def _read_slowly(stream: AsyncStream[int], got: list[int]) -> None:
    async for item in stream:
        got.append(item)
        await asyncio.sleep(3)


async def test_closing_unsubscribes_a_hot_source() -> None:
    """L2: closing disposes the subscription; what comes later is not seen, nor held."""
    subject: Subject[int] = Subject()
    seen: list[int] = []
    stream = single_task(seen.append)(subject)
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    subject.on_next(1)
    await stream.aclose()
    subject.on_next(2)
    await reader
    assert seen == [1]
    assert subject.observers == []


async def test_behaviour_and_replay_subjects() -> None:
    """V3: what an Observable emits inside of `subscribe` arrives as well."""
    behaviour = BehaviorSubject(1)
    replay: ReplaySubject[int] = ReplaySubject()
    for n in range(3):
        replay.on_next(n)
    replay.on_completed()
    assert await same(replay).collect() == [0, 1, 2]
    stream = same(behaviour)
    assert await anext(stream) == 1
    behaviour.on_next(2)
    assert await anext(stream) == 2
    behaviour.on_completed()
    assert await stream.collect() == []


@in_both_modes
async def test_interval_on_the_loop(mode: Any) -> None:
    """V3: an interval on the loop's scheduler: items at their instants, closed by `take`."""
    ticks = rx.interval(1.0, scheduler=loop_clock())
    stream = same.with_execution_mode(mode)(ticks).take(3)
    assert await timeline(stream) == [(1, 0), (2, 1), (3, 2)]


async def test_interval_through_a_pipeline() -> None:
    """V3/O1: with calls that take longer than the interval, in order."""
    work = timed_task(lambda x: 2.5 if x == 0 else 0.5)
    ticks = rx.interval(1.0, scheduler=loop_clock()).pipe(ops.take(3))
    assert await timeline(single_task(work)(ticks)) == [(3.5, 0), (3.5, 1), (3.5, 2)]


async def test_observable_emits_while_the_gate_is_shut() -> None:
    """V3: arrivals queue while the window is full; then they are taken in order."""
    stream = nap.with_context(max_in_flight=3)(rx.range(10))
    assert [at for at, _ in await timeline(stream)] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]


async def test_observable_that_fails() -> None:
    """E7: what it emitted before is delivered, then its error, unchanged."""
    error = Boom()
    failing = rx.of(1, 2).pipe(ops.concat(rx.throw(error)))
    got: list[int] = []
    with pytest.raises(Boom) as caught:
        await drain(nap(failing), got)
    assert got == [1, 2]
    assert caught.value is error


async def test_observable_that_raises_in_subscribe() -> None:
    """E7: an Observable whose `subscribe` raises ends the run with that exception."""

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        observer.on_next(1)
        raise Boom("subscribe")

    got: list[int] = []
    with pytest.raises(Boom, match="subscribe"):
        await drain(same(Observable(subscribe)), got)
    assert got == [1]


async def test_observable_that_breaks_the_grammar() -> None:
    """L1: what an Observable emits after its end is ignored; the stream has one end."""

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        observer.on_next(1)
        observer.on_completed()
        observer.on_next(2)
        observer.on_error(Boom())
        return Disposable()

    assert await same(Observable(subscribe)).collect() == [1]


async def test_observable_is_subscribed_once_a_run_and_disposed_once() -> None:
    """F1/F5/L2: one subscription a run, none before the first demand, disposed once."""
    log: list[str] = []

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        log.append("subscribe")
        for n in range(3):
            observer.on_next(n)
        return Disposable(lambda: log.append("dispose"))

    stream = same(Observable(subscribe))
    await asyncio.sleep(1)
    assert log == []
    assert await anext(stream) == 0
    await stream.aclose()
    await stream.aclose()
    assert log == ["subscribe", "dispose"]


async def test_dispose_that_raises() -> None:
    """L2: an Observable whose dispose raises doesn't keep the calls from being awaited."""

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        for n in range(3):
            observer.on_next(n)

        def dispose() -> None:
            raise Boom("dispose")

        return Disposable(dispose)

    work = timed_task(lambda x: 0 if x == 0 else 1000)
    stream = single_task(work)(Observable(subscribe))
    assert await anext(stream) == 0
    try:
        await stream.aclose()
    except Boom:
        await stream.aclose()
    assert work.running == 0


async def test_future_like_observables() -> None:
    """V3: `rx.from_future` as a source: its value, or its error."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    loop.call_later(1, future.set_result, 7)
    assert await timeline(same(rx.from_future(future))) == [(1, 7)]


# -- threads


def emit_on_thread(
    items: list[Any], *, pause: float = 0.0, end: Exception | bool | None = None
) -> tuple[Observable[Any], list[threading.Thread]]:
    """An Observable that emits on a thread of its own; `end` False: it never ends."""
    started: list[threading.Thread] = []

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        stop = threading.Event()

        def work() -> None:
            for item in items:
                if stop.is_set():
                    return
                if pause:
                    time.sleep(pause)
                observer.on_next(item)
            if isinstance(end, Exception):
                observer.on_error(end)
            elif end is None:
                observer.on_completed()

        thread = threading.Thread(target=work)
        started.append(thread)
        thread.start()
        return Disposable(stop.set)

    return Observable(subscribe), started


@in_both_modes
@threads
async def test_source_on_a_thread(mode: Any) -> None:
    """L8: what another thread emits is marshalled to the loop, all of it, in order."""
    here = threading.get_ident()
    where: set[int] = set()

    @single_task
    def look(x: int) -> int:
        where.add(threading.get_ident())
        return x

    observable, started = emit_on_thread(list(range(5000)))
    stream = look.with_execution_mode(mode)(observable)
    async with asyncio.timeout(20):
        assert await stream.collect() == list(range(5000))
    assert where == {here}
    for thread in started:
        thread.join()


@threads
async def test_thread_wakes_an_idle_loop() -> None:
    """L8: an item from a thread arrives at once, even if the loop has nothing else to do."""
    observable, [*_] = emit_on_thread([1, 2], pause=0.02)
    began = time.monotonic()
    async with asyncio.timeout(5):
        assert await same(observable).collect() == [1, 2]
    assert time.monotonic() - began < 2


@threads
async def test_eight_threads_into_one_subject() -> None:
    """L8: 8 threads push into one Subject: nothing lost, the order within each thread kept."""
    subject: Subject[tuple[int, int]] = Subject()
    stream = same(subject)
    reader = asyncio.create_task(stream.collect())
    await asyncio.sleep(0)
    await asyncio.sleep(0.01)

    def push(thread: int) -> None:
        for n in range(500):
            subject.on_next((thread, n))

    async with asyncio.timeout(20):
        await asyncio.gather(*[asyncio.to_thread(push, thread) for thread in range(8)])
        subject.on_completed()
        got = await reader
    assert len(got) == 4000
    for thread in range(8):
        assert [n for t, n in got if t == thread] == list(range(500))


@in_both_modes
@threads
async def test_failure_on_a_thread(mode: Any) -> None:
    """E7/L8: an Observable that fails on its thread: what came before, then its error."""
    error = Boom("thread")
    observable, _ = emit_on_thread([1, 2], end=error)
    got: list[int] = []
    async with asyncio.timeout(5):
        with pytest.raises(Boom) as caught:
            await drain(same.with_execution_mode(mode)(observable), got)
    assert caught.value is error
    assert got == [1, 2]


@threads
async def test_completion_on_a_thread_without_items() -> None:
    """L8: an end from a thread wakes the loop as well."""
    observable, _ = emit_on_thread([], pause=0)
    async with asyncio.timeout(5):
        assert await same(observable).collect() == []


@threads
async def test_closing_while_a_thread_emits() -> None:
    """L2/L8: after `aclose` nothing that the thread still emits is seen."""
    seen: list[int] = []

    @single_task
    def look(x: int) -> int:
        seen.append(x)
        return x

    observable, [*_] = emit_on_thread(list(range(100_000)), end=False)
    stream = look(observable)
    async with asyncio.timeout(10):
        assert await anext(stream) == 0
        await stream.aclose()
        count = len(seen)
        await asyncio.sleep(0.05)
    assert len(seen) == count


@threads
async def test_dispose_while_a_thread_emits() -> None:
    """L2/L8: the same for a subscription that is disposed in the middle."""
    got: list[int] = []
    observable, _ = emit_on_thread(list(range(1000)), pause=0.001, end=False)
    subscription = same(observable).subscribe(got.append)
    async with asyncio.timeout(5):
        await soon(lambda: len(got) >= 3)
        subscription.dispose()
        count = len(got)
        await asyncio.sleep(0.05)
    assert got == list(range(count))


@threads
async def test_dispose_from_another_thread() -> None:
    """L3: a subscription may be disposed in any thread."""
    subject: Subject[int] = Subject()
    got: list[int] = []
    subscription = same(subject).subscribe(got.append)
    async with asyncio.timeout(5):
        await asyncio.sleep(0.01)
        subject.on_next(1)
        await soon(lambda: got == [1])
        await asyncio.to_thread(subscription.dispose)
        await soon(lambda: subject.observers == [])
        subject.on_next(2)
        await asyncio.sleep(0.01)
    assert got == [1]


@threads
async def test_timer_threads_of_reactivex() -> None:
    """L8: `rx.interval` with reactivex's own scheduler, which ticks on threads."""
    async with asyncio.timeout(5):
        assert await same(rx.interval(0.01)).take(3).collect() == [0, 1, 2]


@threads
async def test_thread_scheduler_of_reactivex() -> None:
    """L8: `observe_on` and `subscribe_on` another thread, in front and behind."""
    scheduler = NewThreadScheduler()
    async with asyncio.timeout(10):
        assert await same(rx.range(5).pipe(ops.subscribe_on(scheduler))).collect() == list(range(5))
        assert await same(rx.range(5).pipe(ops.observe_on(scheduler))).collect() == list(range(5))
        assert await same(range(5)).observe_on(scheduler).collect() == list(range(5))
        chain = same | ops.observe_on(scheduler) | batch_task(max_size=2)(sum)
        assert await chain(range(5)).collect() == [1, 5, 4]


@threads
async def test_merge_of_thread_and_loop() -> None:
    """L8: a source that emits on a thread and on the loop alternately."""
    observable, _ = emit_on_thread(list(range(200)))
    async with asyncio.timeout(10):
        got = await same(rx.merge(observable, same(range(1000, 1200)))).collect()
    assert sorted(got) == [*range(200), *range(1000, 1200)]
    assert [n for n in got if n < 1000] == list(range(200))


@threads
async def test_thread_that_emits_after_the_loop_has_ended() -> None:
    """L8/L2: a late thread doesn't disturb anybody: its emission is ignored."""
    subject: Subject[int] = Subject()

    def elsewhere() -> None:
        async def main() -> None:
            stream = same(subject)
            subscription = stream.subscribe()
            await asyncio.sleep(0.01)
            subject.on_next(1)
            del subscription

        asyncio.run(main())

    await asyncio.to_thread(elsewhere)
    subject.on_next(2)
    subject.on_completed()


@threads
async def test_tasks_in_threads() -> None:
    """Section 3: plain functions sent to threads by the task itself keep order and context."""

    @single_task(concurrency_limit=4)
    async def work(x: int) -> int:
        return await asyncio.to_thread(lambda: (time.sleep(0.01 * (x % 3)), x)[1])

    async with asyncio.timeout(5):
        assert await work(range(12)).collect() == list(range(12))


class Lazy:
    """A collection that works hard to tell its length, as a query set does."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2, 3])

    def __len__(self) -> int:
        raise AssertionError("the table was loaded")

    def __length_hint__(self) -> int:
        raise AssertionError("the table was loaded")


@pytest.mark.parametrize(
    ("data", "total"),
    [
        ([1, 2, 3], 3),
        ((1, 2, 3), 3),
        (range(3), 3),
        ({1, 2, 3}, 3),
        ({1: 2, 2: 3, 3: 4}.keys(), 3),
        (deque([1, 2, 3]), 3),
        (UserList([1, 2, 3]), 3),
        (iter([1, 2, 3]), 3),
        (iter(range(3)), 3),
        (map(str, [1, 2, 3]), None),
        ((n for n in [1, 2, 3]), None),
        (Lazy(), None),
        ("abc", 1),
        (7, 1),
    ],
)
async def test_a_probe_hears_a_length_that_costs_nothing(data: Any, total: int | None) -> None:
    """Observing runs no user code: a collection whose length may be work is not asked for it."""
    heard: list[Event] = []
    with observe(heard.append):
        assert len(await SingleTask(lambda item: item)(data).collect()) == (total or 3)
    assert heard[0].run.total == total
