"""What do the fluent methods of a stream give? Streams."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import timed_task, timeline
from tests.kit import Boom, Endless, drain, in_both_modes
from tests.rx.stages import add_one, double, is_even

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


@in_both_modes
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


@in_both_modes
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
