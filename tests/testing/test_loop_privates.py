"""The private side of asyncio that the kit uses still is as it was."""

import asyncio
import asyncio.base_events
import inspect
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def test_the_event_loop_has_the_attributes_that_the_virtual_loop_uses() -> None:
    """If this fails on a new Python, conveyor_rx/testing/_loop.py must change with it."""
    loop: Any = asyncio.SelectorEventLoop()
    try:
        handle = loop.call_soon(list)
        assert isinstance(loop._ready, deque)
        assert list(loop._ready) == [handle]
        assert loop._stopping is False
        assert loop._default_executor is None
        assert isinstance(loop._asyncgens, weakref.WeakSet)
        assert callable(handle._run)
        assert list(inspect.signature(loop._process_events).parameters) == ["event_list"]
        assert not inspect.signature(loop._check_closed).parameters
    finally:
        loop.close()
    assert isinstance(ThreadPoolExecutor()._threads, set)


def test_the_self_pipe_is_made_and_closed_in_methods_of_its_own() -> None:
    """If this fails on a new Python, conveyor_rx/testing/_self_pipe.py must change with it."""
    loop: Any = asyncio.SelectorEventLoop()
    try:
        loop._remove_reader(loop._ssock.fileno())
        assert loop._ssock is not None
        loop._close_self_pipe = loop._make_self_pipe = list
        loop._ssock.close()
        loop._csock.close()
        loop._ssock = loop._csock = None
        loop._write_to_self()
    finally:
        loop.close()


def test_the_event_loop_runs_by_calling_run_once() -> None:
    """run_forever calls `_run_once()` until `_stopping` is set."""

    class Loop(asyncio.SelectorEventLoop):
        def _run_once(self) -> None:
            turns.append(1)
            if len(turns) == 3:
                self.stop()

    turns: list[int] = []
    loop = Loop()
    loop.run_forever()
    loop.close()
    assert len(turns) == 3


def test_an_executor_job_goes_to_the_executor_by_run_in_executor() -> None:
    """`to_thread` comes through `run_in_executor`, where the virtual loop counts jobs."""
    assert "run_in_executor" in inspect.getsource(asyncio.to_thread)
