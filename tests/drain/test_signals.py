"""Does a program that gets a signal finish its work? W1 of the contract, in a process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from conveyor_rx import SingleTask
from tests.kit import ROOT, Endless, same

PROGRAM = """
import asyncio, signal, sys
from itertools import count
from conveyor_rx import batch_task, single_task

pulled = 0

def numbers():
    global pulled
    try:
        for number in count():
            pulled += 1
            yield number
    finally:
        print("closed", flush=True)

@single_task(concurrency_limit=4)
async def work(number):
    if number == 8:
        print("ready", flush=True)
    await asyncio.sleep(0.01)
    return number

@batch_task(max_size=1000)
async def store(numbers):
    await asyncio.sleep(0.05)
    return numbers

async def main():
    stream = (work | store).with_context(max_in_flight=50)(numbers())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stream.drain)
    results = await stream.collect()
    print("all" if results == list(range(pulled)) and pulled > 8 else (pulled, results))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="its loops have no signal handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.real_time("a signal is sent to a process")
def test_a_signal_drains_a_stream(number: signal.Signals) -> None:
    """W1: SIGTERM and Ctrl-C, by `loop.add_signal_handler`; nothing that was pulled is lost."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        rest = process.stdout.read()
    assert (rest, process.returncode) == ("closed\nall\n", 0)


@pytest.mark.real_time("another thread drains")
async def test_another_thread_may_drain() -> None:
    """W2: it is handed to the loop."""
    source = Endless()

    async def work(item: int) -> int:
        await asyncio.sleep(0.001)
        return item

    stream = (same | SingleTask(work)).with_context(max_in_flight=3)(source)
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.05)
    await asyncio.to_thread(stream.drain, 60)
    got = await reading
    assert got == [*range(source.pulled)]
    assert source.closed == 1
