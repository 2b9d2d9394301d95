"""What does code that is not async get of a stream, and when? S7 of the contract."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, batch_task, collect, iterate, observe, single_task
from tests.kit import MODES, Endless, same
from tests.synchronous.kit import Watched, double, in_threads, loop_threads, until

pytestmark = in_threads


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 1000])
def test_all_results_in_their_order(mode: Any, count: int) -> None:
    """S7, O1: the results are those of `await stream.collect()`, whichever way they are had."""
    pipeline = (double | batch_task(max_size=3)(sum)).with_execution_mode(mode)
    expected = asyncio.run(pipeline(range(count)).collect())
    for got in (list(iterate(pipeline(range(count)))), collect(pipeline(range(count)))):
        assert got == expected if mode == "ordered" else sum(got) == sum(expected)
    assert not loop_threads()


def test_none_and_what_is_falsy() -> None:
    """S7, V1: a result may be any value; None is none."""
    values = [0, "", [], False, None, {}]
    assert list(iterate(same.with_context(a=1)([0, "", False, None, {}]))) == [0, "", False, {}]
    assert collect(AsyncStream(values)) == values


@pytest.mark.parametrize("how", ["iterate", "collect"])
def test_nothing_begins_before_it_is_read(how: str) -> None:
    """S7, F1: to make the iterator starts no thread and pulls nothing."""
    data = Endless()
    stream = same(data)
    results = iterate(stream)
    assert (data.pulled, loop_threads()) == (0, [])
    del results
    if how == "iterate":
        with iterate(same([1])) as results:
            assert list(results) == [1]


def test_the_first_result_does_not_wait_for_the_end() -> None:
    """S7: a result is there as soon as it is ready, alone if no other one is."""
    taken: list[int] = []

    async def numbers() -> AsyncIterator[int]:
        for number in range(5):
            for _ in range(5000):
                if len(taken) == number:
                    break
                await asyncio.sleep(0.001)
            else:
                raise AssertionError("the result before was not handed over")
            yield number

    for number in iterate(double(numbers())):
        taken.append(number)  # noqa: PERF402  # the source waits for it
    assert taken == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("mode", MODES)
def test_with_the_consumer_parked_pulling_stops(mode: Any) -> None:
    """S7, F2: the windows, 16 results in the run and 16 that have crossed the threads; no more."""
    data = Endless()
    pipeline = double.with_context(max_in_flight=8).with_execution_mode(mode)
    with iterate(pipeline(data)) as results:
        next(results)
        until(lambda: data.pulled >= 8 + 16)
        time.sleep(0.1)
        parked = data.pulled
        assert parked <= 8 + 16 + 16 + 1  # and one that the source holds
        time.sleep(0.1)
        assert data.pulled == parked
        assert [next(results) for _ in range(500)]
        assert data.pulled > parked
    assert data.closed == 1


def test_at_most_sixteen_results_cross_at_once() -> None:
    """S7, W3: what has crossed the threads counts as settled when the next group is asked for."""
    stream = same(range(100))
    with iterate(stream) as results:
        got = [next(results) for _ in range(50)]
    assert got == list(range(50))
    assert 50 - 16 <= stream.watermark < 50

    stream = same(range(100))
    assert len(list(iterate(stream))) == 100
    assert stream.watermark == 100


def test_tasks_see_the_context_variables_of_the_caller() -> None:
    """S7: those of the call of `iterate` or `collect`; what tasks set is not seen outside."""
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

    @single_task
    async def who(_: int) -> str:
        found = user.get()
        user.set("a task")
        return found

    def source() -> Iterator[int]:
        assert user.get() == "ann"
        yield 1

    user.set("ann")
    results = iterate(who(source()))
    assert collect(who([1, 2])) == ["ann", "ann"]
    user.set("bob")
    assert list(results) == ["ann"]
    assert user.get() == "bob"


def test_the_source_runs_in_the_thread_of_the_loop() -> None:
    """S7: a plain generator that is the data is read, and closed, where the tasks run."""
    threads = set()

    def numbers() -> Iterator[int]:
        try:
            while True:
                threads.add(threading.current_thread())
                yield 1
        finally:
            threads.add(threading.current_thread())

    @single_task
    def where(_: int) -> threading.Thread:
        return threading.current_thread()

    with iterate(where(numbers())) as results:
        threads.add(next(results))
    assert [thread.name for thread in threads] == ["conveyor_rx"]
    assert threading.current_thread() not in threads


def test_probes_of_the_caller_watch_the_run() -> None:
    """S7, P1: a run that is read within `observe` is told to the probe."""
    kinds: list[str] = []
    with observe(lambda event: kinds.append(event.kind)):
        assert collect(double(range(3))) == [0, 2, 4]
        assert list(iterate(double(range(40)))) == list(range(0, 80, 2))
    assert kinds.count("run_ended") == 2
    assert kinds.count("delivered") == 43


def test_a_stream_is_read_once() -> None:
    """S7, L1: a second reading is the usual RuntimeError; the pipeline gives another stream."""
    pipeline = double.with_context(a=1)
    stream = pipeline([1, 2])
    assert list(iterate(stream)) == [2, 4]
    for again in (lambda: list(iterate(stream)), lambda: collect(stream)):
        with pytest.raises(RuntimeError, match="has been read; call the pipeline again"):
            again()
    assert collect(pipeline([1, 2])) == [2, 4]
    assert list(iterate(pipeline([1, 2]))) == [2, 4]


def test_a_stream_that_is_being_read_elsewhere() -> None:
    """S7, L1: another thread or loop is refused, and takes nothing."""
    stream = double(range(5))
    with iterate(stream) as results:
        assert next(results) == 0
        with pytest.raises(RuntimeError, match="already being read"):
            collect(stream)
        with pytest.raises(RuntimeError, match="already being read"):
            next(iterate(stream))
        with pytest.raises(RuntimeError, match="another"):
            asyncio.run(stream.collect())
        assert list(results) == [2, 4, 6, 8]


def test_a_stream_that_many_threads_begin_to_read() -> None:
    """S7, L1: one of them reads it, all others are refused; the source is opened once."""
    for _ in range(20):
        data = Endless()
        stream = double(data)
        outcomes: list[object] = []
        barrier = threading.Barrier(4)

        def read(
            stream: Any = stream, outcomes: list[object] = outcomes, barrier: Any = barrier
        ) -> None:
            results = iterate(stream)
            barrier.wait()
            try:
                outcomes.append(next(results))
                outcomes.append(results)  # it stays
            except RuntimeError:
                outcomes.append(None)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count(None) == 3
        assert outcomes.count(0) == 1
        outcomes.clear()
        until(lambda data=data: data.closed == 1)


def test_draining_from_the_thread_of_the_consumer() -> None:
    """S7, W1: `stream.drain()` ends the iteration behind what was pulled."""
    watched = Watched()
    stream = watched.stream()
    got = []
    for number in iterate(stream):
        got.append(number)
        if number == 5:
            stream.drain()
    assert got == list(range(len(got)))
    assert got == watched.ended
    assert stream.stats["_work"].out == len(got) < 100


@pytest.mark.parametrize("wrong", [double, [1, 2], None, iter([1])])
@pytest.mark.parametrize("function", [iterate, collect])
def test_what_is_no_stream(function: Any, wrong: Any) -> None:
    """S7: a TypeError that says what to do, at once."""
    with pytest.raises(TypeError, match=rf"{function.__name__}\(pipeline\(data\)\)"):
        function(wrong)
