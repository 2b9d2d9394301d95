"""What keeps a subscription whose disposable is dropped? Its task, or what it waits for."""

from __future__ import annotations

import asyncio
import gc
import inspect
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.disposable import Disposable

from conveyor_rx import AsyncStream, BatchTask, SingleTask, single_task
from conveyor_rx.testing import VirtualLoop, run
from tests.kit import Own

Chain = Callable[[Any], AsyncStream[Any]]
SEEDS = (None, 1, 2, 3, 4)


@single_task
async def echo(item: Any) -> Any:
    return item


@single_task
async def slow(item: Any) -> Any:
    await asyncio.sleep(1)
    return item


async def numbers() -> AsyncIterator[int]:
    for number in range(4):
        await asyncio.sleep(0.25)
        yield number


def emit(observer: Any, scheduler: Any = None) -> Any:
    """Emit a number every quarter of a second, from timers, and nothing before that."""
    loop = asyncio.get_running_loop()
    timers = [loop.call_later(0.25 * (n + 1), observer.on_next, n) for n in range(4)]
    timers.append(loop.call_later(1.25, observer.on_completed))

    def dispose() -> None:
        for timer in timers:
            timer.cancel()

    return Disposable(dispose)


SOURCES: dict[str, Callable[[], Any]] = {
    "iterable": lambda: range(4),
    "async iterable": numbers,
    "observable": lambda: rx.create(emit),
    "observable that emits at once": lambda: rx.of(0, 1, 2, 3),
    "one item": lambda: 7,
}

CHAINS: dict[str, Chain] = {
    "one stage": slow,
    "def": SingleTask(lambda item: item),
    "two stages": slow | echo,
    "sequential": SingleTask(slow.func, concurrency_limit=1),
    "batches": slow | BatchTask(lambda batch: batch, 1, 2),
    "own": slow | Own(),
    "operator inside": slow | ops.filter(lambda _: True) | echo,
    "as completed": slow.as_completed,
    "derived": lambda data: slow(data).filter(lambda _: True),
    "stream of a stream": lambda data: echo(slow(data)),
    "stream of a derived stream": lambda data: echo(slow(data).filter(lambda _: True)),
    "stream of a derived stream that is cut off": lambda data: echo(slow(data).take(1)),
    "derived from a derived stream": lambda data: echo(echo(slow(data).map(str)).skip(1)).map(str),
    "stream of streams": lambda data: echo(echo(echo(echo(slow(data))))),
    "tasks in a pipe": lambda data: AsyncStream(data).pipe(slow, echo),
    "tasks and operators in a pipe": lambda data: AsyncStream(data).pipe(slow, ops.skip(1), echo),
    "wrapped": lambda data: AsyncStream(AsyncStream(slow(data))),
    "merged": lambda data: echo(rx.merge(slow(data).take(2), slow([1, 2, 3]))),
    "flattened": lambda data: echo(slow(data).flat_map(lambda item: slow([item]))),
    "behind Rx": lambda data: rx.defer(lambda _: slow(data)).pipe(ops.skip(1), echo),
}
of_each_chain = pytest.mark.parametrize("chain", CHAINS.values(), ids=list(CHAINS))
of_each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))


def emitted(
    make: Callable[[], AsyncStream[Any]], *, kept: bool, collects: bool, seed: int | None
) -> list[Any]:
    """Give what an observer of the stream is told, if the collector runs at every step or never."""
    got: list[Any] = []

    async def main() -> None:
        subscription: Any = make().subscribe(
            got.append, lambda error: got.append(repr(error)), lambda: got.append("|")
        )
        if not kept:
            del subscription
        await asyncio.sleep(20)

    def collect(loop: VirtualLoop) -> None:
        if collects:
            gc.collect()

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        run(main, on_step=collect, seed=seed)
    finally:
        if was_enabled:
            gc.enable()
    return got


