"""Who may close a run, and who waits for whom? L2 and L3, from every place in and around a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from conveyor_rx import AsyncStream, Pipeline, SingleTask
from conveyor_rx._engine.closing.ending import GRACE, innermost
from conveyor_rx.testing import VirtualLoop
from tests.kit import in_both_modes, now, others
from tests.lifetime.closing_ways import WAYS, Close, pipelines
from tests.random_pipelines.closing import run_programs


async def nothing(item: Any) -> None: ...


@pytest.mark.parametrize("place", pipelines(nothing))
@pytest.mark.parametrize("way", WAYS)
@in_both_modes
async def test_a_run_can_be_closed_from_inside(
    mode: Any, way: Callable[[Close], Awaitable[None]], place: str
) -> None:
    """L2, L3: nothing hangs, and when the consumer gets control back, all has ended."""
    streams: list[AsyncStream[Any]] = []
    closed = 0

    async def close() -> None:
        nonlocal closed
        closed += 1
        await streams[0].aclose()

    async def act(item: Any) -> None:
        if item in (2, [2]):
            await way(close)

    stream = pipelines(act)[place]()
    if mode == "as_completed":
        stream = stream.as_completed()
    streams.append(stream)
    await stream.collect()
    assert closed
    assert not others()
    assert now() < 30


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_closes_the_run_around_its_own(way: Any) -> None:
    """L3: a run that a call reads can be closed, and close the outer one, at any depth."""
    streams: list[AsyncStream[int]] = []

    async def close() -> None:
        await streams[0].aclose()

    def nested(depth: int) -> SingleTask[int, int]:
        async def call(item: int) -> int:
            if depth == 0:
                await way(close)
                return item
            async with nested(depth - 1)(range(3)) as inner:
                return item + sum([value async for value in inner])

        return SingleTask(call)

    streams.append(nested(2)(range(3)))
    async with streams[0] as stream:
        async for _ in stream:
            pass
    assert not others()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("at_once", [False, True])
async def test_runs_that_close_each_other_in_their_cleanup(
    at_once: bool, count: int, way: Any
) -> None:
    """L3: in a ring, by whatever way: the last that comes to wait would be the deadlock."""
    streams: list[AsyncStream[int]] = []

    def closing(number: int) -> SingleTask[int, int]:
        async def call(item: int) -> int:
            try:
                await asyncio.sleep(50)
            finally:
                await way(streams[(number + 1) % count].aclose)
            return item

        return SingleTask(call)

    streams += [closing(number)(range(2)) for number in range(count)]
    readings = [asyncio.create_task(stream.collect()) for stream in streams]
    await asyncio.sleep(1)
    if at_once:
        await asyncio.gather(*(stream.aclose() for stream in streams))
    else:
        await streams[0].aclose()
    assert await asyncio.gather(*readings) == [[]] * count
    assert not others()


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_random_programs_that_close_from_everywhere(first: int) -> None:
    """L2, L3: no program is ever blocked; `python -m tests.long closing` runs 20,000."""
    assert run_programs(range(first, first + 30)).total() > 100


# -- who waits


async def test_an_inner_closer_waits_for_nobody() -> None:
    """L2: a task that a call has started does not wait; the call itself does, for the others."""
    ends: dict[str, float] = {}

    async def close(name: str) -> None:
        await stream.aclose()
        ends[name] = now()

    async def call(item: int) -> None:
        if item == 0:
            await asyncio.sleep(1)
            await close("call")
        elif item == 1:
            await asyncio.sleep(2)
        elif item == 2:
            ends["task"] = -1
            task = asyncio.create_task(asyncio.sleep(1.5))
            task.add_done_callback(lambda _: tasks.append(asyncio.ensure_future(close("task"))))
            try:
                await asyncio.sleep(50)
            finally:
                await asyncio.sleep(3)

    tasks: list[asyncio.Future[None]] = []
    stream = SingleTask(call)(range(3))
    assert await stream.collect() == []
    assert ends == {"task": 1.5, "call": 4}
    await tasks[0]


async def test_a_closer_inside_goes_on_when_it_is_cancelled() -> None:
    """L2, L3: a timeout helps: the call stops waiting for the others, who end in their time."""
    ends: list[float] = []

    async def call(item: int) -> None:
        if item:
            try:
                await asyncio.sleep(50)
            finally:
                await asyncio.sleep(5)
        else:
            await asyncio.sleep(1)
            try:
                async with asyncio.timeout(2):
                    await stream.aclose()
            except TimeoutError:
                ends.append(now())

    stream = SingleTask(call)(range(3))
    assert await stream.collect() == []
    assert ends == [3]
    assert now() == 6


async def test_a_closer_in_another_run_waits_until_it_is_cancelled() -> None:
    """L2: one run closes another that it has no part in."""
    ends: list[float] = []

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(50)
        finally:
            await asyncio.sleep(5)

    async def close(item: int) -> None:
        await asyncio.sleep(1)
        try:
            async with asyncio.timeout(2 if item else None):
                await stream.aclose()
        except TimeoutError:
            pass
        ends.append(now())

    stream = SingleTask(work)(range(3))
    reading = asyncio.create_task(stream.collect())
    await SingleTask(close)(range(2)).collect()
    assert ends == [3, 6]
    await reading


async def test_a_run_that_a_call_has_started_is_waited_for_as_any_other() -> None:
    """L2: also when the call is cancelled meanwhile, as the consumer of any stream."""
    ended: list[int] = []

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(50)
        finally:
            await asyncio.sleep(5)
            ended.append(item)

    async def call(item: int) -> None:
        async with SingleTask(work)(range(3)) as stream:
            async for _ in stream:
                pass

    outer = SingleTask(call)([0])
    reading = asyncio.create_task(outer.collect())
    await asyncio.sleep(1)
    reading.cancel()
    await asyncio.sleep(1)
    reading.cancel()
    await asyncio.wait({reading})
    assert sorted(ended) == [0, 1, 2]
    assert now() == 6


async def test_a_call_that_was_started_as_its_run_was_closed_is_waited_for() -> None:
    """L2: a call in its first step, under an Rx operator, starts a task that closes the run."""
    ended: list[float] = []
    tasks: list[asyncio.Future[None]] = []

    async def call(item: int) -> None:
        stream.close_soon()  # type: ignore[attr-defined]
        try:
            await asyncio.sleep(2)
        finally:
            ended.append(now())

    stream = SingleTask(call)([0]).filter(lambda n: True)
    stream.close_soon = lambda: tasks.append(  # type: ignore[attr-defined]
        asyncio.eager_task_factory(asyncio.get_running_loop(), stream.aclose())  # type: ignore[attr-defined]
        if hasattr(asyncio, "eager_task_factory")
        else asyncio.ensure_future(stream.aclose())
    )
    assert await stream.collect() == []
    assert len(ended) == 1
    assert not others()
    await tasks[0]


async def test_a_task_of_a_run_that_is_over_is_outside_of_any_run() -> None:
    """L2: what a call has left behind closes its own streams as everybody does."""
    tasks: list[asyncio.Task[None]] = []
    ended: list[int] = []

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(50)
        finally:
            await asyncio.sleep(5)
            ended.append(item)

    async def later() -> None:
        await asyncio.sleep(5)
        async with SingleTask(work)(range(2)) as stream:
            reading = asyncio.create_task(stream.collect())
            await asyncio.sleep(1)
        assert len(ended) == 2
        await reading

    async def call(item: int) -> None:
        tasks.append(asyncio.create_task(later()))

    await SingleTask(call)([0]).collect()
    await tasks[0]


async def test_runs_that_start_each_other_make_no_chain() -> None:
    """L9: a run does not remember all those before it."""
    tasks: list[asyncio.Task[None]] = []
    depths: list[int] = []

    async def again(count: int) -> None:
        async def call(item: int) -> None:
            ending, depth = innermost.get(), 0
            while ending is not None:
                ending, depth = ending.origin, depth + 1
            depths.append(depth)
            if count:
                tasks.append(asyncio.create_task(again(count - 1)))

        await SingleTask(call)([0]).collect()

    await again(50)
    for task in tasks:
        await task
    assert len(depths) == 51
    assert max(depths) <= 3


# -- what can't be proved


class Reports:
    """What the loop's exception handler was told."""

    def __init__(self) -> None:
        self.contexts: list[dict[str, Any]] = []

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.contexts.append(context)

    def __enter__(self) -> Reports:
        loop = asyncio.get_running_loop()
        self._before = loop.get_exception_handler()
        loop.set_exception_handler(self)
        return self

    def __exit__(self, *args: object) -> None:
        asyncio.get_running_loop().set_exception_handler(self._before)


