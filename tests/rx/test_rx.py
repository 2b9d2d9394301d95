"""Rx on every side: operators inside `|`, stages as operators, streams as Observables."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler.eventloop import AsyncIOScheduler

from conveyor_rx import (
    AsyncStream,
    BaseTask,
    BatchTask,
    Pipeline,
    SingleTask,
    batch_task,
    single_task,
)
from conveyor_rx.testing import assert_marbles, marbles, source, timed_task, timeline

MODES = ("ordered", "as_completed")
modes = pytest.mark.parametrize("mode", MODES)


class Boom(Exception):
    pass


async def drain(stream: Any, got: list[Any]) -> None:
    """Read `stream` to its end into `got`, which keeps what came before a failure."""
    async for item in stream:
        got.append(item)  # noqa: PERF401  # kept if it fails


class Endless:
    """The numbers from 0 on; knows how many were pulled and whether its iterator was closed."""

    def __init__(self) -> None:
        self.pulled = 0
        self.closed = 0

    def __iter__(self) -> Iterator[int]:
        try:
            while True:
                self.pulled += 1
                yield self.pulled - 1
        finally:
            self.closed += 1


class LoopClock(AsyncIOScheduler):
    """A scheduler that tells the time of the loop; reactivex's own tells that of the wall."""

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


def loop_clock() -> LoopClock:
    return LoopClock(asyncio.get_running_loop())


@single_task
async def add_one(x: int) -> int:
    await asyncio.sleep(1)
    return x + 1


@single_task
def double(x: int) -> int:
    return x * 2


def is_even(x: int) -> bool:
    return x % 2 == 0


# -- operators inside `|`


KEEP_EVEN: Any = ops.filter(is_even)
EVEN_IN = [2, 6, 10]
EVEN_BETWEEN = [4, 8, 12]
ALL = [2, 4, 6, 8, 10, 12]


@modes
@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (KEEP_EVEN | add_one | double, EVEN_IN),
        (add_one | KEEP_EVEN | double, EVEN_BETWEEN),
        (add_one | double | KEEP_EVEN, ALL),
        (Pipeline().add(KEEP_EVEN, add_one, double), EVEN_IN),
        (KEEP_EVEN | (add_one | double), EVEN_IN),
        ((add_one | double) | KEEP_EVEN | KEEP_EVEN, ALL),
    ],
    ids=["first", "middle", "last", "added", "before pipeline", "behind pipeline"],
)
async def test_operator_filters_at_any_place(chain: Any, expected: list[int], mode: Any) -> None:
    """Section 2: `|` takes any reactivex operator, as first, middle and last stage."""
    assert await chain.with_execution_mode(mode)(range(6)).collect() == expected


async def test_operator_first_sees_the_items_of_the_source() -> None:
    """Section 2: an operator in front of the first task gets the source's items."""
    assert await (ops.map(lambda x: x * 10) | add_one)([1, 2]).collect() == [11, 21]


@modes
async def test_operators_alone_make_a_pipeline(mode: Any) -> None:
    """Section 2: a pipeline of operators alone is a pipeline."""
    chain = Pipeline().with_execution_mode(mode) | ops.skip(1) | ops.map(lambda x: x * 2)
    assert await chain([1, 2, 3]).collect() == [4, 6]


@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_operator_sees_values_in_input_order(place: str) -> None:
    """Section 3: order is restored before a foreign operator."""
    seen: list[int] = []
    slow = single_task(timed_task("--3--2---1"))
    watch = ops.do_action(seen.append)
    chain = {"first": watch | slow, "middle": slow | watch | double, "last": slow | watch}[place]
    await chain([1, 2, 3]).collect()
    assert seen == [1, 2, 3]


async def test_operator_sees_values_as_they_complete() -> None:
    """O2: in as-completed mode a foreign operator gets what has completed."""
    slow = single_task(timed_task("--3--2---1"))
    chain = slow | ops.scan(lambda total, x: total + x, 0)
    assert await timeline(chain.as_completed([1, 2, 3])) == [(2, 3), (5, 5), (9, 6)]


@modes
async def test_operator_makes_many_of_one(mode: Any) -> None:
    """Section 3: an operator between two gates may make one into many."""
    chain = double | ops.flat_map(lambda x: rx.of(x, x, x)) | double
    assert await chain.with_execution_mode(mode)([1, 2]).collect() == [4, 4, 4, 8, 8, 8]


@modes
async def test_operator_makes_one_of_many(mode: Any) -> None:
    """Section 3: an operator between two gates may make many into one."""
    chain = add_one | ops.buffer_with_count(2) | single_task(lambda pair: sum(pair))
    assert await chain.with_execution_mode(mode)(range(5)).collect() == [3, 7, 5]


@modes
async def test_operator_that_emits_at_the_end(mode: Any) -> None:
    """Section 2: what an operator emits at completion goes on through the later stages."""
    chain = add_one | ops.to_list() | single_task(lambda rows: tuple(rows))
    assert await chain.with_execution_mode(mode)([1, 2, 3]).collect() == [(2, 3, 4)]