@pytest.mark.usefixtures("small_heap")
@of_each_chain
@of_each_source
def test_a_subscription_goes_on_when_it_is_dropped(chain: Chain, source: Callable[[], Any]) -> None:
    """L6, L8: with the collector off and at work at every step, in whatever order those come."""
    for seed in SEEDS:
        whole = emitted(lambda: chain(source()), kept=True, collects=False, seed=seed)
        assert whole[-1] == "|"
        for kept, collects in ((True, True), (False, False), (False, True)):
            got = emitted(lambda: chain(source()), kept=kept, collects=collects, seed=seed)
            assert got == whole, (seed, kept, collects)


@pytest.mark.usefixtures("small_heap")
@of_each_chain
def test_a_subscription_that_is_dropped_hears_of_a_cancellation(chain: Chain) -> None:
    """L7: of its task, at any turn, before it begins as well; with the collector at work."""
    for turns in range(6):
        got: list[Any] = []

        async def main() -> None:
            chain(range(4)).subscribe(
                on_error=got.append,  # noqa: B023  # run in this turn only
                on_completed=lambda: got.append("|"),  # noqa: B023
            )
            for _ in range(turns):  # noqa: B023
                await asyncio.sleep(0)
            for task in asyncio.all_tasks():
                if task.get_name() == "subscription to a stream":
                    task.cancel("ours")
            await asyncio.sleep(20)

        run(main, on_step=lambda _: bool(gc.collect()))
        assert len(got) == 1, turns
        if got != ["|"] or chain is not CHAINS["def"]:  # which may have ended before that
            assert (type(got[0]), got[0].args) == (asyncio.CancelledError, ("ours",)), turns


WAITING = ("one stage", "def", "two stages", "sequential", "batches", "operator inside", "derived")


@pytest.mark.parametrize("name", WAITING)
@pytest.mark.parametrize("turns", range(6))
async def test_a_dropped_subscription_that_waits_for_nothing_is_free(name: str, turns: int) -> None:
    """L9, L5: a source that never says a word, and that nobody holds, goes with its run."""

    class Silent(Observable[Any]):
        """Holds who is subscribed to it."""

        def _subscribe_core(self, observer: Any, scheduler: Any = None) -> Any:
            self.observer = observer
            return Disposable()

    silent = Silent()
    seen = weakref.ref(silent)
    told: list[Any] = []
    CHAINS[name](silent).subscribe(told.append, told.append, lambda: told.append("|"))
    del silent
    for _ in range(turns):
        await asyncio.sleep(0)
        gc.collect()
    await asyncio.sleep(1)
    gc.collect()
    await asyncio.sleep(1)
    assert seen() is None
    assert told == []
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("begun", [False, True])
def test_who_waits_for_the_end_of_a_failed_subscription_is_cancelled(begun: bool) -> None:
    """L2, L7: before it begins, or later: the end is told all the same, when all has ended."""
    told: list[Any] = []
    cancelled: list[Any] = []

    async def fail(item: int) -> None:
        try:
            await asyncio.sleep(item)
            raise ValueError(item)
        except asyncio.CancelledError:
            await asyncio.sleep(0.25)
            raise

    async def main() -> None:
        def inner(item: int) -> Observable[Any]:
            return SingleTask(fail)([1, 2])

        loop = asyncio.get_running_loop()
        echo([0]).flat_map(inner).subscribe(on_error=lambda e: told.append((repr(e), loop.time())))
        for _ in range(90):
            await asyncio.sleep(0.1)  # a step in between

    def cancel(loop: VirtualLoop) -> None:
        for task in asyncio.all_tasks(loop):
            if loop.time() >= 1 and "subscription" in task.get_name() and not cancelled:
                state = inspect.getcoroutinestate(task.get_coro())  # type: ignore[arg-type]
                if begun == (state == inspect.CORO_SUSPENDED):
                    cancelled.append(task)
                    task.cancel()

    run(main, on_step=cancel)
    assert cancelled
    assert told == [("ValueError(1)", 1.25)]