@pytest.mark.parametrize("outlet", ["aclose", "collect", "subscribe"])
async def test_a_call_that_swallows_its_cancellation_is_named(outlet: str) -> None:
    """L2: the close waits, but after a while it says for whom: once, with the place in the code."""

    async def stubborn(item: int) -> None:
        if item == 0 and outlet == "subscribe":
            await asyncio.sleep(1)
            raise ValueError
        while now() < 100:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                pass

    stream = SingleTask(stubborn)(range(6 if outlet == "subscribe" else 5))
    with Reports() as reports:
        if outlet == "subscribe":
            ended = asyncio.get_running_loop().create_future()
            stream.subscribe(on_error=ended.set_result)
            assert isinstance(await ended, ValueError)
        else:
            reading = asyncio.create_task(stream.collect())
            await asyncio.sleep(1)
            if outlet == "collect":
                reading.cancel()
                await asyncio.wait({reading})
            else:
                await asyncio.gather(stream.aclose(), stream.aclose())
                await reading
    (context,) = reports.contexts
    assert f"{GRACE:g} s" in context["message"]
    assert "stubborn" in context["message"]
    assert f"{__file__}:" in context["message"]
    assert "and 2 more" in context["message"]
    assert isinstance(context["future"], asyncio.Task)


async def test_a_call_that_has_closed_its_own_run_may_take_its_time() -> None:
    """L2, L3: it is neither cancelled nor named."""

    async def call(item: int) -> None:
        await stream.aclose()
        await asyncio.sleep(1000)

    stream = SingleTask(call)([0])
    with Reports() as reports:
        await stream.collect()
    assert now() == 1000
    assert not reports.contexts