async def test_delaying_operator_on_the_loop() -> None:
    """Section 2: an operator that works with timers delays items, and the end, in a pipeline."""
    chain = double | ops.delay(2.0, scheduler=loop_clock()) | double
    await assert_marbles(chain(source("1-2-3|")), "--4-8-{12}|")


async def test_delay_does_not_delay_an_error() -> None:
    """As in reactivex, `delay` passes an error on at once, also in a chain."""
    chain = double | ops.delay(10, scheduler=loop_clock()) | double
    await assert_marbles(chain(source("1-2-3#")), "-----#")


@modes
@pytest.mark.real_time("reactivex's default scheduler: timers in threads")
@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_delay_on_threads_in_a_chain(place: str, mode: Any) -> None:
    """L8: what an operator in the chain emits on other threads is marshalled to the loop."""
    threads: set[int] = set()

    @single_task
    def here(x: int) -> int:
        threads.add(threading.get_ident())
        return x

    delay: Any = ops.delay(0.02)
    chain = {"first": delay | here, "middle": here | delay | here, "last": here | delay}[place]
    async with asyncio.timeout(5):
        results = await chain.with_execution_mode(mode)(range(50)).collect()
    assert results == list(range(50))
    assert threads == {threading.get_ident()}


@pytest.mark.real_time("reactivex's default scheduler: timers in threads")
async def test_fluent_delay_on_threads() -> None:
    """L8: the same behind a stream, by a fluent method."""
    async with asyncio.timeout(5):
        assert await double(range(5)).delay(0.02).collect() == [0, 2, 4, 6, 8]
        assert await double(range(5)).delay(0.02).pipe(double).collect() == [0, 4, 8, 12, 16]


async def test_start_with_puts_items_in_front() -> None:
    """Section 2: `start_with` gives its values before the first result."""
    chain = add_one | ops.start_with(100, 200) | double
    assert await chain([1, 2]).collect() == [200, 400, 4, 6]


async def test_concat_in_the_chain() -> None:
    """Section 2: an operator that subscribes to something else behind the pipeline works."""
    chain = add_one | ops.concat(rx.of(7, 8)) | double
    assert await chain([1]).collect() == [4, 14, 16]


@pytest.mark.parametrize("stage", ["single", "batch", "own", "none"])
@pytest.mark.parametrize("data", ["iterable", "async iterable", "observable"])
@pytest.mark.parametrize("is_last", [True, False])
async def test_what_an_operator_subscribes_later_begins_later(
    stage: str, data: str, is_last: bool
) -> None:
    """F1: in front of it no source is opened before, and no function called."""
    begun: list[tuple[str, float]] = []

    def begins(what: str) -> None:
        begun.append((what, asyncio.get_running_loop().time()))

    def call(value: Any) -> Any:
        begins("stage")
        return value

    class Own(BaseTask[int, int]):
        async def process(self, items: AsyncIterable[int]) -> AsyncIterator[int]:
            begins("stage")
            async for item in items:
                yield item

    def iterable() -> Iterator[int]:
        begins("source")
        yield 1

    async def async_iterable() -> AsyncIterator[int]:
        begins("source")
        yield 1

    def observable(*_: Any) -> Observable[int]:
        begins("source")
        return rx.of(1)

    def later(source: Observable[int]) -> Observable[int]:
        return rx.timer(5.0, scheduler=loop_clock()).pipe(ops.flat_map(lambda _: source))

    sources = {
        "iterable": iterable(),
        "async iterable": async_iterable(),
        "observable": rx.defer(observable),
    }
    stages: dict[str, list[Any]] = {
        "single": [SingleTask(call)],
        "batch": [BatchTask(call, 1, 1)],
        "own": [Own()],
        "none": [],
    }
    pipeline = Pipeline().add(*stages[stage], later, *([] if is_last else [double]))
    assert await pipeline(sources[data]).collect() == [1 if is_last else 2]
    assert sorted(begun) == [("source", 5.0), ("stage", 5.0)][: 1 if stage == "none" else 2]


# -- take


@modes
@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_take_closes_upstream(place: str, mode: Any) -> None:
    """L2: when `take` is satisfied the source is closed, once, and the stream ends."""
    endless = Endless()
    take: Any = ops.take(3)
    chain = {"first": take | double, "middle": double | take | double, "last": double | take}[place]
    results = await chain.with_execution_mode(mode)(endless).collect()
    assert results == ([0, 4, 8] if place == "middle" else [0, 2, 4])
    assert endless.closed == 1
    assert endless.pulled <= 1024 + 16


async def test_take_cancels_and_awaits_the_calls_upstream() -> None:
    """L2: when a stream that `take` cut short ends, every call was cancelled and awaited."""
    ended: list[int] = []

    @single_task
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(0 if x < 2 else 1000)
        finally:
            if x >= 2:
                await asyncio.sleep(1)
                ended.append(x)
        return x

    assert await (work | ops.take(2))(range(5)).collect() == [0, 1]
    assert sorted(ended) == [2, 3, 4]
    assert asyncio.get_running_loop().time() == 1


