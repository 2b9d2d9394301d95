"""When is an Observable subscribed to as a source? Before `subscribe` returns: it may be hot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.subject import ReplaySubject, Subject

from conveyor_rx import AsyncStream, BatchTask, SingleTask
from conveyor_rx.events import observe
from tests.kit import Own, nap, same

Chain = Callable[[Observable[Any]], AsyncStream[Any]]


async def generate(item: Any) -> AsyncIterator[Any]:
    yield item


def passes(item: Any) -> bool:
    return True


CHAINS: dict[str, Chain] = {
    "def": same,
    "async": nap,
    "sequential": SingleTask(nap.func, concurrency_limit=1),
    "generator": SingleTask(generate),
    "batch": BatchTask(lambda batch: batch, 1, 2),
    "own": Own(),
    "operator first": ops.filter(passes) | same,
    "operator inside": same | ops.filter(passes) | nap,
    "operator behind": lambda source: same(source).filter(passes),
    "in a pipe": lambda source: AsyncStream(source.pipe(ops.filter(passes), same)),
    "two in a pipe": lambda source: source.pipe(same, nap),
    "stream of a stream": lambda source: nap(same(same(source))),
    "a stream derived": lambda source: nap(same(source).filter(passes)),
    "wrapped": AsyncStream,
    "shared": lambda source: same(source).share(),
    "as completed": nap.as_completed,
}
of_each_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=list(CHAINS))


def subscribed(stream: AsyncStream[Any], got: list[Any]) -> Any:
    return stream.subscribe(
        got.append, lambda error: got.append(repr(error)), lambda: got.append("|")
    )


@of_each_chain
@pytest.mark.parametrize("probed", [False, True], ids=["", "probed"])
async def test_what_is_emitted_right_after_subscribe(chain: Chain, probed: bool) -> None:
    """L8: is queued until the run goes on, and nothing is signalled before `subscribe` returned."""
    subject: Subject[int] = Subject()
    got: list[Any] = []
    with observe(lambda _: None) if probed else observe():
        subscribed(chain(subject), got)
    for n in range(3):
        subject.on_next(n)
    subject.on_completed()
    await asyncio.sleep(9)
    assert got == [0, 1, 2, "|"]


@of_each_chain
async def test_a_connectable_source(chain: Chain) -> None:
    """L8: `connect` after `subscribe` brings everything."""
    source = rx.of(1, 2, 3).pipe(ops.publish())
    got: list[Any] = []
    subscribed(chain(source), got)
    source.connect()
    await asyncio.sleep(9)
    assert got == [1, 2, 3, "|"]


@of_each_chain
async def test_two_subscribers_of_one_hot_source(chain: Chain) -> None:
    """L8, L6: with `share` in front both get everything, the source is subscribed to once."""
    subscriptions: list[str] = []
    subject: Subject[int] = Subject()

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        subscriptions.append("once")
        return subject.subscribe(observer)

    stream = chain(rx.create(subscribe).pipe(ops.share()))
    got: list[list[Any]] = [[], []]
    for one in got:
        subscribed(stream, one)
    subject.on_next(1)
    subject.on_completed()
    await asyncio.sleep(9)
    assert got == [[1, "|"], [1, "|"]]
    assert subscriptions == ["once"]


@of_each_chain
@pytest.mark.parametrize("way", ["anext", "async for", "collect"])
async def test_a_pulled_run(chain: Chain, way: str) -> None:
    """L8: when the first demand waits, the source is subscribed to, and misses nothing."""
    subject: Subject[int] = Subject()
    stream = chain(subject)
    got: list[Any] = []

    async def read() -> None:
        if way == "collect":
            got.extend(await stream.collect())
        elif way == "anext":
            while (item := await anext(stream, None)) is not None:
                got.append(item)
        else:
            got.extend([item async for item in stream])

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)  # it begins
    assert subject.observers
    for n in range(3):
        subject.on_next(n)
    subject.on_completed()
    await reading
    assert got == [0, 1, 2]
    assert not subject.observers


@of_each_chain
async def test_a_source_that_emits_while_it_is_subscribed_to(chain: Chain) -> None:
    """L8, F1: all of it arrives, in order, and nothing of it within `subscribe`."""

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        for n in range(40):
            observer.on_next(n)
        observer.on_completed()
        return Disposable()

    for source in (rx.create(subscribe), rx.of(*range(40)), _replay(range(40))):
        got: list[Any] = []
        subscribed(chain(source), got)
        if chain is not AsyncStream and chain is not CHAINS["wrapped"]:
            assert got == []
        await asyncio.sleep(99)
        assert got == [*range(40), "|"]
        assert await chain(source).collect() == [*range(40)]


def _replay(items: Any) -> ReplaySubject[Any]:
    replay: ReplaySubject[Any] = ReplaySubject()
    for item in items:
        replay.on_next(item)
    replay.on_completed()
    return replay


@of_each_chain
async def test_sources_that_end_at_once(chain: Chain) -> None:
    """L1, E7: an empty one, one that fails, one whose `subscribe` raises: one end each."""

    def refuse(observer: Any, scheduler: Any = None) -> Any:
        raise ValueError("no")

    for source, end in (
        (rx.empty(), "|"),
        (rx.throw(ValueError("no")), "ValueError('no')"),
        (rx.create(refuse), "ValueError('no')"),
    ):
        got: list[Any] = []
        subscribed(chain(source), got)
        await asyncio.sleep(9)
        assert got == [end]
        stream = chain(source)
        if end == "|":
            assert await stream.collect() == []
        else:
            with pytest.raises(ValueError, match="no"):
                await stream.collect()


@of_each_chain
async def test_a_subscription_that_is_disposed_of_at_once(chain: Chain) -> None:
    """L2: the source is left before its first item, and nothing is delivered."""
    subject: Subject[int] = Subject()
    got: list[Any] = []
    subscription = subscribed(chain(subject), got)
    subject.on_next(1)
    subscription.dispose()
    subject.on_next(2)
    await asyncio.sleep(9)
    if chain is not CHAINS["wrapped"]:
        assert got == []
    assert not subject.observers


@of_each_chain
async def test_a_stream_that_is_dropped_or_closed_leaves_its_source(chain: Chain) -> None:
    """L2, L4: however far it has come."""
    for close in (True, False):
        subject: Subject[int] = Subject()
        stream = chain(subject)
        reading = asyncio.create_task(_anext(stream))
        await asyncio.sleep(0)
        assert subject.observers
        if close:
            await stream.aclose()
        else:
            reading.cancel()
        await asyncio.wait({reading})
        del stream, reading
        assert not subject.observers


async def _anext(stream: AsyncStream[Any]) -> Any:
    return await anext(stream, None)


async def test_a_source_that_closes_the_run_while_it_is_subscribed_to() -> None:
    """L3: what it gives then is disposed of, and no item gets through."""
    for chain in (same, nap | same):
        disposed: list[str] = []
        closers: list[asyncio.Task[None]] = []

        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            closers.append(asyncio.ensure_future(stream.aclose()))  # noqa: B023
            observer.on_next(1)
            return Disposable(lambda: disposed.append("once"))  # noqa: B023

        stream = chain(rx.create(subscribe))
        assert await asyncio.wait_for(_anext(stream), 9) in (1, None)
        await closers[0]
        assert disposed == ["once"]


@pytest.mark.parametrize("way", ["subscribe", "collect"])
async def test_an_end_of_the_process_while_it_is_subscribed_to(way: str) -> None:
    """E8: KeyboardInterrupt gets through, and the run is over."""

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        raise KeyboardInterrupt

    stream = same(rx.create(subscribe))
    if way == "subscribe":
        with pytest.raises(KeyboardInterrupt):
            stream.subscribe(on_error=lambda _: None)
    else:
        read = stream.collect()
        with pytest.raises(KeyboardInterrupt):
            read.send(None)


async def test_the_context_in_which_a_source_is_subscribed_to() -> None:
    """L6: what `subscribe` of a source sets leaks to nobody; it sees what the subscriber sees."""
    from contextvars import ContextVar

    variable: ContextVar[str] = ContextVar("variable", default="none")
    seen: list[str] = []

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        seen.append(variable.get())
        variable.set("theirs")
        observer.on_completed()
        return Disposable()

    variable.set("ours")
    subscribed(same(rx.create(subscribe)), [])
    assert variable.get() == "ours"
    assert await same(rx.create(subscribe)).collect() == []
    assert (seen, variable.get()) == (["ours", "ours"], "ours")


async def test_streams_of_streams_begin_in_a_flat_stack() -> None:
    """F8, L8: hundreds of them, down to a hot source."""
    subject: Subject[int] = Subject()
    stream: Any = subject
    for _ in range(400):
        stream = same(stream)
    got: list[Any] = []
    subscribed(stream, got)
    subject.on_next(1)
    subject.on_completed()
    await asyncio.sleep(9)
    assert got == [1, "|"]


@pytest.mark.real_time("an operator subscribes late, on a thread of its own")
async def test_a_source_that_is_subscribed_to_late() -> None:
    """L8: an operator that waits before it subscribes does so in the loop's thread."""
    threads: set[int] = set()

    def subscribe(observer: Any, scheduler: Any = None) -> Any:
        threads.add(threading.get_ident())
        observer.on_next(1)
        observer.on_completed()
        return Disposable()

    # Long enough to be stored before it is over: reactivex loses the source otherwise.
    pipeline = ops.delay_subscription(0.3) | same
    assert await asyncio.wait_for(pipeline(rx.create(subscribe)).collect(), 5) == [1]
    assert threads == {threading.get_ident()}
