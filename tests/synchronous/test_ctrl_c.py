"""What does Ctrl-C do to code that waits for a result? S7 of the contract, in real processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.synchronous.kit import in_threads, popen

pytestmark = [
    in_threads,
    pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to one process there"),
]

PATIENCE = 3.0  # seconds from the last signal to the end, on a busy machine
PROGRAM = """
    import asyncio, itertools, signal, time
    from conveyor_rx import collect, iterate, single_task

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
    way, clean_up = {way!r}, {clean_up}
    calls = set()

    def say(word):
        print(word + "\\n", end="", flush=True)  # at once, as two threads write

    @single_task(concurrency_limit=5)
    async def work(number):
        if number < 20 and way != "collect":
            return number
        calls.add(number)
        if len(calls) == 5:
            say("ready")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            say("cleaning")
            await asyncio.sleep(clean_up)
            raise
        finally:
            calls.discard(number)

    async def source():
        try:
            for number in itertools.count():
                yield number
        finally:
            say("closed")

    stream = work(source())
    try:
        if way == "collect":
            collect(stream)
        elif way == "with":
            with iterate(stream) as results:
                for number in results:
                    pass
        elif way == "busy":
            for number in iterate(stream):
                if number == 19:
                    say("busy")
                    while True:
                        time.sleep(0.001)
        else:
            for number in iterate(stream):
                pass
    except KeyboardInterrupt:
        say(f"{{len(calls)}} calls left")
        raise
"""


def interrupt(way: str, *, clean_up: float = 0, twice: bool = False) -> tuple[list[str], float]:
    """Run, interrupt, and return what was said from then on, and how long it took."""
    with popen(PROGRAM.format(way=way, clean_up=clean_up)) as process:
        try:
            assert process.stdout is not None
            expected = "busy\n" if way == "busy" else "ready\n"
            while process.stdout.readline() != expected:
                assert process.poll() is None
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            if twice:
                while process.stdout.readline() != "cleaning\n":
                    assert process.poll() is None
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
            begun = time.monotonic()
            try:
                out, err = process.communicate(timeout=PATIENCE + clean_up)
            except subprocess.TimeoutExpired:
                raise AssertionError("still running") from None
        finally:
            process.kill()
    seconds = time.monotonic() - begun
    assert err.rstrip().endswith("KeyboardInterrupt"), err
    assert err.count("Traceback") == (2 if twice else 1), err
    for complaint in ("never retrieved", "pending", "never awaited", "ignored", "ResourceWarning"):
        assert complaint not in err
    assert process.returncode == -signal.SIGINT
    return out.split("\n")[:-1], seconds


@pytest.mark.parametrize("way", ["iterate", "with", "collect"])
def test_ctrl_c_while_a_result_is_waited_for(way: str) -> None:
    """S7, L2: KeyboardInterrupt at once, and when it is raised every call has ended."""
    said, seconds = interrupt(way)
    assert said[-1] == "0 calls left"
    assert "closed" in said
    assert seconds < PATIENCE


def test_ctrl_c_while_the_consumer_works() -> None:
    """S7: the results are dropped; at the exit their run is closed and awaited, without a noise."""
    said, _ = interrupt("busy", clean_up=0.3)
    assert "closed" in said


def test_ctrl_c_twice() -> None:
    """S7: the second one cuts the clean-up of the calls short."""
    _, seconds = interrupt("iterate", clean_up=30, twice=True)
    assert seconds < PATIENCE