async def test_take_in_the_middle_lets_calls_downstream_finish() -> None:
    """E1/L1: what `take` has let through goes on to the end, though upstream is closed."""
    results = await timeline((double | ops.take(2) | add_one)(range(100)))
    assert results == [(1, 1), (1, 3)]


async def test_take_zero() -> None:
    """L1: `take(0)` ends the stream without a result, and without pulling."""
    endless = Endless()
    assert await (double | ops.take(0))(endless).collect() == []
    assert endless.pulled <= 1


async def test_take_in_front_counts_what_was_let_go() -> None:
    """E9: the counters of a stage cut short by `take` balance."""
    stream = (add_one | ops.take(2))(range(10))
    assert await stream.collect() == [1, 2]
    [stats] = stream.stats
    assert stats.in_ == stats.completed + stats.failed + stats.skipped + stats.dropped + (
        stats.cancelled
    )
    assert (stats.running, stats.waiting, stats.out) == (0, 0, stats.completed)


# -- errors in operators


def explode_at(bad: int) -> Callable[[int], int]:
    def mapper(x: int) -> int:
        if x == bad:
            raise Boom(x)
        return x

    return mapper


@modes
@pytest.mark.parametrize("place", ["first", "middle", "last"])
async def test_mapper_that_raises_fails_the_run(place: str, mode: Any) -> None:
    """E1/E2: an error in a foreign operator arrives as it is, after the results before it."""
    bad: Any = ops.map(explode_at(2))
    chain = {
        "first": bad | single_task(timed_task(lambda x: 1)),
        "middle": single_task(timed_task(lambda x: 1)) | bad | single_task(timed_task(lambda x: 1)),
        "last": single_task(timed_task(lambda x: 1)) | bad,
    }[place]
    got: list[int] = []
    with pytest.raises(Boom) as caught:
        await drain(chain.with_execution_mode(mode)(range(5)), got)
    assert caught.value.args == (2,)
    assert got == [0, 1]


@modes
async def test_catch_behind_a_failing_task(mode: Any) -> None:
    """E2: a task's error reaches a foreign `catch`, which may go on with something else."""

    @single_task
    def fragile(x: int) -> int:
        return explode_at(2)(x)

    for behind in (double, double | single_task(timed_task(lambda x: 1))):
        chain = fragile | ops.catch(rx.of(50, 60)) | behind
        stream = chain.with_execution_mode(mode)(range(5))
        assert await stream.collect() == [0, 2, 100, 120]


async def test_catch_gets_the_original_exception() -> None:
    """E2: what `catch` is handed is the original exception."""
    found: list[Exception] = []

    @single_task
    async def fragile(x: int) -> int:
        raise Boom(x)

    def handler(error: Exception, _: Any) -> Observable[int]:
        found.append(error)
        return rx.of(-1)

    assert await (fragile | ops.catch(handler))([7]).collect() == [-1]
    [error] = found
    assert isinstance(error, Boom)
    assert error.args == (7,)


async def test_catch_awaits_the_calls_that_the_error_cancelled() -> None:
    """E1/L2: behind a failure that `catch` takes, the calls behind it are cancelled and awaited."""
    ended: list[float] = []
    clock = asyncio.get_running_loop().time

    @single_task
    async def work(x: int) -> int:
        if x == 0:
            await asyncio.sleep(1)
            raise Boom
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(2)
            ended.append(clock())
        return x

    assert await (work | ops.catch(rx.of(9)))(range(3)).collect() == [9]
    assert ended == [3, 3]


async def test_retry_inside_a_pipeline_is_an_error() -> None:
    """Section 2: what is running can't be subscribed again; a RuntimeError says what to do."""
    with pytest.raises(RuntimeError, match="subscribed a second time") as caught:
        await (single_task(explode_at(1)) | ops.retry(2))([0, 1, 2]).collect()
    assert "retry_attempts" in str(caught.value)


async def test_repeat_inside_a_pipeline_is_an_error_after_the_first_round() -> None:
    """Section 2, E1: the results before the error are delivered."""
    got: list[int] = []
    with pytest.raises(RuntimeError, match="second time"):
        await drain((double | ops.repeat(3))([1, 2]), got)
    assert got == [2, 4]


async def test_repeat_of_a_stream_is_a_new_run_each_time() -> None:
    """L6: `repeat` on a stream subscribes again: a run of its own each time."""
    assert await double([1, 2]).repeat(3).collect() == [2, 4, 2, 4, 2, 4]


async def test_retry_of_a_stream_is_a_new_run() -> None:
    """L6: `retry` on a stream starts a new run after a failure."""
    attempts = 0

    @single_task
    async def fragile(x: int) -> int:
        nonlocal attempts
        await asyncio.sleep(1)
        if x == 2:
            attempts += 1
            if attempts < 3:
                raise Boom
        return x

    assert await fragile([1, 2, 3]).retry(3).collect() == [1, 1, 1, 2, 3]


