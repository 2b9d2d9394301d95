"""What runs when, and how much at once? F1 to F8 of the contract."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    Pipeline,
    SingleTask,
    batch_task,
    single_task,
)
from conveyor_rx.operators._line import Line
from conveyor_rx.testing import source, timed_task, timeline

MODES = ("ordered", "as_completed")
ONE_TO_ONE = ("async", "eager", "def", "generator", "async generator", "list", "lazy")
OUTPUT_BUFFER = 16  # results that wait for the consumer
in_both_modes = pytest.mark.parametrize("mode", MODES)
of_each_kind = pytest.mark.parametrize("kind", ONE_TO_ONE)


def now() -> float:
    return asyncio.get_running_loop().time()


def function(kind: str, work: Callable[[Any], Any] = lambda item: item) -> Callable[[Any], Any]:
    """Make a function of `kind` that gives what `work` gives, as its only output."""

    async def call(item: Any) -> Any:
        await asyncio.sleep(0)
        return work(item)

    async def call_eagerly(item: Any) -> Any:
        return work(item)

    def generate(item: Any) -> Iterator[Any]:
        yield work(item)

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        yield work(item)

    functions: dict[str, Callable[[Any], Any]] = {
        "async": call,
        "eager": call_eagerly,
        "def": lambda item: work(item),
        "generator": generate,
        "async generator": generate_async,
        "list": lambda item: [work(item)],
        "lazy": lambda item: generate(item),
    }
    return functions[kind]


class Own(BaseTask[Any, Any]):
    """A user's own stage."""

    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            yield item


class Endless:
    """An infinite source, plain and asynchronous, that counts what was pulled."""

    def __init__(self) -> None:
        self.pulled = 0

    def plain(self) -> Iterator[int]:
        while True:
            self.pulled += 1
            yield self.pulled

    async def asynchronous(self) -> AsyncIterator[int]:
        for item in self.plain():
            await asyncio.sleep(0.01)
            yield item

    def open(self, kind: str) -> Any:
        return self.plain() if kind == "plain" else self.asynchronous()


class Meter:
    """How many are inside at once, and what was the most."""

    def __init__(self) -> None:
        self.now = self.most = self.entered = 0

    def __enter__(self) -> None:
        self.entered += 1
        self.now += 1
        self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        self.now -= 1


async def take(stream: AsyncStream[Any], count: int) -> list[Any]:
    return [await anext(stream) for _ in range(count)]


# -- F1


class Untouched:
    """A source, plain or asynchronous, that notes who touches it."""

    def __init__(self) -> None:
        self.touched = 0

    def __iter__(self) -> Iterator[int]:
        self.touched += 1
        return iter([1, 2, 3])


class UntouchedAsync(Untouched):
    async def __aiter__(self) -> AsyncIterator[int]:
        self.touched += 1
        for n in [1, 2, 3]:
            yield n


def observable(untouched: Untouched) -> reactivex.Observable[int]:
    return reactivex.defer(lambda _: reactivex.from_iterable(iter(untouched)))


@in_both_modes
@pytest.mark.parametrize("make", [Untouched, UntouchedAsync])
@pytest.mark.parametrize("wrap", [lambda data: data, AsyncStream, observable])
async def test_nothing_runs_before_the_first_demand(
    make: type[Untouched], wrap: Callable[[Any], Any], mode: str
) -> None:
    """F1: building, chaining, calling and asking for an iterator pull nothing and call nothing."""
    data = make()
    calls: list[str] = []

    async def later() -> int:
        calls.append("side input")
        return 0

    side = later()
    bound = SingleTask[Any, Any](lambda item, _: calls.append("side") or item).with_inputs(side)
    tasks = [SingleTask(function(kind, lambda n: calls.append("call") or n)) for kind in ONE_TO_ONE]
    pipeline = Pipeline().add(*tasks, ops.map(lambda n: calls.append("rx") or n), Own(), bound)
    stream = pipeline.with_execution_mode(mode)(wrap(data))
    stream = stream.filter(lambda n: not calls.append("filter"))
    assert stream.stats[0].in_ == 0
    iterator = aiter(stream)
    await asyncio.sleep(100)
    assert (data.touched, calls) == (0, [])
    assert await anext(iterator) == 1
    assert data.touched == 1
    assert set(calls) == {"call", "rx", "side input", "side", "filter"}
    await stream.aclose()


@in_both_modes
async def test_a_stream_that_is_never_read_never_runs(mode: str) -> None:
    """F1: closing a stream that nobody has read runs nothing, and neither does reading it then."""
    data = Untouched()
    stream = SingleTask(function("def")).with_execution_mode(mode)(data)
    await stream.aclose()
    assert await anext(stream, None) is None
    assert data.touched == 0


async def test_subscribe_starts_the_run_soon() -> None:
    """F1: `subscribe` is a demand: it returns before the source is pulled, then the run starts."""
    data = Untouched()
    got: list[int] = []
    SingleTask(function("def"))(data).subscribe(got.append)
    assert (data.touched, got) == (0, [])
    for _ in range(2):  # its task begins, and then the run
        await asyncio.sleep(0)
    assert (data.touched, got) == (1, [1, 2, 3])


async def test_collect_starts_the_run_when_it_is_awaited() -> None:
    """F1: `collect()` not yet awaited has pulled nothing."""
    data = Untouched()
    collecting = SingleTask(function("async"))(data).collect()
    await asyncio.sleep(1)
    assert data.touched == 0
    assert await collecting == [1, 2, 3]


# -- F2


@in_both_modes
@pytest.mark.parametrize("kind_of_source", ["plain", "asynchronous"])
@pytest.mark.parametrize("window", [1, 2, 3, 16, 1024])
@of_each_kind
async def test_pulling_stops_when_the_consumer_is_parked(
    kind: str, window: int, kind_of_source: str, mode: str
) -> None:
    """F2: of an infinite source one window and the output buffer are pulled ahead, not one more."""
    endless = Endless()
    pipeline = SingleTask(function(kind)).with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.open(kind_of_source)) as stream:
        taken = len(await take(stream, 10))
        await asyncio.sleep(1000)
        assert endless.pulled == taken + OUTPUT_BUFFER + window
        assert await take(stream, 5) == [11, 12, 13, 14, 15]
        await asyncio.sleep(1000)
        assert endless.pulled == taken + 5 + OUTPUT_BUFFER + window


@in_both_modes
@pytest.mark.parametrize("kind_of_source", ["plain", "asynchronous"])
@of_each_kind
async def test_the_bound_holds_for_who_breaks_and_reads_on(
    kind: str, kind_of_source: str, mode: str
) -> None:
    """F2, L4: breaks and new loops over one stream pull no more than a parked consumer does."""
    endless = Endless()
    pipeline = SingleTask(function(kind)).with_context(max_in_flight=3, execution_mode=mode)
    async with pipeline(endless.open(kind_of_source)) as stream:
        for taken in range(1, 10):
            async for value in stream:
                assert value == taken
                await asyncio.sleep(100)
                break
            await asyncio.sleep(100)
            assert endless.pulled == taken + OUTPUT_BUFFER + 3


