"""May runs on other loops and in other threads share a side input? S1 and S2 of the contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conveyor_rx import AsyncStream, single_task
from conveyor_rx.testing import VirtualLoop, assert_clean, run
from tests.side_inputs.loads import INPUTS, Load, _Of, cancelled_after, inputs, tasks
from tests.side_inputs.tasks import add

# -- (c) loops that end


@inputs
def test_a_loop_that_ends_while_it_loads(kind: str) -> None:
    """S1: the next run on another loop has it, or an error that says what to do; no bare cancel."""
    load = Load()
    bound = add.with_inputs(INPUTS[kind](load))

    async def leave() -> None:
        reader = asyncio.ensure_future(bound([1]).collect())
        await asyncio.sleep(0.5)
        reader.cancel()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(leave())
    assert load.started == load.ended
    if kind == "coroutine":
        with pytest.raises(RuntimeError, match=r"side input 1, a coroutine, was cancelled.*once"):
            run(lambda: bound([1]).collect())
    else:
        assert run(lambda: bound([1]).collect()) == [11]


@inputs
def test_a_loop_that_is_left_while_it_loads(kind: str) -> None:
    """S1: a loop that was stopped, its tasks pending, is no hang for the next one."""
    bound = add.with_inputs(INPUTS[kind](Load()))
    left = VirtualLoop()

    async def begin() -> asyncio.Future[Any]:
        reader = asyncio.ensure_future(bound([1]).collect())
        await asyncio.sleep(0.5)
        return reader

    reader = left.run_until_complete(begin())
    if kind == "coroutine":
        with pytest.raises(RuntimeError, match=r"doesn't run.*pass the coroutine function"):
            run(lambda: bound([2]).collect())
    else:
        assert run(lambda: bound([2]).collect()) == [12]
    assert left.run_until_complete(reader) == [11]
    left.close()


def test_one_loop_that_runs_in_two_goes() -> None:
    """S1: and what was loading there goes on when it does."""
    load = Load()
    bound = add.with_inputs(load())
    loop = VirtualLoop()
    loop.run_until_complete(cancelled_after(0.5, bound([1])))
    assert loop.run_until_complete(bound([1]).collect()) == [11]
    assert load.started == 1
    loop.close()


# -- (a) threads


def in_threads(*programs: Callable[[], Any]) -> list[Any]:
    """Run each program in a thread of its own, all at once."""
    with ThreadPoolExecutor(len(programs)) as pool:
        return [future.result(timeout=20) for future in [pool.submit(p) for p in programs]]


class Meeting:
    """A loader that ends when so many runs wait for what it gives."""

    def __init__(self, runs: int) -> None:
        self.missing = runs
        self.started = 0

    def items(self, number: int) -> Iterator[int]:
        yield number
        self.missing -= 1

    async def __call__(self) -> int:
        self.started += 1
        while self.missing:  # noqa: ASYNC110  # other threads see to it
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        return 10


@tasks
@pytest.mark.parametrize("kind", ["coroutine", "stream"])
def test_runs_in_several_threads_share_what_one_of_them_loads(kind: str, task: Any) -> None:
    """S1: loaded once, whichever loop comes first; the others are told."""
    load = Meeting(4)
    bound = task.with_inputs(load() if kind == "coroutine" else AsyncStream(_Of(load)))  # type: ignore[arg-type]
    with assert_clean():
        found = in_threads(
            *[lambda n=n: asyncio.run(bound(load.items(n)).collect()) for n in range(4)]
        )
    assert found == [[10], [11], [12], [13]]
    assert load.started == 1


def test_the_loading_loop_ends_while_another_waits() -> None:
    """S1: it is loaded anew there, if it can be had again."""
    both, left = threading.Event(), threading.Event()
    started: list[str] = []

    async def load() -> AsyncIterator[int]:
        started.append(threading.current_thread().name)
        while len(started) == 1:  # noqa: ASYNC110  # another thread ends it
            await asyncio.sleep(0)
        yield 10

    class Loads:
        def __aiter__(self) -> AsyncIterator[int]:
            return load()

    bound = add.with_inputs(AsyncStream(Loads()))

    def waiting() -> Iterator[int]:
        yield 2
        both.set()

    async def first() -> None:
        reader = asyncio.ensure_future(bound([1]).collect())
        while not both.is_set():
            if started and not left.is_set():
                left.set()  # the second may come
            await asyncio.sleep(0)
        reader.cancel()

    def second() -> list[int]:
        left.wait(10)
        return asyncio.run(bound(waiting()).collect())

    assert in_threads(lambda: asyncio.run(first()), second)[1] == [12]
    assert len(started) == 2


def test_a_future_of_another_threads_loop() -> None:
    """S1: the user's own future is waited for across loops, and stays the user's."""
    ready = threading.Event()
    made: list[asyncio.Future[int]] = []

    async def owner() -> int:
        made.append(asyncio.get_running_loop().create_future())
        ready.set()
        while not waiting:  # noqa: ASYNC110  # another thread ends it
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        made[0].set_result(10)
        return await made[0]

    waiting: list[int] = []

    def items() -> Iterator[int]:
        yield 1
        waiting.append(1)

    def user() -> list[int]:
        ready.wait(10)
        return asyncio.run(add.with_inputs(made[0])(items()).collect())

    assert in_threads(lambda: asyncio.run(owner()), user) == [10, [11]]


def test_a_future_whose_loop_is_gone() -> None:
    """S1: that can't be done any more: an error that says so, no hang."""
    loop = VirtualLoop()
    future: asyncio.Future[int] = loop.create_future()
    loop.close()
    with pytest.raises(RuntimeError, match="its event loop doesn't run"):
        run(lambda: add.with_inputs(future)([1]).collect())