async def test_retry_of_a_stream_gives_up() -> None:
    """E2: after the last new run the original exception arrives."""
    bad = single_task(explode_at(1))
    with pytest.raises(Boom):
        await bad([0, 1]).retry(2).collect()


# -- stages as operators


@pytest.mark.parametrize("stage", [double, add_one, add_one | ops.map(str), Pipeline() | double])
async def test_stage_is_an_operator(stage: Any) -> None:
    """Section 2: called on an Observable, a stage gives an Observable."""
    made = rx.of(1, 2, 3).pipe(stage)
    assert isinstance(made, AsyncStream)
    assert isinstance(made, Observable)
    assert len(await made.collect()) == 3


async def test_pipeline_in_the_middle_of_pipe() -> None:
    """Section 2: `rx.of(1, 2).pipe(ops.map(g), a | b, ops.take(3))`."""
    observable = rx.of(1, 2, 3, 4).pipe(ops.map(lambda x: x * 10), add_one | double, ops.take(3))
    assert await AsyncStream(observable).collect() == [22, 42, 62]


async def test_batch_task_as_operator() -> None:
    """Section 2: a batch task is an operator as well."""
    observable = rx.range(0, 5).pipe(batch_task(max_size=2)(sum), ops.map(lambda x: x * 2))
    assert await AsyncStream(observable).collect() == [2, 10, 8]


async def test_pipe_with_a_pipeline_subscribes_the_rx_way() -> None:
    """Section 2: the result of such a `pipe` is subscribed like any Observable."""
    got: list[Any] = []
    done = asyncio.Event()
    rx.of(1, 2).pipe(add_one, ops.map(str)).subscribe(
        got.append, on_completed=lambda: (got.append("|"), done.set())
    )
    await done.wait()
    assert got == ["2", "3", "|"]


async def test_take_behind_a_pipeline_as_operator_closes_the_outer_source() -> None:
    """L2: `take` behind a stage in `pipe` closes the run and, by that, the source."""
    endless = Endless()
    observable = AsyncStream(endless).pipe(double, ops.take(3))
    assert await observable.collect() == [0, 2, 4]
    assert endless.closed == 1


async def test_error_of_the_source_passes_through_stage_operators() -> None:
    """E7: an Observable that fails: what came before is delivered, then its error."""
    failing = rx.of(1, 2).pipe(ops.concat(rx.throw(Boom("end"))), add_one, ops.map(str))
    got: list[Any] = []
    with pytest.raises(Boom, match="end"):
        await drain(AsyncStream(failing), got)
    assert got == ["2", "3"]


# -- fluent methods


