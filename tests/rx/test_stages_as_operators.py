"""What are stages in a pipeline of Rx?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import AsyncStream, Pipeline, batch_task
from tests.kit import Boom, Endless, drain
from tests.rx.stages import add_one, double


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
