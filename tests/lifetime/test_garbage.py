"""What is kept alive, and for how long? L9 of the contract, with the cyclic collector off."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from reactivex import operators as ops
from reactivex.subject import Subject

from conveyor_rx import (
    AdaptiveLimit,
    AsyncStream,
    BaseTask,
    BatchTask,
    ErrorHandler,
    Pipeline,
    RateLimit,
    RetryConfig,
    SingleTask,
)
from conveyor_rx._engine.run import Run
from conveyor_rx.events import observe
from tests.kit import in_both_modes


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """What is not free by counting references is not free."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Thing:
    """An item or a result."""

    def __init__(self, number: int) -> None:
        self.number = number


class Zoo:
    """Weak references to everything that a run has to do with."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, weakref.ref[Any]]] = []

    def add(self, kind: str, thing: Any) -> Any:
        """Note `thing` and return it."""
        self._seen.append((kind, weakref.ref(thing)))
        return thing

    def task(self) -> None:
        """Note the task that calls; it may make many calls."""
        task = asyncio.current_task()
        if not any(ref() is task for kind, ref in self._seen if kind == "task"):
            self.add("task", task)

    @property
    def alive(self) -> dict[str, int]:
        """How many of each kind live."""
        found: dict[str, int] = {}
        for kind, ref in self._seen:
            if ref() is not None:
                found[kind] = found.get(kind, 0) + 1
        return found

    @property
    def seen(self) -> set[str]:
        return {kind for kind, _ in self._seen}


class Source:
    """An async iterable of things, that ends after `items` or never."""

    def __init__(self, zoo: Zoo, items: int | None = None, pause: float = 0.0) -> None:
        self.zoo = zoo
        self.items = items
        self.pause = pause

    async def __aiter__(self) -> AsyncIterator[Thing]:
        number = 0
        while self.items is None or number < self.items:
            await asyncio.sleep(self.pause)
            yield self.zoo.add("item", Thing(number))
            number += 1


class SyncSource:
    """The same as an iterable."""

    def __init__(self, zoo: Zoo, items: int | None = None, pause: float = 0.0) -> None:
        self.zoo = zoo
        self.items = items

    def __iter__(self) -> Iterator[Thing]:
        number = 0
        while self.items is None or number < self.items:
            yield self.zoo.add("item", Thing(number))
            number += 1


SOURCES: dict[str, Any] = {"async": Source, "sync": SyncSource}


class Own(BaseTask[Any, Any]):
    """A stage of the user's own."""

    def __init__(self, result: Callable[[Thing], Thing]) -> None:
        super().__init__()
        self.result = result

    async def process(self, items: AsyncIterator[Thing]) -> AsyncIterator[Thing]:
        async for item in items:
            yield self.result(item)


def stage(kind: str, zoo: Zoo, fails_at: int | None = None, **options: Any) -> Any:
    """Make a stage of `kind` that gives new things for the ones it gets."""

    def result(item: Thing) -> Thing:
        if item.number == fails_at:
            raise ValueError("boom")
        return zoo.add("result", Thing(item.number))

    async def call(item: Thing) -> Thing:
        zoo.task()
        await asyncio.sleep(1)
        return result(item)

    def call_now(item: Thing) -> Thing:
        return result(item)

    def generate(item: Thing) -> Iterator[Thing]:
        yield result(item)
        yield result(item)

    async def generate_async(item: Thing) -> AsyncIterator[Thing]:
        zoo.task()
        for _ in range(2):
            await asyncio.sleep(1)
            yield result(item)

    async def batch(items: list[Thing]) -> list[Thing]:
        zoo.task()
        await asyncio.sleep(1)
        return [result(item) for item in items]

    match kind:
        case "batch":
            return BatchTask(batch, 2, 3, **options)
        case "batch in time":
            return BatchTask(batch, 1, 3, max_wait=0.5, **options)
        case "grouped batch":
            by = {"max_weight": 2, "weight": lambda item: 1, "group_by": lambda item: id(item) % 3}
            return BatchTask(batch, max_wait=0.5, **by, **options)
        case "keyed":
            return SingleTask(call, key=lambda item: item.number % 2, **options)
        case "rated":
            limits = {"rate_limit": RateLimit(2), "concurrency_limit": AdaptiveLimit(3)}
            return SingleTask(call, **limits, **options)
        case "rated batch":
            return BatchTask(batch, 1, 2, rate_limit=RateLimit(2), **options)
        case "timed":
            return SingleTask(call, timeout=50, **options)
        case "own":
            return Own(result)
        case "rx":
            return ops.map(result)
        case _:
            functions: dict[str, Any] = {
                "async": call,
                "def": call_now,
                "generator": generate,
                "async generator": generate_async,
            }
            return SingleTask(functions[kind], **options)