FLUENT: list[tuple[str, Callable[[Any], Any], list[Any]]] = [
    ("map", lambda s: s.map(lambda x: x * 2), [0, 2, 4, 6, 8, 10]),
    ("filter", lambda s: s.filter(is_even), [0, 2, 4]),
    ("take", lambda s: s.take(2), [0, 1]),
    ("skip", lambda s: s.skip(4), [4, 5]),
    ("take_last", lambda s: s.take_last(2), [4, 5]),
    ("take_while", lambda s: s.take_while(lambda x: x < 3), [0, 1, 2]),
    ("skip_while", lambda s: s.skip_while(lambda x: x < 3), [3, 4, 5]),
    ("first", lambda s: s.first(), [0]),
    ("last", lambda s: s.last(), [5]),
    ("reduce", lambda s: s.reduce(lambda a, b: a + b, 0), [15]),
    ("scan", lambda s: s.scan(lambda a, b: a + b, 0), [0, 1, 3, 6, 10, 15]),
    ("distinct_until_changed", lambda s: s.distinct_until_changed(is_even), [0, 1, 2, 3, 4, 5]),
    ("pairwise", lambda s: s.pairwise(), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
    ("start_with", lambda s: s.start_with(9), [9, 0, 1, 2, 3, 4, 5]),
    ("to_list", lambda s: s.to_list(), [[0, 1, 2, 3, 4, 5]]),
    ("count", lambda s: s.count(), [6]),
    ("sum", lambda s: s.sum(), [15]),
    ("element_at", lambda s: s.element_at(3), [3]),
    ("flat_map", lambda s: s.flat_map(lambda x: rx.of(x, x)), [n // 2 for n in range(12)]),
    ("concat", lambda s: s.concat(rx.of(7)), [0, 1, 2, 3, 4, 5, 7]),
    ("merge", lambda s: s.take(1).merge(rx.never().pipe(ops.take_until(rx.timer(3)))), [0]),
    ("default_if_empty", lambda s: s.skip(9).default_if_empty(1), [1]),
    ("do_action", lambda s: s.do_action(lambda x: None), [0, 1, 2, 3, 4, 5]),
    ("buffer_with_count", lambda s: s.buffer_with_count(4), [[0, 1, 2, 3], [4, 5]]),
    ("plus", lambda s: s + rx.of(6), [0, 1, 2, 3, 4, 5, 6]),
    ("plus a stream", lambda s: s[:2] + double([6, 7]), [0, 1, 12, 14]),
    ("behind plus", lambda s: rx.of(6) + s, [6, 0, 1, 2, 3, 4, 5]),
    ("slice", lambda s: s[1:3], [1, 2]),
    ("step", lambda s: s[1:-1:2], [1, 3]),
    ("whole", lambda s: s[:], [0, 1, 2, 3, 4, 5]),
    ("index", lambda s: s[4], [4]),
    ("pluck", lambda s: s.map(lambda x: {"n": x}).pluck("n").take(2), [0, 1]),
    ("dematerialize", lambda s: s.materialize().dematerialize().last(), [5]),
    ("switch_latest", lambda s: s.take(1).map(lambda x: rx.of(x, x)).switch_latest(), [0, 0]),
    ("exclusive", lambda s: s.take(1).map(lambda x: rx.of(x, 7)).exclusive(), [0, 7]),
    ("partition", lambda s: s.partition(is_even)[0], [0, 2, 4]),
]


async def test_adding_to_a_stream_in_place() -> None:
    """Section 2: `+=` gives an AsyncStream, too; as-completed goes through it."""
    stream = double([1, 2])
    stream += double([3])
    assert type(stream) is AsyncStream
    assert await stream.as_completed().collect() == [2, 4, 6]


NO_OBSERVABLE = {"multicast", "publish", "publish_value", "replay", "to_future"}
"""What these give can be connected or awaited, and is returned as it is."""


@pytest.mark.parametrize("name", [name for name in dir(Observable) if not name.startswith("_")])
def test_no_method_gives_a_plain_observable(name: str) -> None:
    """Section 2: whatever reactivex has: what gives Observables gives streams."""
    method = getattr(double([1]), name)
    if name in ("subscribe", "run", "pipe", *NO_OBSERVABLE):
        return
    needed = [
        parameter
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
    ]
    for argument in (1, lambda *_: rx.of(1), rx.of(1)):
        try:
            result = method(*([argument] * len(needed)))
        except (TypeError, AttributeError, ValueError):
            continue
        for one in result if isinstance(result, list) else [result]:
            assert type(one) is AsyncStream
        return
    raise AssertionError(f"no arguments found for {name}")


@modes
@pytest.mark.parametrize(
    ("method", "expected"),
    [(method, expected) for name, method, expected in FLUENT if name != "merge"],
    ids=[name for name, _, _ in FLUENT if name != "merge"],
)
async def test_fluent_methods_give_streams(
    method: Callable[[Any], Any], expected: list[Any], mode: Any
) -> None:
    """Section 2: fluent Rx methods give an AsyncStream, which is iterated and collected."""
    numbers = single_task(timed_task(lambda x: 1))
    stream = method(numbers.with_execution_mode(mode)(range(6)))
    assert type(stream) is AsyncStream
    assert await stream.collect() == expected


@pytest.mark.parametrize("name", ["collect", "async for", "subscribe", "await"])
async def test_derived_stream_is_consumed_every_way(name: str) -> None:
    """Section 2: what a fluent method gives can be iterated, collected, subscribed, awaited."""
    stream = add_one([1, 2, 3]).filter(is_even)
    got: list[int] = []
    if name == "collect":
        got = await stream.collect()
    elif name == "async for":
        got = [item async for item in stream]
    elif name == "await":
        got = [2, await stream]
    else:
        done = asyncio.Event()
        stream.subscribe(got.append, on_completed=done.set)
        await done.wait()
    assert got == [2, 4]


async def test_filter_take_keeps_back_pressure() -> None:
    """Issue 2.3: `pipeline(data).filter(f).take(3)` pulls what the windows hold, and closes."""
    endless = Endless()
    stream = double.with_context(max_in_flight=8)(endless).filter(lambda x: x % 4 == 0).take(3)
    assert await stream.collect() == [0, 4, 8]
    assert endless.pulled <= 8 + 16 + 16
    assert endless.closed == 1


@modes
async def test_parked_consumer_behind_a_fluent_map(mode: Any) -> None:
    """F2: behind a fluent method, too, pulling stops while the consumer is parked."""
    endless = Endless()
    chain = single_task(timed_task(lambda x: 1)).with_context(max_in_flight=8, execution_mode=mode)
    stream = chain(endless).map(lambda x: x + 1)
    assert await anext(stream) == 1
    await asyncio.sleep(1000)
    parked = endless.pulled
    assert parked <= 1 + 8 + 16 + 16
    await asyncio.sleep(1000)
    assert endless.pulled == parked
    assert [await anext(stream) for _ in range(100)] == list(range(2, 102))
    await stream.aclose()
    assert endless.closed == 1


async def test_parked_consumer_behind_an_operator_in_the_chain() -> None:
    """F2: an operator in the chain keeps the bound of the segments around it."""
    endless = Endless()
    chain = double | ops.map(lambda x: x + 1) | single_task(timed_task(lambda x: 1))
    stream = chain.with_context(max_in_flight=4)(endless)
    assert await anext(stream) == 1
    await asyncio.sleep(1000)
    assert endless.pulled <= 1 + 4 + 4 + 16
    await stream.aclose()


async def test_two_fluent_methods_on_a_slow_consumer() -> None:
    """F2: a chain of fluent methods neither loses nor reorders what waits for the consumer."""
    stream = double(range(200)).map(lambda x: x // 2).filter(is_even)
    got: list[int] = []
    async for item in stream:
        got.append(item)
        await asyncio.sleep(1)
    assert got == list(range(0, 200, 2))


async def test_derived_stream_early_close() -> None:
    """L2: `async with` on a derived stream cancels and awaits the calls of the origin."""
    work = timed_task(lambda x: 0 if x == 0 else 1000)
    async with single_task(work)(range(5)).map(str) as stream:
        assert await anext(stream) == "0"
    assert work.running == 0
    assert {call.outcome for call in work.calls[1:]} == {"cancelled"}


async def test_derived_stream_of_a_failing_run() -> None:
    """E2: the same exception object arrives through fluent methods, never wrapped."""
    error = Boom("original")

    @single_task
    async def fragile(x: int) -> int:
        if x == 2:
            raise error
        return x

    stream = fragile(range(5)).map(str).start_with("s")
    got: list[str] = []
    with pytest.raises(Boom) as caught:
        await drain(stream, got)
    assert caught.value is error
    assert got == ["s", "0", "1"]


async def test_as_completed_of_a_derived_stream() -> None:
    """Section 2: `.as_completed()` reaches through fluent methods to the pipeline."""
    slow = single_task(timed_task("--3--2---1"))
    stream = slow([1, 2, 3]).map(lambda x: x * 10)
    assert await timeline(stream.as_completed()) == [(2, 30), (5, 20), (9, 10)]


async def test_stats_of_a_derived_stream() -> None:
    """Issue 2.6: the stats of a derived stream are those of the pipeline behind it."""
    stream = double(range(5)).filter(is_even)
    await stream.collect()
    assert [(s.stage, s.in_, s.out) for s in stream.stats] == [("double", 5, 5)]


# -- pipe


@pytest.mark.parametrize("count", range(8))
async def test_pipe_takes_any_number_of_operators(count: int) -> None:
    """Section 2: `.pipe(*ops)` with 0 to 7 operators gives an AsyncStream."""
    stream = double([1, 2]).pipe(*[ops.map(lambda x: x + 1)] * count)
    assert type(stream) is AsyncStream
    assert await stream.collect() == [2 + count, 4 + count]


async def test_pipe_without_operators_is_the_stream_itself() -> None:
    """Section 2, as in reactivex: `.pipe()` gives the stream itself."""
    stream = double([1])
    assert stream.pipe() is stream


@pytest.mark.parametrize("stage", [add_one, add_one | double, ops.map(str) | single_task(int)])
async def test_pipe_with_a_stage(stage: Any) -> None:
    """Section 2: a stage stands in the `pipe` of a stream."""
    stream = double([1, 2]).pipe(ops.map(lambda x: x + 1), stage, ops.map(lambda x: (x,)))
    assert type(stream) is AsyncStream
    assert [len(item) for item in await stream.collect()] == [1, 1]


async def test_pipe_task_keeps_back_pressure() -> None:
    """F2: a stream as the source of another pipeline is pulled at that one's pace."""
    endless = Endless()
    stream = double.with_context(max_in_flight=4)(endless).pipe(add_one)
    assert await anext(stream) == 1
    await asyncio.sleep(100)
    assert endless.pulled <= 1 + 4 + 16 + 1024 + 16
    await stream.aclose()
    assert endless.closed == 1


async def test_pipe_with_something_that_gives_no_observable() -> None:
    """Section 2, as in reactivex: what an operator gives that is no Observable is returned."""
    assert await double([1, 2, 3]).pipe(ops.to_future()) == 6


# -- futures, sharing


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


# -- combining streams


async def test_merge_of_two_streams() -> None:
    """Section 2: `merge` gives what either gives, when it gives it."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.merge(right)) == [(1, 1), (2, 3), (4, 2), (5, 4)]


async def test_zip_of_two_streams() -> None:
    """Section 2: `zip` pairs the results of two runs."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.zip(right)) == [(2, (1, 3)), (5, (2, 4))]


async def test_concat_of_two_streams() -> None:
    """L6: `concat` starts the second run when the first has ended."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.concat(right)) == [(1, 1), (4, 2), (6, 3), (9, 4)]


async def test_combining_by_functions_of_reactivex() -> None:
    """Section 2: streams go into `rx.merge`, `rx.zip` and `rx.concat` as Observables."""
    observable = rx.concat(double([1, 2]), add_one([3]))
    assert await AsyncStream(observable).collect() == [2, 4, 4]
    assert await AsyncStream(rx.zip(double([1, 2]), add_one([1, 2]))).collect() == [(2, 2), (4, 3)]


async def test_flat_map_to_inner_pipelines() -> None:
    """Section 2: `flat_map` to streams runs them inside of the outer run."""
    stream = double([1, 2]).flat_map(lambda x: add_one([x, x * 10]))
    assert sorted(await stream.collect()) == [3, 5, 21, 41]


async def test_flat_map_to_inner_pipelines_inside_a_chain() -> None:
    """Section 2: the same inside `|`."""
    chain = double | ops.flat_map(lambda x: add_one([x, x * 10])) | double
    assert sorted(await chain([1, 2]).collect()) == [6, 10, 42, 82]


async def test_closing_closes_inner_pipelines() -> None:
    """L2: `aclose` on the outer stream cancels and awaits the calls of inner runs."""
    work = timed_task(lambda x: 1 if x == 0 else 1000)
    stream = double([0, 1]).flat_map(lambda x: single_task(work)([x, x + 1]))
    assert await anext(stream) == 0
    await stream.aclose()
    assert work.running == 0
    assert [call.outcome for call in work.calls if call.item] == ["cancelled"] * 3


async def test_take_on_inner_pipelines_closes_them_before_the_end() -> None:
    """L2: when `take` ends the outer run, inner runs have ended, too."""
    ended: list[int] = []

    @single_task
    async def work(x: int) -> int:
        try:
            await asyncio.sleep(0 if x < 1 else 1000)
        finally:
            await asyncio.sleep(1)
            ended.append(x)
        return x

    stream = double([0, 1]).flat_map(lambda x: work([x, x + 1])).take(1)
    assert await stream.collect() == [0]
    assert sorted(ended) == [0, 1, 2, 3]


async def test_failing_inner_pipeline_fails_the_outer_run() -> None:
    """E2: an inner run's exception ends the outer one as it is."""
    stream = double([0, 1]).flat_map(lambda x: single_task(explode_at(2))([x]))
    with pytest.raises(Boom):
        await stream.collect()


async def test_take_until_closes_the_run() -> None:
    """L2: an operator that ends the stream from elsewhere closes the run."""
    work = timed_task(lambda x: x)
    stop = rx.timer(2.5, scheduler=loop_clock())
    stream = single_task(work)([1, 2, 3, 4]).take_until(stop)
    assert await timeline(stream) == [(1, 1), (2, 2)]
    assert [call.outcome for call in work.calls] == ["done", "done", "cancelled", "cancelled"]
    assert asyncio.get_running_loop().time() == 2.5


# -- subscribe


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


@modes
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


# -- AsyncStream(...)


async def letters() -> AsyncIterator[str]:
    for letter in "abc":
        await asyncio.sleep(1)
        yield letter


@pytest.mark.parametrize(
    "make",
    [
        lambda: list("abc"),
        lambda: tuple("abc"),
        letters,
        lambda: rx.of("a", "b", "c"),
        lambda: AsyncStream(["a", "b", "c"]),
        lambda: AsyncStream(rx.of("a", "b", "c")),
        lambda: (letter for letter in "abc"),
    ],
    ids="list tuple async-generator Observable stream stream-of-Observable generator".split(),
)
async def test_async_stream_wraps_any_source(make: Callable[[], Any]) -> None:
    """Section 2: `AsyncStream(source)` wraps any source; it iterates, and has all Rx methods."""
    assert await AsyncStream(make()).collect() == ["a", "b", "c"]
    assert await AsyncStream(make()).map(str.upper).collect() == ["A", "B", "C"]
    assert await AsyncStream(AsyncStream(make())).take(2).collect() == ["a", "b"]


async def test_wrapped_async_generator_is_closed() -> None:
    """L2: closing the stream closes the async generator that it wraps."""
    closed: list[str] = []

    async def endless() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(1)
            closed.append("source")

    async with AsyncStream(endless()) as stream:
        assert await anext(stream) == 1
    assert closed == ["source"]


async def test_fluent_marbles_in_virtual_time() -> None:
    """Section 3: results leave at the instant at which they can, through fluent methods too."""
    work = single_task(timed_task("-1---3-2"))
    assert await marbles(work([1, 2, 3]).map(lambda x: x + 1)) == "-2-----(3,4,|)"


# -- the rest of an Observable


async def test_slices_and_sums_of_streams() -> None:
    """Section 2: `stream[1:3]`, `stream[2]` and `a + b`, as of any Observable."""
    assert await double(range(5))[1:3].collect() == [2, 4]
    assert await double(range(5))[2].collect() == [4]
    assert await AsyncStream(double([1, 2]) + add_one([1])).collect() == [2, 4, 2]


async def test_group_by() -> None:
    """Section 2: operators that give Observables of Observables work behind a stream."""
    grouped = double(range(6)).group_by(lambda x: x % 4)
    assert await grouped.flat_map(lambda group: group.pipe(ops.to_list())).collect() == [
        [0, 4, 8],
        [2, 6, 10],
    ]


async def test_partition() -> None:
    """Section 2: the two halves of a `partition` are one run."""
    work = timed_task(lambda x: 1)
    small, large = single_task(work)(range(4)).partition(lambda x: x < 2)
    got: list[list[int]] = [[], []]
    done = [asyncio.Event(), asyncio.Event()]
    small.subscribe(got[0].append, on_completed=done[0].set)
    large.subscribe(got[1].append, on_completed=done[1].set)
    await asyncio.gather(*[each.wait() for each in done])
    assert got == [[0, 1], [2, 3]]
    assert len(work.calls) == 4


async def test_buffer_with_time_in_a_chain() -> None:
    """Section 2: batches by time, as an operator of the chain, on the loop's clock."""
    chain = double | ops.buffer_with_time(2.5, scheduler=loop_clock()) | single_task(tuple)
    assert await timeline(chain(source("1-2-3-4|"))) == [(2.5, (2, 4)), (5, (6,)), (7, (8,))]


async def test_debounce_in_a_chain() -> None:
    """Section 2: an operator that drops by time, on the loop's clock."""
    chain = double | ops.debounce(1.5, scheduler=loop_clock()) | double
    assert await timeline(chain(source("1-{2}{3}--4|"))) == [(1.5, 4), (4.5, 12), (7, 16)]


async def test_timeout_in_a_chain() -> None:
    """E1: `ops.timeout` ends the run with its error; upstream is closed, calls are awaited."""
    work = timed_task(lambda x: 0.5 if x == 1 else 1000)
    chain = single_task(work) | ops.timeout(2, scheduler=loop_clock())
    got: list[int] = []
    with pytest.raises(Exception, match="Timeout"):
        await drain(chain([1, 2]), got)
    assert got == [1]
    assert work.running == 0
    assert asyncio.get_running_loop().time() == 2.5


async def test_combine_latest_of_two_streams() -> None:
    """Section 2: results of two runs combined as they come."""
    left = single_task(timed_task("-1--2"))([1, 2])
    right = single_task(timed_task("--3--4"))([3, 4])
    assert await timeline(left.combine_latest(right)) == [(2, (1, 3)), (4, (2, 3)), (5, (2, 4))]


async def test_switch_latest_closes_the_run_before() -> None:
    """L2: `switch_map` disposes the run before: its calls are cancelled."""
    work = timed_task(lambda x: 1000 if x < 2 else 1)
    outer = single_task(timed_task(lambda x: x))([0, 1, 2])
    stream = outer.pipe(ops.flat_map_latest(lambda x: single_task(work)([x])))
    assert await timeline(stream) == [(3, 2)]
    assert [call.outcome for call in work.calls] == ["cancelled", "cancelled", "done"]
    assert work.running == 0


async def test_finally_action_runs_once() -> None:
    """L1: `finally_action` in the chain is told the end once, however the run ends."""
    for data, take in (([1, 2], 9), (range(100), 1)):
        ends: list[str] = []
        chain = double | ops.finally_action(lambda ends=ends: ends.append("end")) | ops.take(take)
        await chain(data).collect()
        assert ends == ["end"]


async def test_materialize_tells_the_end_as_data() -> None:
    """L1: the notifications within a chain: items, one end."""
    kinds = await (double | ops.materialize() | ops.map(lambda n: n.kind))([1, 2]).collect()
    assert kinds == ["N", "N", "C"]


async def test_none_from_an_operator_passes_on() -> None:
    """V1: None is dropped where a task gives it; what an operator emits is its own affair."""
    got = await (double | ops.map(lambda x: None) | ops.map(repr))([1]).collect()
    assert got == ["None"]


async def test_list_from_an_operator_is_one_item() -> None:
    """V2: flattening is about results of tasks; a list that an operator emits is one item."""
    chain = double | ops.buffer_with_count(2) | single_task(len)
    assert await chain([1, 2, 3]).collect() == [2, 1]


async def test_fork_of_one_stream_by_share() -> None:
    """L6: two pipelines behind a shared stream, merged: one run in front of both."""
    work = timed_task(lambda x: 1)
    shared = single_task(work)([1, 2, 3]).share()
    merged = rx.merge(shared.pipe(double), shared.pipe(single_task(lambda x: -x)))
    assert sorted(await AsyncStream(merged).collect()) == [-3, -2, -1, 2, 4, 6]
    assert len(work.calls) == 3


async def test_same_operator_object_in_two_pipelines() -> None:
    """L6: an operator that keeps state keeps it for one run."""
    numbered: Any = ops.map_indexed(lambda x, index: (index, x))
    chain = double | numbered
    both = await asyncio.gather(chain([5, 6]).collect(), (add_one | numbered)([7]).collect())
    assert both == [[(0, 10), (1, 12)], [(0, 8)]]
    assert await chain([5]).collect() == [(0, 10)]


async def test_composed_operators_in_a_chain() -> None:
    """Section 2: `reactivex.compose(...)` is an operator, too, with a stage inside."""
    composed: Any = rx.compose(ops.map(lambda x: x + 1), double, ops.take(2))
    assert await (double | composed)([1, 2, 3]).collect() == [6, 10]


async def test_own_operator_with_annotations() -> None:
    """Section 2: a function `Observable -> Observable` is an operator; the annotation says so."""

    def twice(items: Observable[int]) -> Observable[int]:
        return items.pipe(ops.flat_map(lambda x: rx.of(x, x)))

    assert await (double | twice | add_one)([1]).collect() == [3, 3]
