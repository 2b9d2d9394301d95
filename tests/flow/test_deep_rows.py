"""How deep does the stack get where runs are joined by Rx operators? F8 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import AsyncStream, Pipeline, SingleTask
from tests.kit import others

DEEP = 2000
PURE = 400  # operators of reactivex's own, of which each needs three frames or more

Stream = AsyncStream[Any]


def same(item: Any) -> Any:
    return item


async def later(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


PLAIN = SingleTask[Any, Any](same)
ASYNC = SingleTask[Any, Any](later)


def zipped(depth: int, task: Any) -> Stream:
    stream: Any = task(range(3))
    for _ in range(depth):
        stream = task(rx.zip(stream, task(range(3))).pipe(ops.map(lambda pair: pair[0])))
    return stream


def operators(depth: int, task: Any) -> Stream:
    pipeline: Any = Pipeline().add(task)
    for _ in range(depth):
        pipeline = pipeline | ops.map(same)
    return pipeline(range(3))


def operators_and_tasks(depth: int, task: Any) -> Stream:
    pipeline: Any = Pipeline().add(task)
    for _ in range(depth):
        pipeline = pipeline | ops.map(same) | task
    return pipeline(range(3))


def nested_in_a_stage(depth: int, task: Any) -> Stream:
    if not depth:
        return task(range(3))
    return (task | ops.flat_map(lambda _: nested_in_a_stage(depth - 1, task)))([1])


def nested_in_a_source(depth: int, task: Any) -> Stream:
    if not depth:
        return task(range(3))
    inner = task([1]).pipe(ops.flat_map(lambda _: nested_in_a_source(depth - 1, task)))
    return task(inner)


def derived(depth: int, task: Any) -> Stream:
    stream: Any = task(range(3))
    for _ in range(depth):
        stream = task(stream.pipe(ops.map(same), ops.filter(lambda _: True)))
    return stream


ROWS = [zipped, operators, operators_and_tasks, nested_in_a_stage, nested_in_a_source, derived]


def nested_behind(depth: int, task: Any) -> Stream:
    """Give streams whose results pass through `depth` operators with nothing of ours between."""
    if not depth:
        return task(range(3))
    return task([1]).pipe(ops.flat_map(lambda _: nested_behind(depth - 1, task)))


def nested_and_empty(depth: int, task: Any) -> Stream:
    """Give streams whose end passes through `depth` operators."""
    if not depth:
        return task([])
    return task([1]).pipe(ops.flat_map(lambda _: nested_and_empty(depth - 1, task)))


def derived_only(depth: int, task: Any) -> Stream:
    stream: Any = task(range(3))
    for _ in range(depth):
        stream = stream.pipe(ops.map(same))
    return stream


def composed(depth: int, task: Any) -> Stream:
    return (task | rx.compose(*[ops.map(same)] * depth))(range(3))


TOO_DEEP = [nested_behind, nested_and_empty, derived_only, composed]


async def read(stream: Stream, outlet: str) -> list[Any]:
    if outlet == "collect":
        return await stream.collect()
    if outlet == "async for":
        return [item async for item in stream]
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    got: list[Any] = []
    stream.subscribe(got.append, ended.set_exception, lambda: ended.set_result(None))
    await ended
    return got


@pytest.mark.parametrize("outlet", ["async for", "collect", "subscribe"])
@pytest.mark.parametrize("task", [PLAIN, ASYNC], ids=["plain", "async"])
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.virtual_time(max_steps=2_000_000)
async def test_rows_of_runs_need_no_deep_stack(
    row: Callable[..., Stream], task: Any, outlet: str
) -> None:
    """F8: 2,000 runs in a row, or within each other, whatever joins them."""
    depth = DEEP if task is PLAIN and outlet == "collect" else 300
    async with asyncio.timeout(1000):
        assert await read(row(depth, task), outlet) == [0, 1, 2]
    assert not others()


@pytest.mark.parametrize("outlet", ["async for", "collect", "subscribe"])
@pytest.mark.parametrize("row", ROWS)
async def test_a_failure_gets_through_a_deep_row(row: Callable[..., Stream], outlet: str) -> None:
    """F8, E2: the end of the first run is told at the end of the last one."""

    def fail(item: int) -> int:
        raise ValueError(item)

    with pytest.raises(ValueError, match="0"):
        await read(row(300, SingleTask(fail)), outlet)
    assert not others()


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("how", ["closed", "dropped", "disposed"])
async def test_a_deep_row_is_closed(row: Callable[..., Stream], how: str) -> None:
    """F8, L2: closing needs no deep stack either, and nothing is left."""
    stream = row(300, PLAIN)
    if how == "disposed":
        came = asyncio.Event()
        subscription = stream.subscribe(lambda _: came.set())
        await came.wait()
        subscription.dispose()
    else:
        async for item in stream:
            assert item == 0
            break
        if how == "closed":
            await stream.aclose()
    del stream
    await asyncio.sleep(1)
    assert not others()


@pytest.mark.parametrize("outlet", ["async for", "collect", "subscribe"])
@pytest.mark.parametrize("task", [PLAIN, ASYNC], ids=["plain", "async"])
@pytest.mark.parametrize("row", TOO_DEEP)
async def test_too_many_operators_of_reactivex_itself_are_told_of(
    row: Callable[..., Stream], task: Any, outlet: str
) -> None:
    """F8: its operators call each other; the stream fails with that, and doesn't lose its end."""
    with pytest.raises(RecursionError):
        async with asyncio.timeout(1000):
            await read(row(PURE, task), outlet)
    await asyncio.sleep(1)
    assert not others()
