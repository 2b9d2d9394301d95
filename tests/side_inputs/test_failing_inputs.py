"""What if a side input fails? S4 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from conveyor_rx import batch_task, single_task
from conveyor_rx.testing import source, timed_task
from tests.kit import Boom, drain, in_both_modes
from tests.side_inputs.tasks import Slow, add, kinds, total, zip_with


@in_both_modes
@kinds
@pytest.mark.parametrize("on_error", ["fail", "skip_item", "skip_batch"])
async def test_failing_input_fails_the_run(
    task: Any, expected: list[int], mode: Any, on_error: Any
) -> None:
    """S4: a side input that fails fails the run with its own exception, despite `on_error`."""
    make = (
        batch_task(max_size=2, on_error=on_error)
        if task is total
        else single_task(on_error=on_error, retry_attempts=3)
    )
    error = Boom("side")
    slow = Slow(error)
    bound = make(task.func).with_inputs(slow())
    with pytest.raises(Boom) as caught:
        await bound.with_execution_mode(mode)([1, 2, 3]).collect()
    assert caught.value is error
    assert slow.started == 1


async def test_failing_input_of_two_runs_at_once() -> None:
    """S1/S4: both runs get the failure."""
    bound = add.with_inputs(Slow(Boom("side"))())
    results = await asyncio.gather(
        bound([1]).collect(), bound([2]).collect(), return_exceptions=True
    )
    assert [type(result) for result in results] == [Boom, Boom]


async def test_failing_input_of_a_later_stage_ends_the_whole_run() -> None:
    """S4/L2: no call of that task has run, so nothing is delivered; the others are cancelled."""
    first = timed_task(lambda x: x)
    second = single_task(lambda x, other: x).with_inputs(Slow(Boom("side"))())
    got: list[int] = []
    with pytest.raises(Boom):
        await drain((single_task(first) | second)([0, 5, 6]), got)
    assert got == []
    assert [call.outcome for call in first.calls] == ["done", "cancelled", "cancelled"]
    assert asyncio.get_running_loop().time() == 1


async def test_failing_input_cuts_the_results_of_earlier_items_off() -> None:
    """S4/E1: with a batch in front, too: the error comes as soon as an input is needed."""
    chain = batch_task(max_size=2)(sum) | add.with_inputs(Slow(Boom("side"))())
    with pytest.raises(Boom, match="side") as caught:
        await chain([1, 2, 3]).collect()
    assert len(caught.value.__notes__) == 1
    assert "'add'" in caught.value.__notes__[0]
    assert caught.value.__notes__[0].endswith("attempt 0")  # no call was made


async def test_failing_stream_fails_the_run() -> None:
    """S4: a stream that fails before its first item fails the run with the original exception."""

    @single_task
    async def bad(x: int) -> int:
        raise Boom("inner")

    with pytest.raises(Boom, match="inner"):
        await add.with_inputs(bad([1, 2]))([1]).collect()


async def test_failing_generator_follows_the_policy_of_the_call() -> None:
    """S2/S4: a generator fails within a call; the run fails with its exception."""

    async def breaks() -> AsyncIterator[int]:
        yield 10
        raise Boom("generator")

    got: list[Any] = []
    with pytest.raises(Boom, match="generator"):
        await drain(zip_with(breaks())([1, 2, 3]), got)
    assert got == [(1, 10)]


async def test_cancelled_future_as_input() -> None:
    """S4/E8: a Future that somebody cancels fails the run; it doesn't hang or pass for an end."""
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(1, future.cancel)
    with pytest.raises(asyncio.CancelledError):
        await add.with_inputs(future)([1]).collect()


@pytest.mark.parametrize("data", [list, lambda: source("-|")], ids=["at once", "later"])
async def test_run_without_items_leaves_the_input_to_the_next(data: Callable[[], Any]) -> None:
    """S1: a run that makes no call needs no input; the next run of that task still has it."""
    slow = Slow()
    bound = add.with_inputs(slow())
    assert await bound(data()).collect() == []
    assert await bound([1]).collect() == [11]
    assert (slow.started, slow.ended) == (1, 1)


async def test_failing_input_is_not_needed_without_items() -> None:
    """S4: nor does its failure reach a run that makes no call."""
    assert await add.with_inputs(Slow(Boom("side"))())([]).collect() == []