KINDS = (
    *("async", "def", "generator", "async generator", "batch", "own", "rx"),
    *("batch in time", "grouped batch", "timed", "keyed", "rated", "rated batch"),
)
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def pipeline(kind: str, zoo: Zoo, mode: Any, **options: Any) -> Pipeline[Any, Any]:
    """Make a pipeline with a stage of `kind` in its middle."""
    stages = stage("async", zoo) | stage(kind, zoo, **options) | stage("async", zoo)
    return stages.with_execution_mode(mode).with_context(max_in_flight=5)


async def turns() -> None:
    """Let happen what can happen without waiting for anything: the virtual clock moves last."""
    await asyncio.sleep(0.001)


# -- ends, with the stream kept


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("source", SOURCES)
async def test_after_exhaustion(kind: str, mode: Any, source: str) -> None:
    """L9: a stream that is exhausted keeps no item, result or task; dropped, not its source."""
    zoo = Zoo()
    data = zoo.add("source", SOURCES[source](zoo, 9))
    stream = zoo.add("stream", pipeline(kind, zoo, mode)(data))
    del data
    count = 0
    async for value in stream:
        assert isinstance(value, Thing)
        count += 1
    del value
    await turns()
    assert count in (9, 18)
    assert zoo.seen == {"source", "stream", "item", "result", "task"}
    assert zoo.alive == {"source": 1, "stream": 1}
    del stream
    assert zoo.alive == {}


@of_each_kind
@in_both_modes
async def test_after_collect(kind: str, mode: Any) -> None:
    """L9: what `collect` has returned is the caller's alone."""
    zoo = Zoo()
    stream = pipeline(kind, zoo, mode)(Source(zoo, 9))
    got = await stream.collect()
    await turns()
    assert zoo.alive == {"result": len(got)}
    del got
    assert zoo.alive == {}


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("source", SOURCES)
async def test_after_close(kind: str, mode: Any, source: str) -> None:
    """L9: after aclose items and results are free at once, in windows and buffers as well."""
    zoo = Zoo()
    data = zoo.add("source", SOURCES[source](zoo))
    stream = zoo.add("stream", pipeline(kind, zoo, mode)(data))
    del data
    assert isinstance(await anext(stream), Thing)
    await asyncio.sleep(20)
    assert zoo.alive["result"] > 5
    await stream.aclose()
    await turns()
    assert zoo.alive == {"source": 1, "stream": 1}
    del stream
    assert zoo.alive == {}


@of_each_kind
@in_both_modes
async def test_after_a_subscription(kind: str, mode: Any) -> None:
    """L9: neither a completed nor a disposed subscription keeps anything, held or not."""
    for end in ("complete", "dispose"):
        zoo = Zoo()
        items = 9 if end == "complete" else None
        stream = pipeline(kind, zoo, mode)(zoo.add("source", Source(zoo, items)))
        done: list[bool] = []
        subscription = stream.subscribe(lambda _: None, on_completed=lambda d=done: d.append(True))
        del stream
        await asyncio.sleep(50)
        if end == "dispose":
            assert zoo.alive["task"]
            subscription.dispose()
            await turns()
        assert done == ([True] if end == "complete" else [])
        assert zoo.seen == {"source", "item", "result", "task"}
        assert zoo.alive.keys() <= {"source"}, end
        del subscription
        assert zoo.alive == {}, end


async def test_a_hot_source_does_not_keep_who_has_read_it() -> None:
    """L9: a Subject outlives the runs that were subscribed to it."""
    zoo = Zoo()
    subject: Subject[Any] = Subject()
    for end in ("close", "drop", "take"):
        stream = zoo.add("stream", pipeline("async", zoo, "ordered")(subject))
        if end == "take":
            stream = zoo.add("stream", stream.take(1))
        reading = asyncio.create_task(anext(stream))
        await turns()
        for number in range(4):
            subject.on_next(zoo.add("item", Thing(number)))
        assert isinstance(await reading, Thing)
        if end != "drop":
            await stream.aclose()
        del stream, reading
        await turns()
        assert not subject.observers
        subject.on_next(zoo.add("item", Thing(99)))
        await turns()
        assert zoo.alive == {}, end


# -- dropped, in every state

State = Callable[[AsyncStream[Any]], Awaitable[object]]


async def never_started(stream: AsyncStream[Any]) -> None:
    pass


async def one_result_taken(stream: AsyncStream[Any]) -> None:
    assert await anext(stream)


async def buffers_full(stream: AsyncStream[Any]) -> None:
    assert await anext(stream)
    await asyncio.sleep(100)


async def calls_running(stream: AsyncStream[Any]) -> None:
    assert await anext(stream)
    await asyncio.sleep(0.5)


async def paused_by_a_break(stream: AsyncStream[Any]) -> None:
    async for _ in stream:
        break
    await asyncio.sleep(5)


