"""When does a run begin? F1 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import reactivex
from reactivex import operators as ops

from conveyor_rx import AsyncStream, Pipeline, SingleTask
from tests.flow.work import ONE_TO_ONE, function
from tests.kit import Own, in_both_modes


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
