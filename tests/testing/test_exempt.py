"""What is meant to live on: it may be left behind, and nothing else."""

import asyncio
import concurrent.futures
import multiprocessing
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from conveyor_rx.testing import LeakError, assert_clean, exempt, run


def test_a_task() -> None:
    """The exempted task may stay, its neighbour may not."""

    async def main() -> None:
        async with assert_clean():
            task = asyncio.create_task(asyncio.sleep(1000), name="mine")
            exempt(task)
        with pytest.raises(LeakError) as caught:
            async with assert_clean():
                other = asyncio.create_task(asyncio.sleep(1000), name="other")
        assert "'other'" in str(caught.value)
        assert "'mine'" not in str(caught.value)
        other.cancel()

    run(main)


def test_a_task_in_a_run_that_is_checked() -> None:
    """Under `run`, and so in a test that the plugin runs: the end of the loop cancels it."""
    ended: list[str] = []

    async def stay() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("stay")

    async def main() -> None:
        exempt(asyncio.create_task(stay()))
        await asyncio.sleep(1)

    run(main)
    assert ended == ["stay"]


def test_an_async_generator() -> None:
    """One that has begun and is read later."""

    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> None:
        generator: Any = numbers()
        async with assert_clean():
            assert await anext(generator) == 1
            exempt(generator)
        await generator.aclose()

    run(main)


def test_a_thread() -> None:
    """One that goes on."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    with assert_clean():
        thread.start()
        exempt(thread)
    stop.set()
    thread.join()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_an_executor(kind: str) -> None:
    """Its threads come while it works, also after it was exempted."""
    if kind == "threads":
        executor: Executor = ThreadPoolExecutor(2)
    else:
        spawn = multiprocessing.get_context("spawn")
        executor = concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn)
    with executor:
        exempt(executor)

        async def main() -> int:
            return await asyncio.get_running_loop().run_in_executor(executor, max, 1, 2)

        assert run(main) == 2
        with assert_clean():
            assert executor.submit(max, 3, 4).result() == 4


def test_errors_of_what_is_exempted_are_told() -> None:
    """L5: it may stay, and fail as little as anything else."""

    async def main() -> None:
        async def fail() -> None:
            raise ValueError("unseen")

        task = asyncio.create_task(fail())
        exempt(task)
        await asyncio.sleep(1)

    with pytest.raises(LeakError, match="never retrieved"):
        run(main)


def test_other_things_are_refused() -> None:
    """A coroutine, say, can't be exempted."""
    with pytest.raises(TypeError, match="not str"):
        exempt("task")  # type: ignore[arg-type]
