"""Which exceptions are failures, and which end the process? E8 of the contract."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import BatchTask, RetryConfig, SingleTask
from conveyor_rx.testing import run, source
from tests.errors.failing import Answer, Slow, ending, failing, function, of_each_kind
from tests.kit import in_both_modes, now, others

ERRORS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("boom"),
    "StopIteration": lambda: StopIteration("boom"),
    "StopAsyncIteration": lambda: StopAsyncIteration("boom"),
    "CancelledError": lambda: asyncio.CancelledError("boom"),
    "ExceptionGroup": lambda: ExceptionGroup("boom", [ValueError("a"), KeyError("b")]),
    "GeneratorExit": lambda: GeneratorExit("boom"),
}
of_each_error = pytest.mark.parametrize("name", ERRORS)
DEADLY: dict[str, type[BaseException]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": SystemExit,
}


@of_each_error
@of_each_kind
@in_both_modes
async def test_each_exception_fails_the_run(name: str, kind: str, mode: Any) -> None:
    """E8: it reaches the consumer; a StopIteration as RuntimeError with the original as cause."""
    error = ERRORS[name]()
    task = failing(kind, error, 1)
    stream = task.with_execution_mode(mode)(source("0-1-2-3|"))
    got, raised = await ending(stream)
    assert got == [0]
    if name.startswith("Stop"):
        assert type(raised) is RuntimeError
        assert raised.__cause__ is error
    else:
        assert raised is error
    assert raised is not None
    assert len(raised.__notes__) == 1
    (stats,) = stream.stats
    assert (stats.in_, stats.completed, stats.failed) == (2, 1, 1)
    assert not others()


@of_each_error
@of_each_kind
@in_both_modes
async def test_each_exception_can_be_skipped(name: str, kind: str, mode: Any) -> None:
    """E8, E3: what counts as a failure is skipped like any other; GeneratorExit is none."""
    error = ERRORS[name]()
    task = failing(kind, error, 1, on_error="skip_item")
    stream = task.with_execution_mode(mode)(source("0-1-2-3|"))
    got, raised = await ending(stream)
    if name == "GeneratorExit":
        assert (got, raised) == ([0], error)
    else:
        assert (got, raised) == ([0, 2, 3], None)
        assert stream.stats[0].skipped == 1
    assert not others()


@of_each_error
@of_each_kind
async def test_each_exception_is_retried_and_handled(name: str, kind: str) -> None:
    """E8, E5, E6: what counts as a failure is retried, then the handler is asked."""
    handler = Answer((True, "handled"))
    error = ERRORS[name]()
    calls: list[int] = []

    def check(item: int) -> int:
        calls.append(item)
        raise error

    task = SingleTask(
        function(kind, check), retry_config=RetryConfig(2, 1.0), error_handler=handler
    )
    got, raised = await ending(task([0]))
    if name == "GeneratorExit":
        assert (got, raised, calls) == ([], error, [0])
    else:
        assert (got, raised, calls) == (["handled"], None, [0, 0])
        assert now() == 1


@of_each_error
async def test_each_exception_in_a_batch(name: str) -> None:
    """E8, E3: batches are halved for each exception that counts as a failure."""
    error = ERRORS[name]()

    async def work(batch: list[int]) -> list[int]:
        if 1 in batch:
            raise error
        return batch

    got, raised = await ending(BatchTask(work, 4, 4, on_error="skip_item")(range(4)))
    if name == "GeneratorExit":
        assert (got, raised) == ([], error)
    else:
        assert (got, raised) == ([0, 2, 3], None)


async def test_a_cancelled_error_of_the_users_own_is_no_cancellation() -> None:
    """E8, L7: awaiting something that was cancelled elsewhere fails the call, and only that."""
    other = asyncio.get_running_loop().create_future()
    other.cancel()

    async def work(item: int) -> int:
        if item == 1:
            await other
        return item

    assert await SingleTask(work, on_error="skip_item")(range(3)).collect() == [0, 2]
    with pytest.raises(asyncio.CancelledError):
        await SingleTask(work)(range(3)).collect()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


@pytest.mark.parametrize("name", DEADLY)
@of_each_kind
@in_both_modes
@pytest.mark.parametrize("on_error", ["fail", "skip_item"])
def test_the_end_of_the_process_is_no_failure(
    name: str, kind: str, mode: Any, on_error: Any
) -> None:
    """E8: KeyboardInterrupt and SystemExit end the run and propagate, never skipped or retried."""
    error = DEADLY[name]()
    calls: list[int] = []
    ended: list[str] = []
    slow = Slow({0: 5, 1: 1, 2: 5})

    def check(item: int) -> int:
        calls.append(item)
        if item == 1:
            raise error
        return item

    handler = Answer((True, None))
    task = SingleTask(
        function(kind, check),
        on_error=on_error,
        retry_config=RetryConfig(3, 1.0),
        error_handler=handler if on_error == "fail" else None,
    )

    async def main() -> None:
        try:
            await (SingleTask(slow) | task).with_execution_mode(mode)(range(3)).collect()
        finally:
            ended.append("main")

    with pytest.raises(DEADLY[name]) as info:
        run(main)
    assert info.value is error
    assert not [note for note in getattr(error, "__notes__", ()) if "left behind" in note]
    assert calls == ([0, 1] if "generator" in kind and mode == "ordered" else [1])
    assert ended == ["main"]
    assert {item for _, item in slow.ended} == {0, 1, 2}
    assert not handler.asked


PROGRAM = """
import asyncio, sys
from conveyor_rx import single_task

async def main():
    done = []
    has_got_one = asyncio.Event()
    @single_task
    async def slow(item):
        try:
            if item == 2:
                await has_got_one.wait()
            else:
                await asyncio.sleep(0.01 * item if item < 2 else 60)
        finally:
            done.append(item)
        return item
    @single_task(on_error="skip_item", retry_attempts=3)
    {code}
    try:
        async for value in (slow | work){call}(range(6)):
            print("got", value, flush=True)
            if value == 1:
                has_got_one.set()
    finally:
        print("cleaned", sorted(done), flush=True)
asyncio.run(main())
"""
CODES = {
    "async": "async def work(item):\n        if item == 2: raise {error}\n        return item",
    "def": "def work(item):\n        if item == 2: raise {error}\n        return item",
    "generator": "def work(item):\n        if item == 2: raise {error}\n        yield item",
    "async generator": (
        "async def work(item):\n        if item == 2: raise {error}\n        yield item"
    ),
}


@pytest.mark.parametrize("name", DEADLY)
@of_each_kind
@in_both_modes
def test_the_end_of_a_real_process(name: str, kind: str, mode: str) -> None:
    """E8, L5: on a real loop the process ends at once, with nothing pending or unseen on stderr."""
    error = "KeyboardInterrupt" if name == "KeyboardInterrupt" else "SystemExit(7)"
    call = ".as_completed" if mode == "as_completed" else ""
    program = PROGRAM.format(code=CODES[kind].format(error=error), call=call)
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.stdout.startswith("got 0\ngot 1\ncleaned ")
    for complaint in ("never retrieved", "pending", "never awaited", "ResourceWarning", "ignored"):
        assert complaint not in ended.stderr
    if name == "SystemExit":
        assert (ended.returncode, ended.stderr) == (7, "")
    else:
        assert ended.stderr.rstrip().endswith("KeyboardInterrupt")
        assert ended.returncode != 0
