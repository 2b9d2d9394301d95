"""What if results are not read to their end? S7 of the contract."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import closing
from typing import Any

import pytest

from conveyor_rx import iterate, single_task
from tests.kit import Boom
from tests.synchronous.kit import Watched, double, in_threads, loop_threads, until

pytestmark = in_threads


@pytest.mark.parametrize("how", ["with", "closing", "close"])
def test_leaving_waits_for_every_call(how: str) -> None:
    """S7, L2: after `with`, `closing` or `close()` the calls and the source have ended."""
    watched = Watched(clean_up=0.05)
    results = iterate(watched.stream())
    if how == "close":
        for _ in results:
            break
        results.close()
    else:
        with results if how == "with" else closing(results):
            for _ in results:
                break
    assert watched.started
    assert watched.is_over()
    assert not loop_threads()
    assert list(results) == []


def test_closing_is_idempotent() -> None:
    """S7, L3: before the first result, twice, and after the end; no result comes after it."""
    watched = Watched()
    stream = watched.stream()
    results = iterate(stream)
    results.close()
    results.close()
    assert next(results, None) is None
    assert not watched.started

    results = iterate(double([1]))
    assert list(results) == [2]
    results.close()
    assert next(results, None) is None

    results = iterate(double(range(100)))
    next(results)
    results.close()
    results.close()
    assert next(results, None) is None


@pytest.mark.parametrize("how", ["break", "cycle", "exception"])
def test_dropped_results_close_the_run(how: str) -> None:
    """S7, L4: dropping them starts nothing new, ends every call, and the thread with them."""
    watched = Watched(clean_up=0.05)

    def read() -> None:
        results = iterate(watched.stream())
        if how == "cycle":
            cycle: list[Any] = [results]
            cycle.append(cycle)
        for number in results:
            if number == 3:
                if how == "exception":
                    raise Boom
                break

    if how == "exception":
        with pytest.raises(Boom):
            read()
    else:
        read()
    if how == "cycle":
        assert loop_threads()
        gc.collect()
    until(lambda: not loop_threads())
    assert watched.is_over()


def test_the_exception_of_a_consumer() -> None:
    """S7: it leaves the block as it is, when all calls have ended."""
    watched = Watched(clean_up=0.05)
    with pytest.raises(Boom) as caught, iterate(watched.stream()) as results:
        raise Boom(next(results))
    assert caught.value.args == (0,)
    assert not hasattr(caught.value, "__notes__")
    assert watched.is_over()
    assert not loop_threads()


@single_task(concurrency_limit=4)
async def bad_clean_up(number: int) -> int:
    try:
        await asyncio.sleep(0 if number < 2 else 60)
    finally:
        if number == 3:
            raise Boom("in the clean-up")
    return number


def test_a_failure_in_the_clean_up_is_raised_by_close() -> None:
    """S7, E9: as from `aclose`, once."""
    results = iterate(bad_clean_up(range(5)))
    assert next(results) == 0
    with pytest.raises(Boom, match="in the clean-up"):
        results.close()
    results.close()
    assert not loop_threads()


def test_a_failure_in_the_clean_up_is_noted_on_an_exception() -> None:
    """S7, E9: the exception of the block stays, and its note names what failed as well."""
    results = iterate(bad_clean_up(range(5)))
    next(results)
    with pytest.raises(KeyError) as caught, results:
        raise KeyError
    (note,) = caught.value.__notes__
    assert "there was raised as well: Boom" in note


def test_a_failure_in_the_clean_up_of_dropped_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """S7, E9: nobody waits, so the exception handler of the loop is told."""
    told: list[dict[str, Any]] = []
    handler = "call_exception_handler"
    monkeypatch.setattr(asyncio.BaseEventLoop, handler, lambda _, context: told.append(context))
    for _ in iterate(bad_clean_up(range(5))):
        break
    until(lambda: not loop_threads())
    assert [type(context["exception"]) for context in told] == [Boom]


def test_closing_from_another_thread() -> None:
    """S7, L3: who waits for a result gets the end, and so does who closes."""
    begun = threading.Event()

    @single_task(concurrency_limit=2)
    async def wait(number: int) -> int:
        if number:
            begun.set()
            await asyncio.sleep(60)
        return number

    results = iterate(wait(range(5)))
    got: list[int] = []
    thread = threading.Thread(target=lambda: [got.append(number) for number in results])
    thread.start()
    assert begun.wait(5)
    until(lambda: got == [0])
    results.close()
    thread.join(5)
    assert not thread.is_alive()
    assert got == [0]
    assert not loop_threads()


def test_a_call_may_close_its_own_run() -> None:
    """S7, L3: from inside it does not wait; the iteration ends, soon and not at once."""
    watched = Watched()

    @single_task
    def stop(number: int) -> int:
        if number == 5:
            results.close()
        return number

    results = iterate((watched.stage | stop)(watched.source()))
    got = list(results)
    assert got == list(range(len(got)))
    assert len(got) < 20
    assert watched.is_over()


def test_a_call_can_not_wait_for_its_own_run() -> None:
    """S7: a RuntimeError, for else each would wait for the other."""

    @single_task
    def read(number: int) -> Any:
        return next(results)

    results = iterate(read([1]))
    with pytest.raises(RuntimeError, match="can't wait for the results of this very run"):
        next(results)


def test_one_thread_reads_at_a_time() -> None:
    """S7, L1: another one is refused while it waits, takes nothing, and may read afterwards."""
    go_on = threading.Event()

    @single_task
    async def wait(number: int) -> int:
        while not go_on.is_set():  # noqa: ASYNC110  # it is another thread's
            await asyncio.sleep(0.001)
        return number

    results = iterate(wait(range(3)))
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(next(results)))
    thread.start()
    until(lambda: bool(loop_threads()))
    with pytest.raises(RuntimeError, match="one thread reads at a time"):
        next(results)
    go_on.set()
    thread.join()
    assert got == [0]
    assert list(results) == [1, 2]


def test_made_in_one_thread_and_read_in_others() -> None:
    """S7: threads that take turns are fine."""
    results = iterate(double(range(100)))
    got: list[int] = []
    while len(got) < 100:
        thread = threading.Thread(target=lambda: got.append(next(results)))
        thread.start()
        thread.join()
    assert got == list(range(0, 200, 2))
    assert next(results, None) is None