@pytest.mark.virtual_time(max_steps=100_000)
async def test_staggered_cleanups_cost_no_more_than_others() -> None:
    """L2: each end is one step, however many are waited for."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)

    async def work(item: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(item * 0.002)

    pipeline = Pipeline().add(SingleTask(work)).with_context(max_in_flight=None)
    stream = pipeline(range(5000))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    before = loop.steps
    await stream.aclose()
    assert loop.steps - before < 6 * 5000
    await reading


@pytest.mark.parametrize("kind", ["single", "generator", "own", "source"])
@pytest.mark.parametrize("depth", [1, 2])
async def test_a_call_is_cancelled_by_what_it_has_started_and_that_begins_at_once(
    depth: int, kind: str
) -> None:
    """L2: the call of a run that another reads closes the outer run in its first step."""

    async def close(item: Any) -> None:
        await stream.aclose()

    async def act(item: Any) -> None:
        stage = SingleTask(close)
        for _ in range(depth - 1):
            inner = stage

            async def read(item: Any, inner: SingleTask[Any, Any] = inner) -> None:
                await inner([item]).collect()

            stage = SingleTask(read)
        await stage([item]).collect()
        await asyncio.sleep(1000)

    stream = pipelines(act)[kind]()
    await stream.collect()
    assert now() < 20
    assert not others()
