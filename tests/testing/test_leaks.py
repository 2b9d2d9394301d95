"""The clean check: it sees each kind of leak, and nothing where there is none."""

import asyncio
import gc
import socket
import sys
import threading
import time
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

import pytest

from conveyor_rx.testing import LeakError, assert_clean, run

kept: list[object] = []


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    yield
    for each in kept:
        if isinstance(each, threading.Event):
            each.set()
    kept.clear()


async def numbers() -> AsyncGenerator[int]:
    yield 1
    yield 2


async def leave_a_task() -> None:
    kept.append(asyncio.create_task(asyncio.sleep(9), name="left"))


async def leave_an_async_generator() -> None:
    generator = numbers()
    kept.append(generator)
    await anext(generator)


async def leave_a_thread() -> None:
    release = threading.Event()
    kept.append(release)
    threading.Thread(target=release.wait, name="left").start()


async def fail(message: str = "unseen") -> None:
    raise ValueError(message)


async def leave_an_exception() -> None:
    cycle: list[object] = [asyncio.create_task(fail())]  # so that only the collector finds it
    cycle.append(cycle)
    await asyncio.sleep(1)


async def leave_a_coroutine() -> None:
    asyncio.sleep(1)


async def leave_a_socket() -> None:
    socket.socket()


async def raise_in_a_callback() -> None:
    asyncio.get_running_loop().call_soon(int, "x")
    await asyncio.sleep(1)


async def raise_in_del() -> None:
    class Bad:
        def __del__(self) -> None:
            raise ValueError("unraisable")

    Bad()


async def raise_in_a_thread() -> None:
    def work() -> None:
        raise ValueError("in a thread")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


LEAKS = [
    (leave_a_task, "task 'left': sleep (asyncio/tasks.py:"),
    (leave_an_async_generator, "async generator 'numbers': numbers (testing/test_leaks.py:"),
    (leave_a_thread, "thread 'left'"),
    (leave_an_exception, "Task exception was never retrieved: ValueError('unseen')"),
    (leave_a_coroutine, "coroutine 'sleep' was never awaited"),
    (leave_a_socket, "ResourceWarning: unclosed <socket"),
    (raise_in_a_callback, "Exception in callback"),
    (raise_in_del, "ValueError('unraisable')"),
    (raise_in_a_thread, "raised ValueError('in a thread')"),
]


@pytest.mark.parametrize(("leak", "message"), LEAKS)
def test_run_sees_each_leak(leak: Callable[[], Awaitable[None]], message: str) -> None:
    """A run that leaves something behind fails, and says what."""
    with pytest.raises(LeakError) as caught:
        run(leak)
    assert message in str(caught.value)
    assert len(caught.value.complaints) == 1


@pytest.mark.parametrize(("leak", "message"), LEAKS)
def test_a_block_in_a_real_loop_sees_each_leak(
    leak: Callable[[], Awaitable[None]], message: str
) -> None:
    """`async with assert_clean()` is of use on any loop."""

    async def main() -> None:
        async with assert_clean():
            await leak()

    with pytest.raises(LeakError) as caught:
        asyncio.run(main())
    assert message in str(caught.value)


def test_a_block_outside_any_loop_sees_threads_and_unseen_errors() -> None:
    """`with assert_clean()` stands around a whole run."""
    for leak in (leave_a_thread, leave_an_exception, leave_a_coroutine, raise_in_a_thread):
        with pytest.raises(LeakError), assert_clean():
            asyncio.run(leak())


def test_a_clean_run_is_clean() -> None:
    """What is awaited, closed or ends at the same instant is not left behind."""

    async def main() -> int:
        await asyncio.to_thread(time.sleep, 0.01)
        async for number in numbers():
            kept.append(asyncio.create_task(asyncio.sleep(0)))  # ends without time passing
            return number  # the generator dies here and is closed by the loop
        return 0

    assert run(main) == 1


def test_what_was_there_before_is_none_of_its_business() -> None:
    """Tasks, generators, threads and garbage from before the block are not its leaks."""

    async def main() -> None:
        generator = numbers()
        await anext(generator)
        before = asyncio.create_task(asyncio.sleep(9))
        async with assert_clean():
            await asyncio.sleep(1)
        before.cancel()
        await generator.aclose()

    run(main)


def test_a_failing_run_keeps_its_exception() -> None:
    """The leak becomes a note of the exception that caused it."""

    async def main() -> None:
        await raise_in_a_thread()
        raise KeyError("mine")

    with pytest.raises(KeyError) as caught:
        run(main)
    assert any("in a thread" in note for note in caught.value.__notes__)


def test_other_warnings_go_their_way() -> None:
    """Only warnings of leaks are its business."""

    async def main() -> None:
        warnings.warn("of the user", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="of the user"):
        run(main)


def test_all_hooks_are_put_back() -> None:
    """After the check the interpreter is as it was before."""

    def hooks() -> list[object]:
        return [sys.unraisablehook, threading.excepthook, warnings.showwarning, warnings.filters]

    before = hooks()
    frozen = gc.get_freeze_count()
    with pytest.raises(LeakError):
        run(leave_a_coroutine)
    assert hooks() == before
    assert gc.get_freeze_count() <= frozen


def test_without_check_leaks_pass() -> None:
    """`check=False` leaves all that to asyncio."""
    run(leave_a_task, check=False)
