"""What if the interpreter exits, or forks, while results are half read? S7 of the contract."""

from __future__ import annotations

import os
import sys

import pytest

from tests.synchronous.kit import in_threads, run_program

pytestmark = in_threads

PROGRAM = """
    import asyncio, itertools, sys
    from conveyor_rx import collect, iterate, single_task

    ended = []

    @single_task(concurrency_limit=3)
    async def work(number):
        try:
            await asyncio.sleep(SECONDS)
            return number
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)  # the exit waits for it
            raise
        finally:
            ended.append(number)

    async def source():
        try:
            for number in itertools.count():
                yield number
        finally:
            print(f"closed {len(ended) > 0}\\n", end="")  # at once, as several threads write

    results = iterate(work(source()))
"""
WAYS = {
    "half read": "next(results); next(results)",
    "many": "kept = [iterate(work(source())) for _ in range(5)]; [next(each) for each in kept]",
    "in a loop": """
        for number in results:
            if number == 20:
                sys.exit()""",
    "in a function": """
        def main():
            for number in results:
                if number == 20:
                    return sys.exit(0)
        main()""",
    "in a cycle": "cycle = [results]; cycle.append(cycle); next(results); del results, cycle",
    "dropped": "next(results); del results",
    "not begun": "print('closed True')",
    "in a thread of one's own": """
        import threading
        thread = threading.Thread(target=lambda: next(results))
        thread.start(); thread.join()""",
    "while a thread reads": """
        import threading, time
        threading.Thread(target=lambda: list(results), daemon=True).start()
        time.sleep(0.2)""",
    "with a thread at work": """
        import time
        @single_task(concurrency_limit=3)
        async def in_thread(number):
            await asyncio.to_thread(time.sleep, 0.05)
            return number
        results = iterate((in_thread | work)(source()))
        next(results)""",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seconds", [0, 0.01])
def test_exit_with_half_read_results(way: str, seconds: float) -> None:
    """S7, L5: their runs are closed and awaited; the process ends, and says nothing on stderr."""
    program = (
        PROGRAM.replace("SECONDS", str(seconds)) + "\n    " + WAYS[way].replace("\n    ", "\n")
    )
    status, out, err = run_program(program)
    assert err == ""
    assert status == 0
    assert out.splitlines() == ["closed True"] * (5 if way == "many" else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.skipif(sys.platform == "darwin", reason="a fork beside threads is no good there")
def test_after_a_fork() -> None:
    """S7: results that are half read stay with the parent; in the child a new run works."""
    program = """
        import gc, os, warnings
        from conveyor_rx import collect, iterate, single_task
        from itertools import count

        @single_task(concurrency_limit=3)
        async def double(number):
            return number * 2

        def raised(function):
            try:
                return function()
            except RuntimeError as error:
                return str(error)

        results, others, more = (iterate(double(count())) for _ in range(3))
        got = [next(results) for _ in range(5)]
        next(others), next(more)
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
        child = os.fork()
        if not child:
            results._group.clear()  # what had crossed the threads is there
            print(raised(lambda: next(results)))
            results.close()
            print(next(results, "the end"))
            del others
            gc.collect()
            print(collect(double([1, 2])), flush=True)
            raise SystemExit
        status = os.waitpid(child, 0)[1]
        print(status, [next(results) for _ in range(100)] == list(range(10, 210, 2)))
    """
    status, out, err = run_program(program)
    assert err == ""
    assert status == 0
    assert out.splitlines() == [
        "these results come from a run in the process that this one was forked from; begin anew",
        "the end",
        "[2, 4]",
        "0 True",
    ]