async def paused_at_once(stream: AsyncStream[Any]) -> None:
    async for _ in stream:
        break


async def read_on_after_a_break(stream: AsyncStream[Any]) -> None:
    for _ in range(3):
        async for _ in stream:
            break
        await asyncio.sleep(0.5)


async def consumer_was_cancelled(stream: AsyncStream[Any]) -> None:
    reading = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.5)
    reading.cancel()
    await asyncio.wait({reading})


async def consumer_was_cancelled_twice(stream: AsyncStream[Any]) -> None:
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(2.5)
    reading.cancel()
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})


async def loop_body_raised(stream: AsyncStream[Any]) -> None:
    try:
        async for item in stream:
            raise KeyError(item)
    except KeyError:
        pass


STATES: dict[str, State] = {
    state.__name__: state
    for state in (
        never_started,
        one_result_taken,
        buffers_full,
        calls_running,
        paused_by_a_break,
        paused_at_once,
        read_on_after_a_break,
        consumer_was_cancelled,
        consumer_was_cancelled_twice,
        loop_body_raised,
    )
}


@pytest.mark.parametrize("state", STATES)
@of_each_kind
@in_both_modes
@pytest.mark.parametrize("source", SOURCES)
async def test_dropped_in_each_state(state: str, kind: str, mode: Any, source: str) -> None:
    """L9, L4: with its last reference goes all that a stream has, whatever it was doing."""
    zoo = Zoo()
    data = zoo.add("source", SOURCES[source](zoo, pause=0.25))
    stream = zoo.add("stream", pipeline(kind, zoo, mode)(data))
    del data
    await STATES[state](stream)
    del stream
    await turns()
    assert zoo.alive == {}


@of_each_kind
@in_both_modes
async def test_a_derived_stream_dropped_midway(kind: str, mode: Any) -> None:
    """L9: nor is anything kept by Rx operators behind the stream."""
    zoo = Zoo()
    stream = pipeline(kind, zoo, mode)(zoo.add("source", Source(zoo)))
    derived = stream.pipe(ops.filter(lambda _: True), ops.map(lambda thing: thing))
    assert await anext(derived)
    await asyncio.sleep(3)
    zoo.add("stream", derived)
    del stream, derived
    await turns()
    assert zoo.alive == {}


