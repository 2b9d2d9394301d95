"""How does code that is not async hear of a failure? S7 of the contract."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, RateLimit, batch_task, collect, iterate, single_task
from tests.kit import MODES, Boom, same
from tests.synchronous.kit import Watched, double, in_threads, loop_threads, read, until

pytestmark = in_threads


def inner(number: int) -> int:
    raise Boom(number)


@single_task(concurrency_limit=4)
async def fail_at_30(number: int) -> int:
    await asyncio.sleep(0)
    return inner(number) if number == 30 else number


def test_a_failure_keeps_its_place() -> None:
    """S7, E1, E2: all results before it, then the exception itself with its note, then the end."""
    results = iterate(fail_at_30(range(100)))
    got: list[int] = []
    with pytest.raises(Boom) as caught:
        got.extend(results)
    assert got == list(range(30))
    assert caught.value.args == (30,)
    assert caught.value.__notes__ == ["in task 'fail_at_30', input 30, attempt 1"]
    assert next(results, "the end") == "the end"
    assert not loop_threads()


@pytest.mark.parametrize("how", ["iterate", "collect"])
def test_the_traceback_leads_to_the_users_function(how: str) -> None:
    """S7, E2: from the consumer's line through this library's outlet to the function."""
    with pytest.raises(Boom) as caught:
        list(iterate(fail_at_30(range(50)))) if how == "iterate" else collect(fail_at_30(range(50)))
    assert caught.value.__notes__ == ["in task 'fail_at_30', input 30, attempt 1"]
    frames = [
        (frame.filename.rpartition("/")[2], frame.name)
        for frame in traceback.extract_tb(caught.value.__traceback__)
    ]
    here = "test_errors.py"
    assert frames[0] == (here, "test_the_traceback_leads_to_the_users_function")
    assert frames[-2:] == [(here, "fail_at_30"), (here, "inner")]
    between = {name for name, _ in frames[1:-2]}
    assert between == {"_results.py" if how == "iterate" else "synchronous.py", "_loop_thread.py"}
    assert len(frames) <= 6
    assert caught.value.__context__ is None


def broken() -> Iterator[int]:
    yield 1
    raise Boom("source")


@single_task
def raise_stop(number: int) -> int:
    raise StopIteration(number)


@single_task
def raise_cancelled(number: int) -> int:
    raise asyncio.CancelledError


@pytest.mark.parametrize("mode", MODES)
def test_failures_of_all_kinds(mode: Any) -> None:
    """S7, E7, E8: a source, a batch, StopIteration and a CancelledError of the user's."""
    kinds: list[tuple[AsyncStream[Any], type[BaseException], list[object]]] = [
        (same(broken()), Boom, [1]),
        (batch_task(max_size=2)(lambda batch: inner(sum(batch)))([1, 2]), Boom, []),
        (raise_stop([1]), RuntimeError, []),
        (raise_cancelled([1]), asyncio.CancelledError, []),
    ]
    for stream, kind, before in kinds:
        stream_in_mode = stream.as_completed() if mode == "as_completed" else stream
        got: list[object] = []
        with pytest.raises(kind):
            read("iterate", stream_in_mode, got)
        assert got == before
    assert not loop_threads()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("how", ["iterate", "collect"])
@pytest.mark.parametrize("is_async", [True, False])
def test_the_end_of_the_process_that_a_call_raises(kind: Any, how: str, is_async: bool) -> None:
    """S7, E8: it ends the run, and is raised where the results are waited for."""
    watched = Watched(seconds=0.001)

    def end(number: int) -> int:
        if number == 5:
            raise kind("told")
        return number

    async def end_async(number: int) -> int:
        return end(number)

    stream = (watched.stage | single_task(end_async if is_async else end))(watched.source())
    with pytest.raises(kind, match="told"):
        read(how, stream)
    assert watched.is_over()
    assert not loop_threads()


def test_a_skipped_failure_is_none() -> None:
    """S7, E3: policies are those of the tasks."""
    skipping = single_task(on_error="skip_item")(lambda n: inner(n) if n == 2 else n)
    assert collect(skipping(range(4))) == [0, 1, 3]
    assert list(iterate(skipping(range(4)))) == [0, 1, 3]


def test_what_is_bound_to_another_loop() -> None:
    """S7, R3: the errors are those that a second loop gives anywhere."""
    limit = RateLimit(2, per=60)

    @single_task(rate_limit=limit)
    async def limited(number: int) -> int:
        return number

    stream = limited(range(5))
    with iterate(stream) as results:
        assert next(results) == 0
        until(lambda: stream.stats[0].waiting_for_rate > 0)
        with pytest.raises(RuntimeError, match="loop"):
            collect(limited(range(5)))
    lock = asyncio.Lock()

    @single_task(concurrency_limit=2)
    async def locked(number: int) -> int:
        async with lock:
            await asyncio.sleep(0.001)
        return number

    async def hold() -> None:
        async with lock:
            task = asyncio.create_task(locked(range(3)).collect())
            await asyncio.sleep(0.01)
        await task

    asyncio.run(hold())
    with pytest.raises(RuntimeError, match="different event loop"):
        collect(locked(range(3)))


@pytest.mark.parametrize("how", ["iterate", "collect"])
def test_no_thread_can_be_started(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S7: the RuntimeError of the system, and nothing is left."""

    def refuse(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr("threading.Thread.start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            read(how, double([1]))
    assert collect(double([1])) == [2]
