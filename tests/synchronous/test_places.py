"""From where can a stream be read without `async`? S7 of the contract: from anywhere."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from conveyor_rx import batch_task, collect, iterate, single_task
from tests.kit import same
from tests.synchronous.kit import Watched, double, in_threads, loop_threads, until

pytestmark = in_threads


def test_many_threads_at_once() -> None:
    """S7: each call has a loop of its own, and none waits for another."""
    got: dict[int, list[int]] = {}

    def read(number: int) -> None:
        pipeline = double | batch_task(max_size=2)(list)
        if number % 2:
            got[number] = collect(pipeline(range(number, number + 100)))
        else:
            got[number] = list(iterate(pipeline(range(number, number + 100))))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {n: list(range(2 * n, 2 * n + 200, 2)) for n in range(16)}
    assert not loop_threads()


def test_several_half_read_at_once_in_one_thread() -> None:
    """S7: as generators, they can be read by turns."""
    assert list(zip(iterate(double(range(50))), iterate(same(range(50))), strict=True)) == [
        (2 * n, n) for n in range(50)
    ]


@pytest.mark.parametrize("how", ["iterate", "collect"])
def test_within_a_call_of_another_run(how: str) -> None:
    """S7: a plain call may read another stream, to any depth; it is no part of the outer run."""

    def numbers(depth: int) -> list[int]:
        if not depth:
            return [1]
        stream = single_task(lambda n: sum(numbers(depth - 1)) + n)(range(3))
        return collect(stream) if how == "collect" else list(iterate(stream))

    one = [1 + n for n in range(3)]
    two = [sum(one) + n for n in range(3)]
    assert numbers(1) == one
    assert numbers(3) == [sum(two) + n for n in range(3)]


def test_a_failure_within_a_call_of_another_run() -> None:
    """S7, E2: it goes through both runs, with the note of each."""

    @single_task
    def inner(number: int) -> float:
        return 1 / number

    @single_task
    def outer(number: int) -> list[float]:
        return collect(inner([number]))

    with pytest.raises(ZeroDivisionError) as caught:
        collect(outer([1, 0]))
    assert caught.value.__notes__ == ["in task 'outer', input 1, attempt 1"]


def test_half_read_within_a_call_that_is_cancelled() -> None:
    """S7: what a call leaves half read is closed as it is when dropped elsewhere."""
    watched = Watched(clean_up=0.02)

    @single_task(concurrency_limit=2)
    async def outer(number: int) -> int:
        results = iterate(watched.stream())
        found = next(results)
        if number:
            await asyncio.sleep(60)
        return found

    with iterate(outer([0, 1])) as results:
        assert next(results) == 0
    until(lambda: not loop_threads())


@pytest.mark.parametrize("how", ["iterate", "collect"])
def test_where_a_loop_runs_already(how: str) -> None:
    """S7: as in a notebook; that loop stands still meanwhile, and goes on afterwards."""

    async def main() -> list[int]:
        turns: list[float] = []

        async def tick() -> None:
            while True:
                turns.append(time.monotonic())
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0.01)
        before = len(turns)
        got = collect(double([1, 2])) if how == "collect" else list(iterate(double([1, 2])))
        assert len(turns) == before
        await asyncio.sleep(0.01)
        assert len(turns) > before
        ticking.cancel()
        assert asyncio.get_running_loop().is_running()
        return got

    assert asyncio.run(main()) == [2, 4]


def test_what_the_calling_thread_has_stays_as_it_is() -> None:
    """S7: neither a running loop nor a current one is left in the thread that reads."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with iterate(double(range(50))) as results:
            next(results)
            assert asyncio.get_event_loop_policy().get_event_loop() is loop
        assert collect(double([1])) == [2]
        assert asyncio.get_event_loop_policy().get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_tasks_have_all_of_asyncio() -> None:
    """S7: threads, processes and tasks of one's own; what is left of them ends with the run."""
    left: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            left.append("ended")

    kept = set()

    @single_task(concurrency_limit=2)
    async def work(number: int) -> str:
        kept.add(asyncio.create_task(linger()))
        text = f"print({number})"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", text, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return await asyncio.to_thread(out.decode().strip)

    assert collect(work([1, 2])) == ["1", "2"]
    assert left == ["ended"] * 2


def test_a_side_input_that_is_made_on_the_loop_of_the_run() -> None:
    """S7, S1: a factory gives each run a client of its own loop."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def client() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.get_running_loop())
        return loops[-1]

    @single_task
    async def use(number: int, client: asyncio.AbstractEventLoop) -> bool:
        return client is asyncio.get_running_loop()

    pipeline = use.with_inputs(client)
    assert collect(pipeline(range(3))) == [True] * 3
    assert list(iterate(pipeline(range(3)))) == [True] * 3
    assert len(loops) == 2
    assert all(loop.is_closed() for loop in loops)


@pytest.mark.parametrize("kind", ["generator", "async generator", "results"])
def test_sources(kind: str) -> None:
    """S7, V3: whatever is data elsewhere is data here; so are the results of another iteration."""

    def plain() -> Iterator[int]:
        yield from range(40)

    async def asynchronous() -> AsyncIterator[int]:
        for number in range(40):
            yield number

    sources: dict[str, Any] = {
        "generator": plain(),
        "async generator": asynchronous(),
        "results": iterate(same(range(40))),
    }
    assert list(iterate(double(sources[kind]))) == list(range(0, 80, 2))