@pytest.mark.parametrize("is_observed", [False, True])
async def test_the_engine_itself_is_free(is_observed: bool) -> None:
    """L9: neither the run, its lines and operators, nor its contexts survive; P1: nor observed."""
    zoo = Zoo()
    made: list[weakref.ref[Run]] = []
    original = Run.__init__

    def init(self: Run, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        made.append(weakref.ref(self))

    Run.__init__ = init  # type: ignore[method-assign]
    try:
        for kind in KINDS:
            with observe(lambda _: None) if is_observed else nullcontext():
                stream = pipeline(kind, zoo, "ordered")(Source(zoo))
                assert await anext(stream)
                await asyncio.sleep(3)
                await stream.aclose()
                del stream
                await pipeline(kind, zoo, "as_completed")(Source(zoo, 9)).collect()
            await turns()
            assert [ref for ref in made if ref() is not None] == [], kind
    finally:
        Run.__init__ = original  # type: ignore[method-assign]
    assert len(made) == 2 * len(KINDS)


# -- while the run goes on


@of_each_kind
@in_both_modes
async def test_what_was_delivered_is_free_while_the_run_goes_on(kind: str, mode: Any) -> None:
    """L9: the engine keeps nothing of an item that has left it."""
    zoo = Zoo()
    stream = pipeline(kind, zoo, mode)(Source(zoo, pause=100))
    seen: list[weakref.ref[Thing]] = []
    async for value in stream:
        seen.append(weakref.ref(value))
        del value
        if len(seen) == 12:
            break
    await asyncio.sleep(99)  # what is under way has arrived, a batch may be open
    assert [ref for ref in seen if ref() is not None] == []
    assert zoo.alive.get("item", 0) <= 1
    assert zoo.alive.get("result", 0) <= 6
    await stream.aclose()


async def test_a_long_run_keeps_no_more_than_its_window() -> None:
    """L9, F2: after 2,000 items as many things live as after 200."""
    zoo = Zoo()
    stream = pipeline("async", zoo, "ordered")(SyncSource(zoo))
    counts: list[int] = []
    taken = 0
    async for _ in stream:
        taken += 1
        if taken in (200, 2000):
            counts.append(sum(zoo.alive.values()))
        if taken == 2000:
            break
    assert counts[0] == counts[1]
    await stream.aclose()


# -- exceptions


@of_each_kind
@in_both_modes
@pytest.mark.parametrize("way", ["async for", "collect", "subscribe"])
async def test_a_delivered_exception_is_in_no_cycle(kind: str, mode: Any, way: str) -> None:
    """L9: kept, it keeps what its frames name, the failing item; dropped, that is free, too."""
    zoo = Zoo()

    async def fail() -> Any:
        stream = pipeline(kind, zoo, mode, fails_at=4)(zoo.add("source", Source(zoo)))
        if way == "subscribe":
            end = asyncio.get_running_loop().create_future()
            stream.subscribe(on_error=end.set_result)
            del stream
            return await end
        try:
            if way == "collect":
                await stream.collect()
            else:
                async for value in stream:
                    del value
        except ValueError as error:
            return error

    error = await fail()
    await turns()
    assert isinstance(error, ValueError)
    # what the function's frames name: the item; for a batch all of them, and what was made so far;
    # for a generator, the result of the call in whose turn it was asked
    assert zoo.alive.get("result", 0) <= {
        "batch": 4,
        "batch in time": 4,
        "grouped batch": 4,
        "rated batch": 2,
        "own": 2,
        "generator": 2,
    }.get(kind, 1)
    assert zoo.alive.get("item", 0) <= 1
    del error
    await turns()
    assert zoo.alive == {}


class Refusing(ErrorHandler):
    async def handle_error(self, *args: Any) -> Any:
        return False, None


class Raising(ErrorHandler):
    async def handle_error(self, *args: Any) -> Any:
        raise KeyError("handler")


@pytest.mark.parametrize("kind", ["async", "def", "generator", "async generator", "batch"])
@pytest.mark.parametrize(
    "options",
    [
        {"retry_config": RetryConfig(3, 1.0)},
        {"error_handler": Refusing()},
        {"error_handler": Raising()},
        {"on_error": "skip_item"},
        {"on_error": "skip_item", "retry_config": RetryConfig(2, 1.0)},
        {"on_error": "skip_batch"},
    ],
    ids=["retries", "refused", "handler raises", "skip_item", "skip with retries", "skip_batch"],
)
async def test_failed_attempts_leave_nothing(kind: str, options: dict[str, Any]) -> None:
    """L9: exceptions of attempts that were retried, handled or skipped are free as well."""
    zoo = Zoo()
    stream = pipeline(kind, zoo, "ordered", fails_at=4, **options)(Source(zoo, 9))
    try:
        await stream.collect()
    except (ValueError, KeyError):
        assert "skip" not in options.get("on_error", "")
    del stream
    await turns()
    assert zoo.alive == {}


@in_both_modes
async def test_a_failure_that_nobody_came_for(mode: Any) -> None:
    """L9, L5: a stream dropped while a failure waits in it takes the failure along."""
    zoo = Zoo()
    stream = pipeline("async", zoo, mode, fails_at=7)(zoo.add("source", Source(zoo)))
    assert await anext(stream)
    await asyncio.sleep(50)
    assert stream.stats[1].failed == 1
    del stream
    await turns()
    assert zoo.alive == {}


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_the_error_of_a_source_is_in_no_cycle(kind: str) -> None:
    """L9, E7: neither a sync nor an async source is kept by its own exception's frames in us."""
    zoo = Zoo()

    def pull() -> Iterator[Thing]:
        for number in range(5):
            yield zoo.add("item", Thing(number))
        raise ValueError("boom")

    async def pull_async() -> AsyncIterator[Thing]:
        for thing in pull():
            yield thing

    async def fail() -> Any:
        data = zoo.add("source", pull() if kind == "sync" else pull_async())
        try:
            await pipeline("async", zoo, "ordered")(data).collect()
        except ValueError as error:
            return error

    error = await fail()
    await turns()
    assert isinstance(error, ValueError)
    assert zoo.alive.get("result", 0) <= 2  # of the call in whose turn the source was asked
    del error
    await turns()
    assert zoo.alive == {}


async def test_a_kept_exception_does_not_occupy_the_stream() -> None:
    """L1, L9: while the exception of a run is kept, its stream still says that it is over."""

    async def work(item: int) -> int:
        raise ValueError("boom")

    async def consume(stream: AsyncStream[int]) -> None:
        async for _ in stream:
            pass

    for way in ("async for", "collect", "anext", "cancelled"):
        task = SingleTask(work) if way != "cancelled" else SingleTask(asyncio.sleep)
        stream = task([5])
        ways: dict[str, Callable[[], Any]] = {
            "async for": lambda: consume(stream),  # noqa: B023
            "collect": stream.collect,
            "anext": lambda: anext(stream),  # noqa: B023
            "cancelled": lambda: consume(stream),  # noqa: B023
        }
        reading = asyncio.ensure_future(ways[way]())
        await asyncio.sleep(1)
        reading.cancel()
        await asyncio.wait({reading})  # its task keeps the exception
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        with pytest.raises(RuntimeError, match="this stream has been read"):
            await stream.collect()
        assert reading.cancelled() == (way == "cancelled")
