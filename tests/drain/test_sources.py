"""How does each kind of source end when its stream is drained? W1 and W2 of the contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops
from reactivex.disposable import Disposable
from reactivex.subject import Subject

from conveyor_rx import AsyncStream, SingleTask
from tests.kit import Boom, Endless, Own, drain, nap, now, same


def drain_at(time: float, stream: AsyncStream[Any], *timeout: float) -> None:
    asyncio.get_running_loop().call_at(time, stream.drain, *timeout)


async def stubborn() -> AsyncIterator[int]:
    """Give 0, and, when the pull of 1 is cancelled, give that all the same."""
    yield 0
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
    yield 1
    raise AssertionError("pulled once more")


async def test_an_item_that_comes_all_the_same_is_finished() -> None:
    """W1: a pull that suppresses its cancellation has given an item, which is not lost."""
    stream = nap(stubborn())
    drain_at(1, stream)
    assert await stream.collect() == [0, 1]
    assert now() == 3


@pytest.mark.parametrize("kind", ["async", "async, closing", "plain"])
async def test_what_the_end_of_a_source_raises_comes_behind_the_results(kind: str) -> None:
    """W1, E7: a source that fails as it is closed has failed."""

    async def failing() -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.sleep(100)
        finally:
            raise Boom

    def plain() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            raise Boom

    class Closing:
        async def __aiter__(self) -> AsyncIterator[int]:
            async for item in failing():
                yield item

    sources: dict[str, Any] = {"async": failing(), "async, closing": Closing(), "plain": plain()}
    got: list[int] = []
    stream = SingleTask(nap.func, concurrency_limit=1)(sources[kind])
    drain_at(0.5, stream)
    with pytest.raises(Boom) as caught:
        await drain(stream, got)
    assert got[:1] == [0]
    assert "in the source" in "".join(caught.value.__notes__)


async def test_a_cancellation_from_outside_is_not_taken_back() -> None:
    """W1, L7: only its own is."""

    async def source() -> AsyncIterator[int]:
        yield 0
        try:
            await asyncio.sleep(100)
        finally:
            pull = asyncio.current_task()
            assert pull is not None
            pull.cancel("from outside")

    stream = same(source())
    drain_at(1, stream)
    (outcome,) = await asyncio.gather(stream.collect(), return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)


async def test_a_source_that_has_not_begun_is_not_opened() -> None:
    """W1: drained after its run began, and before its first pull."""
    source = Endless()
    got: list[Any] = []
    stream = nap(source)
    stream.subscribe(got.append, got.append, lambda: got.append("|"))
    stream.drain()
    await asyncio.sleep(5)
    assert (got, source.pulled, source.closed) == (["|"], 0, 0)


async def test_a_source_whose_opening_is_awaited() -> None:
    """W1: an iterable whose `__anext__` has not given anything yet."""
    entered: list[float] = []

    class Slow:
        def __aiter__(self) -> Slow:
            return self

        async def __anext__(self) -> int:
            entered.append(now())
            await asyncio.sleep(100)
            return 1

    stream = nap(Slow())
    drain_at(1, stream)
    assert await stream.collect() == []
    assert now() == 1


async def test_an_iterable_that_drains_as_it_is_opened() -> None:
    """W1: nothing is pulled from it."""

    class Opening(Endless):
        def __iter__(self) -> Iterator[int]:
            stream.drain()
            return super().__iter__()

    stream = nap(Opening())
    assert await stream.collect() == []


async def test_a_pull_waits_for_room_no_more() -> None:
    """W1: an async source is closed at once though the window is full."""
    closed: list[float] = []

    async def source() -> AsyncIterator[int]:
        try:
            for item in range(100):
                yield item
        finally:
            closed.append(now())

    slow = SingleTask(nap.func, concurrency_limit=1)
    stream = slow.with_context(max_in_flight=3)(source())
    drain_at(0.5, stream)
    assert await stream.collect() == [0, 1, 2]
    assert closed == [0.5]


# -- streams


NESTED: dict[str, Callable[[Any], AsyncStream[Any]]] = {
    "stream": lambda source: nap(nap(source)),
    "streams": lambda source: nap(same(nap(Own()(nap(source))))),
    "wrapped": lambda source: AsyncStream(nap(source)),
    "behind one that is wrapped": lambda source: AsyncStream(nap(source)).map(lambda item: item),
    "behind operators": lambda source: nap(source).map(lambda item: item).filter(lambda _: True),
    "of one behind operators": lambda source: nap(nap(source).map(lambda item: item)),
    "operators in a chain": lambda source: (nap | ops.map(lambda item: item) | nap)(source),
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("way", ["collect", "subscribe"])
async def test_streams_of_streams_lose_nothing(kind: str, way: str) -> None:
    """W1: each of them finishes what it has pulled."""
    source = Endless()

    async def pulled() -> AsyncIterator[int]:
        for item in source:
            yield item
            await asyncio.sleep(0.4)

    stream = NESTED[kind](pulled())
    drain_at(5.1, stream)
    got: list[Any] = []
    if way == "collect":
        got = await stream.collect()
    else:
        ended = asyncio.get_running_loop().create_future()
        stream.subscribe(got.append, ended.set_exception, lambda: ended.set_result(None))
        await ended
    assert got == [*range(13)]
    assert source.pulled == 13


async def test_many_streams_of_streams() -> None:
    """W1, F8: draining is no recursion."""

    async def source() -> AsyncIterator[int]:
        yield 0
        await asyncio.sleep(1000)

    stream = AsyncStream(source())
    for _ in range(600):
        stream = AsyncStream(stream)
    drain_at(1, stream)
    assert await stream.collect() == [0]
    assert now() == 1


@pytest.mark.parametrize("drained", ["one", "other"])
async def test_a_stream_behind_operators_drains_what_is_its_own(drained: str) -> None:
    """W1: another stream behind the same one goes on, unless it has no run of its own."""

    async def numbers() -> AsyncIterator[int]:
        for item in range(6):
            await asyncio.sleep(1)
            yield item

    class Again:
        def __aiter__(self) -> AsyncIterator[int]:
            return numbers()

    base = nap(Again())
    one, other = base.map(lambda item: item), base.map(lambda item: -item)
    drain_at(3.5, {"one": one, "other": other}[drained])
    results = await asyncio.gather(one.collect(), other.collect())
    assert [len(each) for each in results] == ([3, 6] if drained == "one" else [6, 3])


# -- Observables


@pytest.mark.parametrize("chain", [same, nap, Own(), ops.map(lambda item: item) | nap])
async def test_an_observable_is_unsubscribed(chain: Any) -> None:
    """W1: what it had emitted is finished, and what it emits later is not heard."""
    subject: Subject[int] = Subject()
    slow = SingleTask(nap.func, concurrency_limit=1)
    stream = (chain | slow)(subject)
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.1)
    for item in range(40):
        subject.on_next(item)
    stream.drain()
    subject.on_next(-1)
    await asyncio.sleep(0.1)
    assert not subject.observers
    assert await reading == [*range(40)]


@pytest.mark.parametrize("ended", [False, True])
async def test_an_unsubscription_that_fails(ended: bool) -> None:
    """W1, E7: it is the source's failure, and comes behind what was emitted."""

    def subscribe(observer: Any, scheduler: Any = None) -> Disposable:
        observer.on_next(1)
        return Disposable(fail)

    def fail() -> None:
        raise Boom

    stream = nap(rx.create(subscribe))
    drain_at(0.5, stream)
    got: list[int] = []
    with pytest.raises(Boom):
        await drain(stream, got)
    assert got == [1]


async def test_an_observable_that_has_ended_ends_once() -> None:
    """W1, L1: nothing is added to what it has said, be it an end or an error."""
    for end in ("on_completed", "on_error"):
        subject: Subject[int] = Subject()
        stream = SingleTask(nap.func, concurrency_limit=1)(subject)
        got: list[Any] = []
        told = got.append
        stream.subscribe(told, lambda _, told=told: told("!"), lambda told=told: told("|"))
        subject.on_next(1)
        subject.on_next(2)
        getattr(subject, end)(*([Boom()] if end == "on_error" else []))
        stream.drain()
        await asyncio.sleep(9)
        assert got == [1, 2, "|" if end == "on_completed" else "!"]


@pytest.mark.real_time("another thread emits")
async def test_what_another_thread_had_emitted_is_finished() -> None:
    """W1, L8: though the loop has not seen it yet."""
    subject: Subject[int] = Subject()
    stream = same(subject)
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.01)
    thread = threading.Thread(target=lambda: [subject.on_next(item) for item in range(50)])
    thread.start()
    thread.join()
    stream.drain()
    assert await reading == [*range(50)]
