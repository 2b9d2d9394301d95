"""The virtual loop and what works outside it: threads, processes and sockets, in real time."""

import asyncio
import concurrent.futures
import socket
import threading
import time

import pytest

from conveyor_rx.testing import Deadlock, VirtualLoop, run
from tests.kit import now


def test_the_clock_stands_still_while_threads_work() -> None:
    """A timer doesn't overtake work in a thread, though the work takes real time."""

    async def main() -> float:
        nap = asyncio.create_task(asyncio.sleep(0.001))
        assert await asyncio.to_thread(time.sleep, 0.1) is None
        assert not nap.done()
        after_work = now()
        await nap
        return after_work

    start = time.perf_counter()
    assert run(main) == 0.0
    assert time.perf_counter() - start >= 0.1


def test_other_executors_count_as_work() -> None:
    """The loop waits in real time for any executor, of processes as well."""

    async def main() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            loop.call_later(5, print)
            return await loop.run_in_executor(pool, max, 1, 2), now()

    assert run(main) == (2, 0.0)


def test_patience_ends_when_a_thread_waits_for_a_timer() -> None:
    """A thread that needs the clock to move gets it after `patience` real seconds."""

    async def main() -> float:
        loop = asyncio.get_running_loop()

        def wait_for_the_loop() -> None:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(7), loop).result()

        await asyncio.to_thread(wait_for_the_loop)
        return now()

    assert run(main, patience=0.05) == 7.0


def test_a_cancelled_job_holds_the_clock_no_longer() -> None:
    """Once nobody waits for a thread, time goes on."""
    release = threading.Event()

    async def main() -> float:
        job = asyncio.create_task(asyncio.to_thread(release.wait))
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.sleep(100)
        release.set()
        return now()

    start = time.perf_counter()
    assert run(main) == 100.0
    assert time.perf_counter() - start < 2


def test_call_soon_threadsafe_wakes_the_loop() -> None:
    """A thread of the test's own wakes the loop; it is no deadlock while it lives."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()

        def wake() -> None:
            time.sleep(0.1)
            loop.call_soon_threadsafe(woken.set_result, "woken")

        thread = threading.Thread(target=wake)
        thread.start()
        result = await woken
        thread.join()
        return result

    assert run(main) == "woken"


def test_outside_work_holds_the_clock() -> None:
    """A block that waits for a thread of the test's own comes before any timer."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        woken = asyncio.Event()
        timer = threading.Timer(0.1, loop.call_soon_threadsafe, (woken.set,))
        timer.start()
        with loop.outside_work():
            async with asyncio.timeout(1):
                await woken.wait()
        timer.join()
        return now()

    assert run(main) == 0.0


def test_a_thread_that_never_wakes_the_loop_is_a_deadlock_in_the_end() -> None:
    """A living thread delays Deadlock by `patience` real seconds, no longer."""
    release = threading.Event()

    async def main() -> None:
        threading.Thread(target=release.wait, daemon=True).start()
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run(main, patience=0.1, check=False)
    release.set()


async def test_sockets_work() -> None:
    """Data that is on its way through a socket is no deadlock."""
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        reader = asyncio.create_task(loop.sock_recv(right, 10))
        await asyncio.sleep(1)
        sender = threading.Timer(0.1, left.send, (b"hello",))
        sender.start()
        assert await reader == b"hello"
        sender.join()
