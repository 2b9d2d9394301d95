"""Calls in interpreters are made as in processes, but within this one.

A pool stands for that of Python 3.14: it pickles whatever goes in or out, as that one does, and its
interpreters are threads.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from conveyor_rx import Pipeline, PipelineContext, SingleTask, Workers, single_task
from conveyor_rx._workers import pools
from conveyor_rx.events import Event, observe
from conveyor_rx.workers import RemoteError
from tests.executors import functions as f
from tests.executors.kit import in_real_time
from tests.kit import Boom

NAME = "InterpreterPoolExecutor"
PLACE = threading.local()  # which interpreter a thread is


class Pool(ThreadPoolExecutor):
    made: list[Pool] = []  # noqa: RUF012  # of all tests, each of which begins with none

    def __init__(self, max_workers: int) -> None:
        super().__init__(max_workers)
        self.made.append(self)
        self.is_shut_down = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(call, pickle.dumps((fn, args, kwargs)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        self.is_shut_down = wait


def call(parcel: bytes) -> Any:
    PLACE.number = threading.get_ident()
    function, args, kwargs = pickle.loads(parcel)
    return pickle.loads(pickle.dumps(function(*args, **kwargs)))


BEGUN, ENDED = threading.Event(), threading.Event()


def begin_and_end(number: int) -> int:
    """Say so when it begins, and when it ends, of a call for all numbers but 0."""
    if number:
        BEGUN.set()
        time.sleep(0.1)
        ENDED.set()
    return number


@pytest.fixture
def interpreters(monkeypatch: pytest.MonkeyPatch) -> type[Pool]:
    module = SimpleNamespace(
        get_main=lambda: SimpleNamespace(id=0),
        get_current=lambda: SimpleNamespace(id=getattr(PLACE, "number", 0)),
    )
    monkeypatch.setitem(sys.modules, "concurrent.interpreters", module)
    monkeypatch.setattr(futures, NAME, Pool, raising=False)
    monkeypatch.setattr(pools, "_Interpreters", Pool)
    monkeypatch.setattr(Pool, "made", [])
    return Pool


@pytest.mark.skipif(hasattr(futures, NAME), reason="this Python has interpreters")
def test_a_python_that_has_none() -> None:
    """X1: the name is refused when the task is decorated, and why is said."""
    lack = "this build has none" if sys.version_info >= (3, 14) else "this is 3\\.1[123]"
    with pytest.raises(ValueError, match=f"executor='interpreters' needs .* 3.14; {lack}"):
        single_task(executor="interpreters")(f.double)
    with pytest.raises(ValueError, match=f"kind='interpreters' needs .* 3.14; {lack}"):
        Workers("interpreters")


@in_real_time
@pytest.mark.parametrize("chunk", [1, 4])
async def test_a_run(interpreters: type[Pool], chunk: int) -> None:
    """X1, X3, X5: results in order; the interpreters end with the run."""
    stream = SingleTask(f.double, executor=Workers("interpreters", 2, chunk=chunk))(range(40))
    assert await stream.collect() == [2 * number for number in range(40)]
    (pool,) = interpreters.made
    assert pool._max_workers == 2
    assert pool.is_shut_down


@in_real_time
async def test_failures(interpreters: type[Pool]) -> None:
    """X6: those of calls, and of what can't travel, as from processes."""
    task = SingleTask(f.obey, executor="interpreters")
    for order, kind in {"fail": Boom, "bad error": RemoteError, "unsendable": TypeError}.items():
        with pytest.raises(kind) as caught:
            await task([1, order]).collect()
        assert "in task 'obey', input 1, attempt 1" in caught.value.__notes__


@in_real_time
async def test_what_is_there(interpreters: type[Pool]) -> None:
    """X8: no context variables of the run; nor the `__main__` of this process."""
    pipeline = Pipeline[Any, Any](PipelineContext(data={"word": "hello"}))
    has = pipeline.add(SingleTask(f.has_context, executor="interpreters"))
    assert await has([1]).collect() == [False]
    assert Workers("interpreters").pool()[0].has_main is False
    assert Workers(interpreters(1)).pool()[0].has_main is False


@in_real_time
async def test_a_setup(interpreters: type[Pool]) -> None:
    """X7: what it gives is the second argument."""
    with Workers("interpreters", 1, setup=f.forty) as workers:
        task = SingleTask(f.add_state, executor=workers)
        assert await task(range(3)).collect() == [40, 41, 42]
        assert await task(range(3)).collect() == [40, 41, 42]
        assert len(interpreters.made) == 1
    assert interpreters.made[0].is_shut_down


@in_real_time
async def test_a_pool_of_the_users(interpreters: type[Pool]) -> None:
    """X3: calls are sent there pickled, and the pool is not shut down."""
    with interpreters(2) as pool:
        item: list[int] = []
        (got,) = await SingleTask(f.obey, executor=pool, flatten=False)([item]).collect()
        assert got == item
        assert got is not item
        assert not pool.is_shut_down


@in_real_time
@pytest.mark.parametrize("is_own", [True, False])
async def test_a_close_waits(interpreters: type[Pool], is_own: bool) -> None:
    """X4: a call that an interpreter has begun can't be ended; the end of the run waits for it."""
    BEGUN.clear()
    ENDED.clear()
    with Workers("interpreters", 1) if is_own else interpreters(1) as workers:
        stream = SingleTask(begin_and_end, executor=workers)([0, 1, 2, 3, 4])
        async for _ in stream:
            break
        await asyncio.to_thread(BEGUN.wait)
        await stream.aclose()
        assert ENDED.is_set()


@in_real_time
async def test_names(interpreters: type[Pool]) -> None:
    """P4: the interpreters of a process can be told apart."""
    names: set[str] = set()

    def note(event: Event) -> None:
        if event.kind == "call_ended":
            names.add(event.worker)

    with observe(note):
        await SingleTask(f.obey, executor=Workers("interpreters", 2))([0.05] * 6).collect()
    assert len(names) == 2
    assert all(name.startswith("interpreter ") for name in names)