async def test_the_default_window_is_1024() -> None:
    """F2: without a setting, 1,024 items are in flight in a segment."""
    endless = Endless()
    async with SingleTask(function("async"))(endless.plain()) as stream:
        assert await anext(stream) == 1
        await asyncio.sleep(1)
        assert endless.pulled == 1 + OUTPUT_BUFFER + 1024


SEGMENTS: dict[str, list[Any]] = {  # each stage opens a segment of its own
    "sequential": [SingleTask(function("async"), concurrency_limit=1) for _ in range(4)],
    "generators": [SingleTask(function("generator")) for _ in range(4)],
    "async generators": [SingleTask(function("async generator")) for _ in range(4)],
    "batches of one": [batch_task(max_size=1)(list) for _ in range(4)],
    "behind rx": [
        SingleTask(function("async")),
        ops.map(lambda n: n),
        SingleTask(function("def")),
        ops.filter(lambda n: True),
        SingleTask(function("list")),
    ],
}
ONE_SEGMENT = [SingleTask(function(kind)) for kind in ("async", "def", "list", "lazy", "eager")]


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 20])
@pytest.mark.parametrize("name", SEGMENTS)
async def test_the_windows_of_several_segments_add_up(name: str, window: int, mode: str) -> None:
    """F2: pulled items stay within the sum of the windows and the output buffer."""
    endless = Endless()
    stages = SEGMENTS[name]
    count = sum(isinstance(stage, BaseTask) for stage in stages)
    pipeline = Pipeline().add(*stages).with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        assert await take(stream, 10) == list(range(1, 11))
        await asyncio.sleep(1000)
        assert endless.pulled == 10 + OUTPUT_BUFFER + count * window


@in_both_modes
async def test_stages_of_one_segment_share_its_window(mode: str) -> None:
    """F2: parallel tasks in a row are one segment: five of them have one window."""
    endless = Endless()
    pipeline = Pipeline().add(*ONE_SEGMENT).with_context(max_in_flight=7, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        await take(stream, 10)
        await asyncio.sleep(1000)
        assert endless.pulled == 10 + OUTPUT_BUFFER + 7


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 20])
async def test_an_own_stage_takes_what_it_asks_for(window: int, mode: str) -> None:
    """F2: a user's stage between two tasks holds what it works on, and at most the next."""
    endless = Endless()
    pipeline = SingleTask(function("async")) | Own() | SingleTask(function("async"))
    pipeline = pipeline.with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        await take(stream, 10)
        await asyncio.sleep(1000)
        ahead = endless.pulled - 10 - OUTPUT_BUFFER - 2 * window
        assert ahead in (0, 1, 2)


@in_both_modes
@pytest.mark.parametrize("size", [2, 3, 10])
@pytest.mark.parametrize("window", [1, 4, 20])
async def test_pulling_stops_while_a_batch_runs(window: int, size: int, mode: str) -> None:
    """F2: the items of batches that run or wait fill the window; the last may stand out of it."""
    endless = Endless()
    forever = batch_task(max_size=size)(timed_task(lambda batch: 1e6))
    pipeline = forever.with_context(max_in_flight=window, execution_mode=mode)
    stream = pipeline(endless.plain())
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(1000)
    batches = -(-window // size)  # open while fewer than `window` items stand in it
    assert endless.pulled == batches * size
    reader.cancel()
    await asyncio.wait({reader})


@in_both_modes
@pytest.mark.parametrize("window", [1, 4, 20])
async def test_pulling_stops_behind_batches_when_the_consumer_is_parked(
    window: int, mode: str
) -> None:
    """F2: outputs of batches fill buffer and window as outputs, open batches hold their items."""
    endless = Endless()
    pipeline = batch_task(max_size=3)(sum).with_context(max_in_flight=window, execution_mode=mode)
    async with pipeline(endless.plain()) as stream:
        assert await take(stream, 2) == [6, 15]
        await asyncio.sleep(1000)
        pulled = endless.pulled
        assert pulled <= 3 * (2 + OUTPUT_BUFFER + window) + 2 * (3 - 1)
        await asyncio.sleep(1000)
        assert endless.pulled == pulled
        assert await take(stream, 100) == [9 * n - 3 for n in range(3, 103)]


@in_both_modes
async def test_fan_out_fills_the_window_with_outputs(mode: str) -> None:
    """F2: ten outputs an item leave less room for items: far fewer are pulled than places are."""
    endless = Endless()
    ten = SingleTask[int, int](lambda item: [item] * 10)
    async with ten.with_context(max_in_flight=20, execution_mode=mode)(endless.plain()) as stream:
        assert await take(stream, 10) == [1] * 10
        await asyncio.sleep(1000)
        # 36 places for outputs behind the first ten; the last list may stand out of the window
        assert endless.pulled <= 1 + (OUTPUT_BUFFER + 20) // 10 + 1


@pytest.mark.parametrize("window", [1, 2, 3, 16])
async def test_a_slow_head_holds_exactly_a_window(window: int) -> None:
    """F2: in ordered mode one slow item lets the source go on to the end of the window."""
    endless = Endless()
    work = timed_task(lambda item: 1000.0 if item == 1 else 0.5)
    async with SingleTask(work).with_context(max_in_flight=window)(endless.plain()) as stream:
        reader = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(999)
        assert endless.pulled == len(work.calls) == window
        assert await reader == 1


@pytest.mark.parametrize("settled", [None, "skip"])
async def test_what_is_dropped_makes_room(settled: str | None) -> None:
    """F2: a window of 2 whose head is slow goes on past any number of items that are settled."""
    work = timed_task(lambda item: 1000.0 if item == 1 else 0.5)

    async def drop(item: int) -> int | None:
        await work(item)
        if item > 1 and settled == "skip":
            raise ValueError
        return item if item == 1 else None

    task = SingleTask(drop, on_error="skip_item").with_context(max_in_flight=2)
    assert await timeline(task(range(1, 101))) == [(1000, 1)]
    assert work.calls[-1].started == 49.0  # 98 calls of 0.5 s before it, one at a time


@in_both_modes
async def test_a_slow_consumer_never_has_more_in_flight(mode: str) -> None:
    """F2: the bound holds at each instant, not only when all has come to rest."""
    endless = Endless()
    work = timed_task(lambda item: random.Random(item).random() * 5)
    pipeline = SingleTask(work) | SingleTask(function("async"), concurrency_limit=1)
    pipeline = pipeline.with_context(max_in_flight=4, execution_mode=mode)
    got = 0
    async with pipeline(endless.asynchronous()) as stream:
        async for _ in stream:
            got += 1
            for _ in range(3):
                assert endless.pulled - got <= OUTPUT_BUFFER + 4 + 4
                await asyncio.sleep(0.3)
            if got == 100:
                break


async def test_without_a_window_nothing_is_held_back() -> None:
    """F2: `max_in_flight=None` is no bound: 5,000 calls run beside a slow head."""
    work = timed_task(lambda item: 10.0 if item == 0 else 1.0)
    task = SingleTask(work)
    got = await timeline(task.with_context(max_in_flight=None)(range(5000)))
    assert got == [(10, n) for n in range(5000)]
    assert work.most_running == 5000
    work.most_running = 0
    assert (await timeline(task(range(5000))))[-1][0] > 10
    assert work.most_running == 1024


@in_both_modes
async def test_as_many_as_are_taken_are_pulled_from_an_infinite_source(mode: str) -> None:
    """F2: `take` behind a pipeline ends the run, and no more than the bound was pulled."""
    endless = Endless()
    pipeline = SingleTask(function("async")) | SingleTask(function("generator"))
    stream = pipeline.with_context(max_in_flight=3, execution_mode=mode)(endless.plain())
    assert await stream.take(10).collect() == list(range(1, 11))
    assert endless.pulled <= 10 + OUTPUT_BUFFER + 3 + 3


# -- F2 and V2: generators are parked


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 3, 16])
@pytest.mark.parametrize("kind", ["generator", "async generator", "lazy"])
async def test_an_infinite_generator_is_parked(kind: str, window: int, mode: str) -> None:
    """F2, V2: a generator is asked for what there is room for, and one that it holds in hand."""
    endless = Endless()
    functions: dict[str, Callable[[int], Any]] = {
        "generator": lambda item: endless.plain(),
        "async generator": lambda item: endless.asynchronous(),
        "lazy": lambda item: endless.plain(),
    }
    generate = functions[kind]

    async def generate_async(item: int) -> AsyncIterator[int]:
        async for value in endless.asynchronous():
            yield value

    def generate_now(item: int) -> Iterator[int]:
        yield from endless.plain()

    if kind != "lazy":
        generate = generate_now if kind == "generator" else generate_async
    task = SingleTask(generate).with_context(max_in_flight=window, execution_mode=mode)
    async with task([1]) as stream:
        assert await take(stream, 10) == list(range(1, 11))
        await asyncio.sleep(1000)
        # its own place is one of the window until it has ended
        assert 10 + OUTPUT_BUFFER <= endless.pulled <= 10 + OUTPUT_BUFFER + window + 1
        assert await take(stream, 100) == list(range(11, 111))


