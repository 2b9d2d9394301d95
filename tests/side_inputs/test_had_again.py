"""What is had again after a failure, and who is told of it? S1 and S4 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import VirtualLoop, assert_clean, run, timed_task
from tests.kit import Boom
from tests.side_inputs.loads import INPUTS, Load, cancelled_after, inputs, repeatable, tasks
from tests.side_inputs.tasks import add, plain_add

# -- (d) one stream, many tasks


async def test_one_stream_is_the_input_of_two_tasks() -> None:
    """S1, L6: streams are cold: each task has a run of its own."""
    work = timed_task(lambda x: 1)
    stream = single_task(work)([10, 20])
    one, two = add.with_inputs(stream), plain_add.with_inputs(other=stream)
    assert await (one | two)([1]).collect() == [21]
    assert await one([2]).collect() == [12]
    assert await stream.collect() == [10, 20]


async def test_a_stream_bound_again_and_again() -> None:
    """S1: a new task each time."""
    stream = AsyncStream([10])
    assert [await add(stream)([n]).collect() for n in range(3)] == [[10], [11], [12]]  # type: ignore[misc, operator]


# -- (e) failures


@tasks
@repeatable
async def test_an_input_that_failed_once_is_had_again(kind: str, task: Any) -> None:
    """S1, S4: a failure fails its run, and no later one."""
    load = Load(failing=2)
    bound = task.with_inputs(INPUTS[kind](load))
    for _ in range(2):
        with pytest.raises(Boom, match="load"):
            await bound([1, 2]).collect()
    assert await bound([1, 2]).collect() == [11, 12]
    assert load.started == 3


@repeatable
async def test_runs_that_wait_together_fail_together(kind: str) -> None:
    """S1: one loading, one failure; factories are called in each run."""
    load = Load(failing=2)
    bound = add.with_inputs(INPUTS[kind](load))
    ends = await asyncio.gather(*[bound([1]).collect() for _ in range(2)], return_exceptions=True)
    assert [type(end) for end in ends] == [Boom, Boom]
    assert load.started == (2 if kind == "factory" else 1)


async def test_a_coroutine_that_failed_says_what_to_do() -> None:
    """S1: it can't be awaited again; a later run says so, and how it failed, and what to pass."""
    bound = add.with_inputs(other=Load(failing=1)())
    with pytest.raises(Boom):
        await bound([1]).collect()
    for _ in range(2):
        with pytest.raises(
            RuntimeError,
            match=r"side input 'other', a coroutine, failed with Boom in an earlier run, and a "
            r"coroutine can be awaited only once; pass the coroutine function itself",
        ) as caught:
            await bound([1]).collect()
        assert "'add'" in caught.value.__notes__[0]


async def test_a_stream_that_can_be_read_once_and_failed() -> None:
    """S1: its next run says what to do."""

    async def numbers() -> AsyncIterator[int]:
        raise Boom
        yield 1

    bound = add.with_inputs(AsyncStream(numbers()))
    with pytest.raises(Boom):
        await bound([1]).collect()
    with pytest.raises(RuntimeError, match=r"failed with Boom.*its source can be read only once"):
        await bound([1]).collect()


async def test_a_coroutine_bound_twice_says_what_to_do() -> None:
    """S1: the second task that is given it can't await it."""
    coroutine = Load()()
    one, two = add.with_inputs(coroutine), add.with_inputs(coroutine)
    assert await one([1]).collect() == [11]
    with pytest.raises(RuntimeError, match=r"awaited elsewhere.*pass the coroutine function"):
        await two([1]).collect()


async def test_a_failure_that_no_run_waits_for_is_told() -> None:
    """E9: through the loop's exception handler."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    bound = add.with_inputs(Load(failing=1)())
    await cancelled_after(0.5, bound([1]))
    await asyncio.sleep(1)
    assert [type(context["exception"]) for context in told] == [Boom]
    assert "no run waited" in told[0]["message"]
    with pytest.raises(RuntimeError, match="failed with Boom"):
        await bound([1]).collect()


async def test_a_cleanup_that_fails_is_told() -> None:
    """E9: what a cancelled factory raises instead of its cancellation is not lost."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def load() -> int:
        try:
            await asyncio.sleep(10)
        finally:
            raise Boom("cleanup")

    await cancelled_after(0.5, add.with_inputs(load)([1]))
    assert [str(context["exception"]) for context in told] == ["cleanup"]


@inputs
async def test_a_loader_that_raises_a_cancelled_error(kind: str) -> None:
    """E8: of its own accord: a failure like any other."""
    bound = add.with_inputs(INPUTS[kind](Load(failing=1, error=asyncio.CancelledError)))
    with pytest.raises(asyncio.CancelledError):
        await bound([1]).collect()
    if kind != "coroutine":
        assert await bound([1]).collect() == [11]


@inputs
@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("outlet", ["collect", "subscribe"])
def test_the_end_of_the_process_while_it_loads(kind: str, end: Any, outlet: str) -> None:
    """E8: it propagates, and nothing is left behind."""
    load = Load(failing=1, error=end)
    bound = add.with_inputs(INPUTS[kind](load))
    errors: list[Any] = []

    async def main() -> None:
        stream = bound([1])
        if outlet == "collect":
            await stream.collect()
        else:
            stream.subscribe(on_error=errors.append)
            await asyncio.Event().wait()

    with assert_clean(), pytest.raises(end), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    if kind == "coroutine":
        with pytest.raises(RuntimeError, match=f"failed with {end.__name__}"):
            run(lambda: bound([1]).collect())
    else:
        assert run(lambda: bound([1]).collect()) == [11]