def test_generator_shared_by_threads() -> None:
    """S2: its `anext` never overlap, and nothing is bound to the first loop that waits."""
    busy = 0

    async def tens() -> AsyncIterator[int]:
        nonlocal busy
        for number in range(10, 2000, 10):
            busy += 1
            assert busy == 1
            await asyncio.sleep(0)
            busy -= 1
            yield number

    @single_task(concurrency_limit=5)
    async def pair(x: int, other: Any) -> int:
        return await anext(other)

    generator = tens()
    bound = pair.with_inputs(generator)

    def program() -> list[int]:
        loop = asyncio.new_event_loop()  # `asyncio.run` would close the generator at its end
        try:
            return loop.run_until_complete(bound(range(40)).collect())
        finally:
            loop.close()

    found = in_threads(*[program] * 4)
    values = [value for values in found for value in values]
    assert sorted(values) == list(range(10, 1610, 10))
    assert all(values == sorted(values) for values in found)
    asyncio.run(generator.aclose())


def test_generator_on_two_loops_one_after_the_other() -> None:
    """S2: with calls that wait for their turn on both."""

    async def tens() -> AsyncIterator[int]:
        for number in range(10, 100, 10):
            await asyncio.sleep(1)
            yield number

    @single_task
    async def pair(x: int, other: Any) -> tuple[int, int]:
        return x, await anext(other)

    generator = tens()
    bound = pair.with_inputs(generator)
    with VirtualLoopRunner() as go:
        assert go(bound([1, 2]).collect()) == [(1, 10), (2, 20)]
    with VirtualLoopRunner() as go:
        assert go(bound([1, 2]).collect()) == [(1, 30), (2, 40)]
        go(generator.aclose())


class VirtualLoopRunner:
    """A loop as `asyncio.run` makes one, but one that leaves shared generators alone."""

    def __enter__(self) -> Callable[[Any], Any]:
        self.loop = VirtualLoop()
        return self.loop.run_until_complete

    def __exit__(self, *exc_info: object) -> None:
        self.loop.close()