@in_both_modes
@pytest.mark.parametrize("kind", ["generator", "async generator"])
async def test_take_from_an_infinite_generator_closes_it(kind: str, mode: str) -> None:
    """F2, L2: `take` is satisfied, the generator's `finally` has run, once for each generator."""
    closed: list[int] = []

    def generate(item: int) -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.append(item)

    async def generate_async(item: int) -> AsyncIterator[int]:
        try:
            for n in itertools.count():
                yield n
        finally:
            closed.append(item)

    task = SingleTask(generate if kind == "generator" else generate_async, concurrency_limit=1)
    stream = task.with_execution_mode(mode)([7, 8])
    assert await stream.take(5).collect() == [0, 1, 2, 3, 4]
    assert closed == [7]


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("limit", [1, 2, None])
@pytest.mark.parametrize("kind", ["generator", "async generator", "lazy", "async lazy"])
async def test_two_generators_never_block_each_other(
    kind: str, limit: int | None, window: int, mode: str
) -> None:
    """F2: the head of a full line never waits, so all outputs of all generators come."""

    def generate(item: int) -> Iterator[tuple[int, int]]:
        yield from ((item, n) for n in range(7))

    async def generate_async(item: int) -> AsyncIterator[tuple[int, int]]:
        for n in range(7):
            await asyncio.sleep((item * 5 + n * 3) % 4)
            yield item, n

    async def lazy(item: int) -> Iterator[tuple[int, int]]:
        await asyncio.sleep((item * 5) % 4)
        return generate(item)

    functions: dict[str, Callable[[int], Any]] = {
        "generator": generate,
        "async generator": generate_async,
        "lazy": lambda item: generate_async(item),
        "async lazy": lazy,
    }
    task = SingleTask(functions[kind], concurrency_limit=limit)
    pipeline = task.with_context(max_in_flight=window, execution_mode=mode)
    got = await pipeline(range(6)).collect()
    expected = [(item, n) for item in range(6) for n in range(7)]
    assert (got if mode == "ordered" else sorted(got)) == expected


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("parallelism", [None, 1, 2])
async def test_generators_behind_generators_never_block_each_other(
    parallelism: int | None, window: int, mode: str
) -> None:
    """F2, F4: nor do generators of several stages, if need be in a single slot."""

    def generate(item: Any) -> Iterator[Any]:
        yield from ((item, n) for n in range(3))

    async def generate_async(item: Any) -> AsyncIterator[Any]:
        for n in range(3):
            await asyncio.sleep(random.Random(f"{item}{n}").random())
            yield item, n

    pipeline = Pipeline().add(
        SingleTask(generate), SingleTask(generate_async), SingleTask(lambda item: generate(item))
    )
    pipeline = pipeline.with_context(
        max_in_flight=window, max_parallelism=parallelism, execution_mode=mode
    )
    got = await pipeline(range(3)).collect()
    expected = [
        (((i, a), b), c) for i in range(3) for a, b, c in itertools.product(range(3), repeat=3)
    ]
    assert (got if mode == "ordered" else sorted(got)) == expected


@in_both_modes
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize("window", [1, 2])
async def test_functions_that_return_generators_never_block_each_other(
    window: int, limit: int, seed: int, mode: str
) -> None:
    """F2, F3: called out of order, they fill window and limit, and the head still gets its turn."""

    def generate(item: int) -> Iterator[tuple[int, int]]:
        yield from ((item, n) for n in range(5))

    slow = SingleTask(timed_task(lambda item: random.Random(item * 100 + seed).random()))
    lazy = SingleTask[int, Any](lambda item: generate(item), concurrency_limit=limit)
    pipeline = (slow | lazy).with_context(max_in_flight=window, execution_mode=mode)
    got = await pipeline(range(12)).collect()
    expected = [(item, n) for item in range(12) for n in range(5)]
    assert (got if mode == "ordered" else sorted(got)) == expected


