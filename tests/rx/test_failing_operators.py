"""What if an operator fails, catches a failure or tries again?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from conveyor_rx import single_task
from conveyor_rx.testing import timed_task
from tests.kit import Boom, drain, in_both_modes
from tests.rx.stages import double, explode_at


@in_both_modes
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


@in_both_modes
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