async def test_generators_that_wait_for_room_wake_when_there_is_room() -> None:
    """F2: a parked generator goes on when its turn comes, with nothing lost on the way."""
    produced: list[tuple[float, str]] = []

    @single_task
    async def letters(item: str) -> AsyncIterator[str]:
        for n in range(4):
            produced.append((now(), f"{item}{n}"))
            yield f"{item}{n}"
        if item == "a":
            await asyncio.sleep(10)

    got = await timeline(letters.with_context(max_in_flight=3)(["a", "b", "c"]))
    assert [value for _, value in got] == [f"{item}{n}" for item in "abc" for n in range(4)]
    assert [at for at, _ in got] == [0] * 4 + [10] * 8
    assert [name for at, name in produced if at == 0][:4] == ["a0", "a1", "a2", "a3"]
    assert (10, "c3") in produced


# -- F3


def metered(kind: str, meter: Meter, work: Any) -> Any:
    """Make a function of `kind` that stays in `meter` while it awaits `work(item)`."""

    async def call(item: Any) -> Any:
        with meter:
            return await work(item)

    async def generate(item: Any) -> AsyncIterator[Any]:
        with meter:
            yield await work(item)

    async def batch(items: list[Any]) -> Any:
        with meter:
            await work(items[0])
            return items

    return {"async": call, "async generator": generate, "batch": batch}[kind]


def limited(kind: str, limit: int | None, meter: Meter, work: Any, **options: Any) -> Any:
    """Make a metered stage of `kind`; batches have two items."""
    call = metered(kind, meter, work)
    if kind == "batch":
        return batch_task(max_size=2, concurrency_limit=limit, **options)(call)
    return SingleTask(call, concurrency_limit=limit, **options)


@in_both_modes
@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_the_limit_is_reached_and_never_exceeded(kind: str, limit: int, mode: str) -> None:
    """F3: while there is work, `limit` calls run: 60 calls of 1 s take 60 s / limit."""
    meter = Meter()
    task = limited(kind, limit, meter, timed_task(lambda item: 1.0))
    got = await timeline(task.with_execution_mode(mode)(range(120 if kind == "batch" else 60)))
    assert meter.most == limit
    assert meter.entered == 60
    calls = [at for at, _ in got][:: 2 if kind == "batch" else 1]
    assert calls == [1 + n // limit for n in range(60)]


@in_both_modes
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_the_limit_holds_under_random_latencies(kind: str, mode: str) -> None:
    """F3: whoever ends first makes room for one, not for more."""
    meter = Meter()
    task = limited(kind, 4, meter, timed_task(lambda item: random.Random(item).random()))
    pipeline = (
        SingleTask(timed_task(lambda item: random.Random(-item).random() / 10)) | task
    ).with_execution_mode(mode)
    assert sorted(await pipeline(range(200)).collect()) == list(range(200))
    assert meter.most == 4


@in_both_modes
@pytest.mark.parametrize("outcome", ["skip_item", "skip_batch", "handled", "retried", "None"])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_slots_come_back_after_failures(kind: str, outcome: str, mode: str) -> None:
    """F3: calls that fail, are skipped, handled, retried or give None leave the limit as it was."""
    meter = Meter()
    seen: set[int] = set()

    class Handler:
        async def handle_error(self, *_: Any) -> tuple[bool, Any]:
            return True, None

    async def work(item: int) -> int | None:
        await asyncio.sleep(1)
        if item < 40 and not (outcome == "retried" and item in seen):
            seen.add(item)
            if outcome != "None":
                raise ValueError(item)
            return None
        return item

    options: dict[str, Any] = {"on_error": outcome} if outcome.startswith("skip") else {}
    if outcome == "handled":
        options["error_handler"] = Handler()
    task: Any
    if kind == "batch":
        if outcome == "retried":
            options |= {"retry_attempts": 2, "retry_delay": 0.5}
        task = batch_task(max_size=1, concurrency_limit=4, **options)(metered(kind, meter, work))
    elif outcome == "retried":
        task = single_task(concurrency_limit=4, retry_attempts=2, retry_delay=0.5, **options)(
            metered(kind, meter, work)
        )
    else:
        task = limited(kind, 4, meter, work, **options)
    got = await timeline(task.with_execution_mode(mode)(range(80)))
    assert meter.most == 4
    assert got[-1][0] == (10 * 2.5 + 10 if outcome == "retried" else 20)
    assert [at for at, _ in got[-40:]] == [got[-1][0] - 9 + n // 4 for n in range(40)]


@in_both_modes
async def test_each_stage_and_each_run_has_its_own_limit(mode: str) -> None:
    """F3, L6: a task that stands in a pipeline twice and runs twice has four times its limit."""
    meter = Meter()
    task = limited("async", 3, meter, timed_task(lambda item: 1.0))
    pipeline = (task | task).with_execution_mode(mode)
    one, other = await asyncio.gather(timeline(pipeline(range(12))), timeline(pipeline(range(12))))
    assert one == other
    assert [at for at, _ in one] == [2 + n // 3 for n in range(12)]
    assert meter.most == 4 * 3


@in_both_modes
async def test_a_window_below_the_limit_is_the_limit(mode: str) -> None:
    """F3: no more calls run than the window holds items."""
    meter = Meter()
    task = limited("async", 10, meter, timed_task(lambda item: 1.0))
    got = await timeline(task.with_context(max_in_flight=3, execution_mode=mode)(range(9)))
    assert [at for at, _ in got] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert meter.most == 3


@in_both_modes
async def test_a_sequential_task_takes_no_turn_for_each_item_that_it_lets_in(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3: with a full window, a call that suspends once costs the loop one callback, not two."""
    loop = asyncio.get_running_loop()
    callbacks, call_soon = 0, loop.call_soon

    def count(*args: Any, **options: Any) -> asyncio.Handle:
        nonlocal callbacks
        callbacks += 1
        return call_soon(*args, **options)

    monkeypatch.setattr(loop, "call_soon", count)
    task = SingleTask(function("async"), concurrency_limit=1).with_context(max_in_flight=50)
    assert await task.with_execution_mode(mode)(range(1000)).collect() == list(range(1000))
    assert callbacks < 1100


@in_both_modes
async def test_parked_generators_keep_within_the_limit(mode: str) -> None:
    """F3: generators that wait for room are calls, too: no more than the limit are open."""
    meter = Meter()

    @single_task(concurrency_limit=3)
    def generate(item: int) -> Iterator[int]:
        with meter:
            yield from range(50)

    got = []
    async for value in generate.with_context(max_in_flight=8, execution_mode=mode)(range(20)):
        got.append(value)
        await asyncio.sleep(1)
    assert sorted(got) == sorted([*range(50)] * 20)
    assert meter.most == 3


# -- F4


@in_both_modes
@pytest.mark.parametrize("cap", [1, 2, 5])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_max_parallelism_caps_all_stages_together(kind: str, cap: int, mode: str) -> None:
    """F4: over three stages no more than `cap` calls run, and that many do run."""
    meter = Meter()
    work = timed_task(lambda item: 1 + random.Random(item).random())
    stages = [limited(kind, 10, meter, work) for _ in range(3)]
    pipeline = Pipeline().add(*stages).with_context(max_parallelism=cap, execution_mode=mode)
    assert sorted(await pipeline(range(40)).collect()) == list(range(40))
    assert meter.most == cap
    assert meter.entered == (60 if kind == "batch" else 120)


@in_both_modes
@pytest.mark.parametrize(("cap", "makespan"), [(1, 24), (2, 12), (4, 6), (8, 3)])
async def test_max_parallelism_leaves_no_slot_idle(cap: int, makespan: int, mode: str) -> None:
    """F4: 24 calls of 1 s in three stages take 24 s / cap."""
    stages = [SingleTask(timed_task(lambda item: 1.0)) for _ in range(3)]
    pipeline = Pipeline().add(*stages).with_context(max_parallelism=cap, execution_mode=mode)
    assert (await timeline(pipeline(range(8))))[-1][0] == makespan


async def test_plain_functions_count_for_max_parallelism() -> None:
    """F4: with a cap of 1 a plain function is not called while an async call runs."""
    meter = Meter()
    inside: list[int] = []
    first = limited("async", None, meter, timed_task(lambda item: 1.0))
    plain = SingleTask[int, int](lambda item: inside.append(meter.now) or item)
    assert await (first | plain).with_context(max_parallelism=1)(range(9)).collect() == [*range(9)]
    assert inside == [0] * 9


@in_both_modes
async def test_max_parallelism_gets_its_slots_back(mode: str) -> None:
    """F4: calls that failed and were skipped leave the cap as it was."""
    meter = Meter()

    async def fail(item: int) -> int:
        await asyncio.sleep(1)
        if item % 2:
            raise ValueError(item)
        return item

    stages = [limited("async", None, meter, fail, on_error="skip_item") for _ in range(2)]
    pipeline = Pipeline().add(*stages).with_context(max_parallelism=3, execution_mode=mode)
    got = await timeline(pipeline(range(12)))
    assert sorted(value for _, value in got) == [0, 2, 4, 6, 8, 10]
    assert meter.most == 3
    assert got[-1][0] == 6  # 12 calls and 6 calls of 1 s, three at once


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 1024])
async def test_max_parallelism_of_one_with_every_kind(window: int, mode: str) -> None:
    """F4: one slot for all is enough for any pipeline: no stage waits for one that it holds."""
    stages = [SingleTask(function(kind)) for kind in (*ONE_TO_ONE, *reversed(ONE_TO_ONE))]
    stages.insert(5, batch_task(max_size=2)(lambda batch: iter_all(batch)))
    pipeline = Pipeline().add(*stages)
    pipeline = pipeline.with_context(max_parallelism=1, max_in_flight=window, execution_mode=mode)
    assert sorted(await pipeline(range(20)).collect()) == list(range(20))


def iter_all(values: Iterable[Any]) -> Iterator[Any]:
    yield from values


async def test_max_parallelism_with_an_infinite_generator() -> None:
    """F4: a generator that waits for room lets the stages run that make the room."""

    @single_task
    def naturals(item: int) -> Iterator[int]:
        yield from itertools.count()

    pipeline = naturals | SingleTask(timed_task(lambda item: 1.0)) | naturals
    stream = pipeline.with_context(max_parallelism=1, max_in_flight=2)([1])
    assert await stream.take(30).collect() == list(range(30))


# -- F5


class SelfChecking:
    """A source that complains when `aiter`, `__anext__` or `aclose` come at the wrong time."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.opened = self.closed = 0
        self.complaints: list[str] = []
        self._waiting = False

    def __aiter__(self) -> AsyncIterator[int]:
        self.opened += 1
        return self._Reading(self)

    class _Reading:
        def __init__(self, source: SelfChecking) -> None:
            self.source = source
            self.next = 0
            self.over = False

        def __aiter__(self) -> AsyncIterator[int]:
            self.source.complaints.append("aiter of the iterator")
            return self

        async def __anext__(self) -> int:
            source = self.source
            if source._waiting:
                source.complaints.append("overlap")
            if self.over:
                source.complaints.append("asked after its end")
            source._waiting = True
            try:
                await asyncio.sleep(random.Random(self.next).random() if self.next % 3 else 0)
            finally:
                source._waiting = False
            if self.next == source.count:
                self.over = True
                raise StopAsyncIteration
            self.next += 1
            return self.next

        async def aclose(self) -> None:
            if self.source._waiting:
                self.source.complaints.append("closed while it waits")
            self.over = True
            self.source.closed += 1


@in_both_modes
@pytest.mark.parametrize("window", [1, 3, 1024])
@of_each_kind
async def test_the_source_is_opened_once_and_asked_by_one(
    kind: str, window: int, mode: str
) -> None:
    """F5: one `aiter`, and `__anext__` never overlaps itself, nor is it called after the end."""
    data = SelfChecking(50)
    pipeline = SingleTask(timed_task(lambda item: item % 5)) | SingleTask(function(kind))
    stream = pipeline.with_context(max_in_flight=window, execution_mode=mode)(data)
    assert sorted(await stream.collect()) == list(range(1, 51))
    assert (data.opened, data.complaints) == (1, [])


@in_both_modes
async def test_the_source_is_not_closed_while_it_is_asked(mode: str) -> None:
    """F5: closing in the middle waits for a pending `__anext__`, at any instant."""
    for tenths in range(1, 40):
        data = SelfChecking(50)
        stream = SingleTask(function("async")).with_execution_mode(mode)(data)
        reader = asyncio.ensure_future(stream.collect())
        await asyncio.sleep(tenths / 10)
        await stream.aclose()
        await reader
        assert (data.opened, data.closed, data.complaints) == (1, 1, [])


async def test_each_subscription_opens_the_source_anew() -> None:
    """F5, L6: one `aiter` a run: two subscriptions are two."""
    opened: list[int] = []

    class Data:
        def __aiter__(self) -> AsyncIterator[int]:
            opened.append(1)
            return self._read()

        async def _read(self) -> AsyncIterator[int]:
            for n in range(3):
                await asyncio.sleep(1)
                yield n

    got: list[int] = []
    stream = SingleTask(function("async"))(Data())
    stream.subscribe(got.append)
    stream.subscribe(got.append)
    await asyncio.sleep(10)
    assert (len(opened), got) == (2, [0, 0, 1, 1, 2, 2])


async def test_a_plain_source_is_opened_once() -> None:
    """F5: one `iter` a run, and `next` is not called inside of itself by stages that re-enter."""
    opened: list[int] = []
    inside = Meter()

    class Data:
        def __iter__(self) -> Data:
            opened.append(1)
            self.left = iter(range(100))
            return self

        def __next__(self) -> int:
            with inside:
                return next(self.left)

    pipeline = Pipeline().add(*[SingleTask(function(kind)) for kind in ONE_TO_ONE])
    assert await pipeline.with_context(max_in_flight=1)(Data()).collect() == list(range(100))
    assert (opened, inside.most) == ([1], 1)


# -- F6


@in_both_modes
@pytest.mark.parametrize("window", [1, 2, 1024])
@pytest.mark.parametrize("kind", ["async", "async generator", "batch"])
async def test_sequential_stages_overlap(kind: str, window: int, mode: str) -> None:
    """F6: three stages of limit 1, five calls of 1 s each: the last comes at 7 s, not at 15."""
    meters = [Meter() for _ in range(3)]
    size = 2 if kind == "batch" else 1
    stages = [limited(kind, 1, meter, timed_task(lambda item: 1.0)) for meter in meters]
    pipeline = Pipeline().add(*stages).with_context(max_in_flight=window, execution_mode=mode)
    got = await timeline(pipeline(range(5 * size)))
    assert got == [(3 + n // size, n) for n in range(5 * size)]
    assert [meter.most for meter in meters] == [1, 1, 1]


@in_both_modes
async def test_the_slowest_sequential_stage_sets_the_pace(mode: str) -> None:
    """F6: stages of 1, 2 and 1 s: the first result at 4 s, then one every 2 s."""
    stages = [
        SingleTask(timed_task(lambda item, s=seconds: s), concurrency_limit=1)
        for seconds in (1.0, 2.0, 1.0)
    ]
    pipeline = Pipeline().add(*stages).with_execution_mode(mode)
    assert await timeline(pipeline(range(4))) == [(4, 0), (6, 1), (8, 2), (10, 3)]


@in_both_modes
async def test_source_stages_and_consumer_overlap(mode: str) -> None:
    """F6: a source, a sequential stage and a consumer of 1 s each: one item a second."""
    task = SingleTask(timed_task(lambda item: 1.0), concurrency_limit=1).with_execution_mode(mode)
    instants: list[float] = []
    async for _ in task(source("-1-2-3-4-5|", tick=0.5)):
        instants.append(now())
        await asyncio.sleep(1)
    assert instants == [1.5, 2.5, 3.5, 4.5, 5.5]


@in_both_modes
async def test_a_source_goes_on_as_soon_as_the_window_has_room(mode: str) -> None:
    """F6: a full window opens, and a source that takes a second for an item is asked then."""

    async def numbers() -> AsyncIterator[int]:
        for item in range(10):
            yield item
            await asyncio.sleep(1 if item > 2 else 0)

    task = SingleTask(timed_task(lambda item: 1.0), concurrency_limit=1)
    stream = task.with_context(max_in_flight=3, execution_mode=mode)(numbers())
    begin = now()
    assert await stream.collect() == list(range(10))
    assert now() - begin == 10


@in_both_modes
async def test_own_stages_overlap(mode: str) -> None:
    """F6: users' own stages, which work on one item at a time, overlap as well."""

    class SlowOwn(BaseTask[int, int]):
        async def process(self, items: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in items:
                await asyncio.sleep(1)
                yield item

    pipeline = Pipeline().add(SlowOwn(), SlowOwn(), SlowOwn()).with_execution_mode(mode)
    assert await timeline(pipeline(range(5))) == [(3 + n, n) for n in range(5)]


@in_both_modes
@pytest.mark.filterwarnings("ignore:task 'call' has concurrency_limit=2")
@pytest.mark.parametrize("limit", [None, 1, 2])
async def test_what_is_nearest_to_the_consumer_is_done_first(limit: int | None, mode: str) -> None:
    """F6: a later stage does not wait until an earlier one has done all that it could."""
    calls: list[str] = []

    def stage(name: str, copies: int) -> SingleTask[int, int]:
        def call(item: int) -> list[int]:
            calls.append(name)
            return [item] * copies

        return SingleTask(call, concurrency_limit=limit)

    pipeline = stage("a", 3) | stage("b", 2) | stage("c", 1)
    assert len(await pipeline.with_execution_mode(mode)(range(2)).collect()) == 12
    assert "".join(calls) == "abccbccbcc" * 2


# -- F7

WORK = 0.1  # seconds of processor time that a test of F7 works
real_time = pytest.mark.real_time("the promise is about real seconds between turns of the loop")


class Turns:
    """How many turns has the event loop had while there was work?"""

    def __init__(self) -> None:
        self._count = 0
        self._seen: list[int] = []

    async def during(self, run: Coroutine[Any, Any, Any]) -> int:
        """Await `run` and return the turns between the first and the last `note`."""
        beating = asyncio.ensure_future(self._beat())
        try:
            await run
        finally:
            beating.cancel()
        return self._seen[-1] - self._seen[0]

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(0)
            self._count += 1

    def note(self) -> None:
        if not self._seen or self._count != self._seen[-1]:
            self._seen.append(self._count)

    def work(self) -> Iterator[int]:
        """Give items for as long as `WORK`; processor time, which no other program uses up."""
        end = time.process_time() + WORK
        for n in itertools.count():
            self.note()
            if time.process_time() > end:
                return
            yield n


def window_for(kind: str) -> dict[str, Any]:
    """Return a short window for kinds that take an asyncio task an item.

    All calls that are ready run in one turn of the loop: how long that is is the window's affair.
    """
    return {} if kind in ("def", "list") else {"max_in_flight": 32}


async def read(stream: AsyncStream[Any], how: str) -> None:
    """Read all of `stream` and keep nothing."""
    if how == "async for":
        async for _ in stream:
            pass
    elif how == "subscribe":
        ended = asyncio.get_running_loop().create_future()
        stream.subscribe(on_completed=lambda: ended.set_result(None))
        await ended
    else:
        await stream.filter(lambda n: n == 0).collect()


@real_time
@in_both_modes
@pytest.mark.parametrize("how", ["async for", "subscribe", "collect"])
@pytest.mark.parametrize("kind", ["eager", "def", "generator", "list", "lazy"])
async def test_the_loop_gets_turns_beside_synchronous_work(kind: str, how: str, mode: str) -> None:
    """F7: a plain source and plain tasks let the loop go on, however they are read."""
    turns = Turns()
    pipeline = SingleTask(function("def")) | SingleTask(function(kind))
    pipeline = pipeline.with_context(execution_mode=mode, **window_for(kind))
    stream = pipeline(turns.work())
    assert await turns.during(read(stream, how)) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["async", "eager", "def", "generator", "list", "lazy"])
async def test_the_loop_gets_turns_while_everything_is_dropped(kind: str, mode: str) -> None:
    """F7: a task that gives nothing, ever, lets the loop go on."""
    turns = Turns()
    task = SingleTask(function(kind, lambda item: None))
    task = task.with_context(execution_mode=mode, **window_for(kind))
    assert await turns.during(read(task(turns.work()), "async for")) >= 10


@real_time
@in_both_modes
async def test_the_loop_gets_turns_while_everything_is_skipped(mode: str) -> None:
    """F7: a task that fails for each item lets the loop go on."""
    turns = Turns()
    task = SingleTask[Any, Any](lambda item: 1 / 0, on_error="skip_item").with_execution_mode(mode)
    assert await turns.during(read(task(turns.work()), "async for")) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["generator", "lazy", "async generator"])
async def test_the_loop_gets_turns_while_one_generator_works(kind: str, mode: str) -> None:
    """F7: so does a generator with a hundred thousand outputs for one item."""
    turns = Turns()

    def generate(item: int) -> Iterator[int]:
        yield from turns.work()

    async def generate_async(item: int) -> AsyncIterator[int]:
        for n in turns.work():
            yield n

    functions = {
        "generator": generate,
        "lazy": lambda item: generate(item),
        "async generator": generate_async,
    }
    task = SingleTask[int, int](functions[kind]).with_execution_mode(mode)
    assert await turns.during(read(task([1]), "async for")) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["async", "def"])
@pytest.mark.parametrize("nothing", [True, False], ids=["Nones", "numbers"])
async def test_the_loop_gets_turns_while_a_huge_list_is_passed_on(
    nothing: bool, kind: str, mode: str
) -> None:
    """F7: the outputs of a list that stands for all the work are passed on slice by slice."""
    turns = Turns()
    values: list[int | None] = [None] * 300_000 if nothing else [*range(100_000)]

    def give(item: int) -> list[int | None]:
        if item < 2:
            turns.note()
        return values if item == 0 else []

    first = SingleTask(function(kind, give))
    task = (first | SingleTask(function("def"))).with_execution_mode(mode)
    start = time.process_time()
    count = await turns.during(read(task.with_context(max_in_flight=1)(range(2)), "async for"))
    assert count >= min(10, (time.process_time() - start) / 0.02)


@real_time
@in_both_modes
async def test_the_loop_gets_turns_between_slow_calls(mode: str) -> None:
    """F7: 100 plain calls of 2 ms each for the outputs of one short list."""
    turns = Turns()

    def block(item: int) -> int:
        turns.note()
        end = time.process_time() + 0.002
        while time.process_time() < end:
            pass
        return item

    pipeline = SingleTask[int, int](lambda item: [*range(100)]) | SingleTask(block)
    assert await turns.during(read(pipeline.with_execution_mode(mode)([1]), "async for")) >= 10


@real_time
@in_both_modes
@pytest.mark.parametrize("kind", ["async", "eager", "def"])
async def test_the_loop_gets_turns_while_an_operator_before_the_tasks_is_slow(
    kind: str, mode: str
) -> None:
    """F7: items are not read ahead for a foreign operator, here of 2 ms an item."""
    turns = Turns()

    def block(item: int) -> int:
        turns.note()
        end = time.process_time() + 0.002
        while time.process_time() < end:
            pass
        return item

    pipeline = Pipeline() | ops.map(block) | SingleTask(function(kind), concurrency_limit=2)
    assert await turns.during(read(pipeline.with_execution_mode(mode)(range(100)), "collect")) >= 20


@real_time
@pytest.mark.parametrize("task", [batch_task(max_size=10)(list), batch_task(max_size=10)(sum)])
async def test_the_loop_gets_turns_beside_batches(task: Any) -> None:
    """F7: plain batch tasks let the loop go on."""
    turns = Turns()
    assert await turns.during(read(task(turns.work()), "async for")) >= 10


class Clock:
    """A clock of the work that is done, for runs that are made while it is set; in seconds."""

    def __init__(self) -> None:
        self.time = 0.0
        self.gaps: list[float] = []  # of work between two turns of the loop
        asyncio.get_running_loop().work_clock = lambda: self.time  # type: ignore[attr-defined]

    async def during(self, run: Coroutine[Any, Any, Any]) -> Any:
        """Await `run` and note the gaps."""
        beating = asyncio.ensure_future(self._beat())
        try:
            return await run
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            before = self.time
            await asyncio.sleep(0)
            self.gaps.append(self.time - before)


@in_both_modes
@pytest.mark.parametrize("kind", ["number", "list"])
@pytest.mark.parametrize("limit", [1, 3, 10, None])
async def test_the_loop_gets_turns_while_a_task_goes_on_with_other_calls(
    limit: int | None, kind: str, mode: str
) -> None:
    """F7: also if it has suspended once, and the calls that follow do not: 0.1 ms each."""
    clock = Clock()

    @single_task(concurrency_limit=limit)
    async def work(number: int) -> Any:
        if limit is not None and number < limit:
            await asyncio.sleep(0)
        clock.time += 0.0001
        return number if kind == "number" else [number]

    stream = work.with_execution_mode(mode)(range(1000))
    assert len(await clock.during(stream.collect())) == 1000
    assert max(clock.gaps) <= 0.005
    assert sum(clock.gaps) > 0.09


@pytest.mark.parametrize(("seconds", "least", "most"), [(1e-6, OUTPUT_BUFFER, 1040), (1e-3, 1, 2)])
async def test_a_consumer_that_waits_lets_fast_stages_fill_the_buffer(
    seconds: float, least: int, most: int
) -> None:
    """`Reader`: they go on for a moment once there is a result; slow ones do not delay it."""
    clock = Clock()
    calls: list[int] = []

    def work(number: int) -> int:
        clock.time += seconds
        calls.append(number)
        return number

    async with SingleTask(work)(itertools.count()) as stream:
        assert await anext(stream) == 0
        assert least <= len(calls) <= most


# -- F8


def depth() -> int:
    """Return how many frames are on the stack."""
    frame = sys._getframe()
    count = 0
    while frame:
        count += 1
        frame = frame.f_back
    return count


SLACK = 50  # frames; what grew with items or stages would grow by hundreds


@in_both_modes
@pytest.mark.parametrize("window", [1, 1024])
@of_each_kind
async def test_the_stack_does_not_grow_with_the_items(kind: str, window: int, mode: str) -> None:
    """F8: item 5,000 is worked on as deep in the stack as the first ones."""
    depths: list[int] = []
    pipeline = Pipeline().add(
        SingleTask(function(kind, lambda item: depths.append(depth()) or item)),
        SingleTask(function(kind)),
        SingleTask(function(kind, lambda item: depths.append(depth()) or item)),
    )
    pipeline = pipeline.with_context(max_in_flight=window, execution_mode=mode)
    assert len(await pipeline(range(5000)).collect()) == 5000
    assert len(depths) == 10_000
    assert max(depths) <= max(depths[:50]) + SLACK


@in_both_modes
@pytest.mark.parametrize("how", ["async for", "subscribe"])
async def test_the_stack_does_not_grow_with_the_items_however_they_are_read(
    how: str, mode: str
) -> None:
    """F8: nor when they are pulled one by one, or pushed."""
    depths: list[int] = []
    task = SingleTask(function("def", lambda item: depths.append(depth()) or item))
    await read(task.with_execution_mode(mode)(range(5000)), how)
    assert len(depths) == 5000
    assert max(depths) <= max(depths[:50]) + SLACK


@pytest.mark.parametrize("fate", ["None", "skipped", "batched", "rx"])
async def test_the_stack_does_not_grow_with_the_items_that_vanish(fate: str) -> None:
    """F8: nor while thousands are dropped, skipped, collected or filtered in one go."""
    depths: list[int] = []

    def work(item: int) -> int | None:
        depths.append(depth())
        if fate == "skipped":
            raise ValueError
        return None if fate == "None" else item

    pipeline: Any = SingleTask(work, on_error="skip_item")
    if fate == "batched":
        pipeline = pipeline | batch_task(max_size=5000)(len)
    if fate == "rx":
        pipeline = pipeline | ops.filter(lambda item: False)
    assert await pipeline(range(5000)).collect() == ([5000] if fate == "batched" else [])
    assert len(depths) == 5000
    assert max(depths) <= max(depths[:50]) + SLACK


@pytest.mark.parametrize("kind", ["def", "eager"])
async def test_the_stack_does_not_grow_with_the_attempts(kind: str) -> None:
    """F8: nor while a batch in which each item fails is halved again and again."""
    depths: list[int] = []

    def work(batch: list[int]) -> None:
        depths.append(depth())
        raise ValueError

    task = BatchTask(function(kind, work), 100, 100, on_error="skip_item")
    stream = task(range(100))
    assert await stream.collect() == []
    assert stream.stats[0].skipped == 100
    assert len(depths) == 199
    assert max(depths) <= max(depths[:10]) + SLACK


@in_both_modes
@of_each_kind
async def test_the_stack_does_not_grow_with_the_stages(kind: str, mode: str) -> None:
    """F8: stage 500 is called as deep in the stack as the first ones."""
    depths: list[int] = []
    task = SingleTask(function(kind, lambda item: depths.append(depth()) or item + 1))
    pipeline = Pipeline().add(*[task] * 500).with_execution_mode(mode)
    assert await pipeline([0, 1, 2]).collect() == [500, 501, 502]
    assert len(depths) == 1500
    assert max(depths) <= max(depths[:150]) + SLACK


@in_both_modes
@pytest.mark.parametrize("kind", ["sequential", "batch", "own"])
async def test_500_stages_that_restore_order(kind: str, mode: str) -> None:
    """F8: 500 segments in a row run on the stack of one."""
    depths: list[int] = []

    def work(batch: Any) -> Any:
        depths.append(depth())
        return batch

    class Deep(Own):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in items:
                yield work(item)

    stages: dict[str, Any] = {
        "sequential": SingleTask(work, concurrency_limit=1),
        "batch": batch_task(max_size=2)(work),
        "own": Deep(),
    }
    pipeline = Pipeline().add(*[stages[kind]] * 500).with_execution_mode(mode)
    assert await pipeline([0, 1, 2]).collect() == [0, 1, 2]
    assert max(depths) <= max(depths[:100]) + SLACK


async def test_500_stages_that_are_joined_and_closed() -> None:
    """F8: joining with `|`, failing, closing and counting 500 stages need no deep stack either."""
    pipeline: Any = Pipeline().with_context(max_in_flight=2)
    for _ in range(500):
        pipeline = pipeline | SingleTask(function("async"))
    stream = pipeline(itertools.count())
    assert await take(stream, 3) == [0, 1, 2]
    assert len(stream.stats) == 500
    await stream.aclose()
    with pytest.raises(ZeroDivisionError):
        await (pipeline | SingleTask[Any, Any](lambda item: 1 / 0))(itertools.count()).collect()


async def test_a_parked_generator_goes_on_as_soon_as_there_is_room() -> None:
    """F2, F6: not only once it is the head: what is delivered in front of it makes the room."""
    given: list[float] = []

    @single_task
    async def generate(item: int) -> AsyncIterator[int]:
        if item == 0:
            await asyncio.sleep(5)
        elif item == 1:
            for n in range(3):
                yield n
            await asyncio.sleep(100)
        else:
            for n in range(10):
                yield n
                given.append(asyncio.get_running_loop().time())

    stream = generate.with_context(max_in_flight=8)(range(3))
    assert await stream.collect() == [*range(3), *range(10)]
    assert given == [0.0] * 2 + [5.0] * 4 + [100.0] * 4


async def test_as_many_parked_generators_go_on_as_there_is_room_for() -> None:
    """F2, F6: three that are parked go on at once when a batch of three leaves the line."""
    given: dict[int, float] = {}

    @batch_task(max_size=3, concurrency_limit=5)
    async def generate(batch: list[int]) -> AsyncIterator[int]:
        if batch[0] == 0:  # the head, which is never parked
            await asyncio.sleep(100)
        elif batch[0] == 3:  # the one that makes room
            await asyncio.sleep(5)
            return
        yield batch[0]
        given[batch[0]] = now()
        await asyncio.sleep(10)  # else its end would make room, too

    stream = generate.with_context(max_in_flight=15)(range(15))
    assert await stream.collect() == [0, 6, 9, 12]
    assert given == {6: 5.0, 9: 5.0, 12: 5.0, 0: 100.0}


async def test_generators_that_were_parked_keep_to_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F2: also those that waited for a slot after the room; the head alone may be one too many."""
    over: list[int] = []
    insert = Line.insert

    def spy(line: Line, value: Any, owner: Any, inputs: Any) -> Any:
        place = insert(line, value, owner, inputs)
        over.append(line.size - line.limit)
        return place

    @single_task
    def lazy(item: int) -> Any:
        return (item * 3 + n for n in range(item * 7 % 4))

    @single_task(concurrency_limit=2)
    async def work(item: int) -> int:
        await asyncio.sleep(1 + item * 5 % 7)
        return item

    monkeypatch.setattr(Line, "insert", spy)
    pipeline = (lazy | work).with_context(max_in_flight=16, max_parallelism=3)
    results = await pipeline(range(60)).collect()
    assert len(results) == sum(item * 7 % 4 for item in range(60))
    assert max(over) == 1
