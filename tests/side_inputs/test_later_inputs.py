"""Side inputs that are still to come (S1, S4): had once, on any loop and in any thread."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conveyor_rx import AsyncStream, batch_task, get_current_context, single_task
from conveyor_rx.testing import CleanCheck, VirtualLoop, assert_clean, run, timed_task


class Boom(Exception):
    pass


@single_task
async def add(x: int, other: int) -> int:
    return x + other


@single_task
def plain_add(x: int, other: int) -> int:
    return x + other


@single_task
async def yield_sum(x: int, other: int) -> AsyncIterator[int]:
    yield x + other


@batch_task(max_size=1)
async def total(batch: list[int], other: int) -> int:
    return sum(batch) + other


tasks = pytest.mark.parametrize(
    "task", [add, plain_add, yield_sum, total], ids=["async", "def", "async generator", "batch"]
)


class Load:
    """A coroutine function that takes a second; the first so many of its calls fail."""

    def __init__(
        self, value: int = 10, failing: int = 0, error: Callable[[], BaseException] | None = None
    ) -> None:
        self.value = value
        self.failing = failing
        self.error = error or (lambda: Boom("load"))
        self.started = self.ended = 0

    async def __call__(self) -> int:
        self.started += 1
        number = self.started
        try:
            await asyncio.sleep(1)
            if number <= self.failing:
                raise self.error()
            return self.value
        finally:
            self.ended += 1


def stream_of(load: Load) -> AsyncStream[int]:
    """Give a stream with one item, which `load` gives."""
    return AsyncStream(_Of(load))


class _Of:
    """An async iterable that can be read again."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def __aiter__(self) -> AsyncIterator[int]:
        return self._items()

    async def _items(self) -> AsyncIterator[int]:
        yield await self.load()


INPUTS: dict[str, Callable[[Load], Any]] = {
    "coroutine": lambda load: load(),
    "stream": stream_of,
    "derived stream": lambda load: stream_of(load).filter(lambda _: True),
    "stream of a stream": lambda load: AsyncStream(stream_of(load)),
    "factory": lambda load: load,
}
inputs = pytest.mark.parametrize("kind", INPUTS)
repeatable = pytest.mark.parametrize("kind", [kind for kind in INPUTS if kind != "coroutine"])


async def cancelled_after(seconds: float, stream: AsyncStream[Any]) -> None:
    """Read `stream`, and cancel the reader after `seconds`."""
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(seconds)
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()


# -- (b) runs that leave while it loads


@tasks
@inputs
async def test_a_run_cancelled_while_it_loads_leaves_the_input_to_the_next(
    kind: str, task: Any
) -> None:
    """S1: the value is had by later runs, whatever has become of the first."""
    load = Load()
    bound = task.with_inputs(INPUTS[kind](load))
    await cancelled_after(0.5, bound([1]))
    assert await bound([1, 2]).collect() == [11, 12]
    assert await bound([3]).collect() == [13]
    assert load.started == load.ended
    assert load.started == {"coroutine": 1, "factory": 3}.get(kind, 2)


@inputs
@pytest.mark.parametrize("way", ["closed", "disposed"])
async def test_a_run_closed_while_it_loads_leaves_the_input_to_the_next(
    kind: str, way: str
) -> None:
    """S1, L2: with `aclose` and `dispose`, too."""
    bound = add.with_inputs(INPUTS[kind](Load()))
    stream = bound([1])
    if way == "closed":
        reader = asyncio.ensure_future(stream.collect())
        await asyncio.sleep(0.5)
        await stream.aclose()
        assert await reader == []
    else:
        subscription = stream.subscribe()
        await asyncio.sleep(0.5)
        subscription.dispose()
    assert await bound([1]).collect() == [11]


async def test_a_coroutine_goes_on_when_nobody_waits() -> None:
    """S1: it can be awaited only once, so what it gives is there for later runs."""
    load = Load()
    bound = add.with_inputs(load())
    await cancelled_after(0.5, bound([1]))
    assert (load.started, load.ended) == (1, 0)
    await asyncio.sleep(1)
    assert (load.started, load.ended) == (1, 1)
    assert await bound([1]).collect() == [11]
    assert asyncio.get_running_loop().time() == 1.5


@repeatable
async def test_what_can_be_had_again_ends_with_the_last_that_waits(kind: str) -> None:
    """L2, L5: it is cancelled, and has ended when the run has given control back."""
    load = Load()
    bound = add.with_inputs(INPUTS[kind](load))
    await cancelled_after(0.5, bound([1]))
    assert (load.started, load.ended) == (1, 1)
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_that_can_be_read_once_goes_on_when_nobody_waits() -> None:
    """S1: as a coroutine does; the next run gets its first item."""

    async def numbers() -> AsyncIterator[int]:
        await asyncio.sleep(1)
        yield 10

    bound = add.with_inputs(AsyncStream(numbers()))
    await cancelled_after(0.5, bound([1]))
    assert await bound([1]).collect() == [11]


async def test_a_loading_for_nobody_ends_with_its_task_object() -> None:
    """L5: when no run can come any more, it is cancelled."""
    load = Load()
    await cancelled_after(0.5, add.with_inputs(load())([1]))
    for _ in range(3):
        await asyncio.sleep(0)
    assert (load.started, load.ended) == (1, 1)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("first", [0, 1])
@inputs
async def test_one_of_two_runs_leaves(kind: str, first: int) -> None:
    """S1: the other one goes on waiting and gets the value."""
    bound = add.with_inputs(INPUTS[kind](Load()))
    streams = [bound([1]), bound([2])]
    other = asyncio.ensure_future(streams[1 - first].collect())
    await cancelled_after(0.5, streams[first])
    assert await other == [12 - first]


async def test_cleanup_of_a_cancelled_factory_is_awaited_though_cancelled_again() -> None:
    """L2: however often the one that waits is cancelled."""
    ended: list[float] = []

    async def load() -> int:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(1)
            ended.append(asyncio.get_running_loop().time())
        return 1

    stream = add.with_inputs(load)([1])
    reader = asyncio.ensure_future(stream.collect())
    await asyncio.sleep(0.5)
    for _ in range(3):
        reader.cancel()
        await asyncio.sleep(0.1)
    await asyncio.wait({reader})
    assert ended == [1.5]


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


# -- (d) one stream, many tasks


async def test_one_stream_is_the_input_of_two_tasks() -> None:
    """S1, L6: streams are cold: each task has a run of its own."""
    work = timed_task(lambda x: 1)
    stream = single_task(work)([10, 20])
    one, two = add.with_inputs(stream), plain_add.with_inputs(other=stream)
    assert await (one | two)([1]).collect() == [21]
    assert await one([2]).collect() == [12]
    assert await stream.collect() == [10, 20]


async def test_a_stream_bound_again_and_again() -> None:
    """S1: a new task each time."""
    stream = AsyncStream([10])
    assert [await add(stream)([n]).collect() for n in range(3)] == [[10], [11], [12]]  # type: ignore[misc, operator]


# -- (e) failures


@tasks
@repeatable
async def test_an_input_that_failed_once_is_had_again(kind: str, task: Any) -> None:
    """S1, S4: a failure fails its run, and no later one."""
    load = Load(failing=2)
    bound = task.with_inputs(INPUTS[kind](load))
    for _ in range(2):
        with pytest.raises(Boom, match="load"):
            await bound([1, 2]).collect()
    assert await bound([1, 2]).collect() == [11, 12]
    assert load.started == 3


@repeatable
async def test_runs_that_wait_together_fail_together(kind: str) -> None:
    """S1: one loading, one failure; factories are called in each run."""
    load = Load(failing=2)
    bound = add.with_inputs(INPUTS[kind](load))
    ends = await asyncio.gather(*[bound([1]).collect() for _ in range(2)], return_exceptions=True)
    assert [type(end) for end in ends] == [Boom, Boom]
    assert load.started == (2 if kind == "factory" else 1)


async def test_a_coroutine_that_failed_says_what_to_do() -> None:
    """S1: it can't be awaited again; a later run says so, and how it failed, and what to pass."""
    bound = add.with_inputs(other=Load(failing=1)())
    with pytest.raises(Boom):
        await bound([1]).collect()
    for _ in range(2):
        with pytest.raises(
            RuntimeError,
            match=r"side input 'other', a coroutine, failed with Boom in an earlier run, and a "
            r"coroutine can be awaited only once; pass the coroutine function itself",
        ) as caught:
            await bound([1]).collect()
        assert "'add'" in caught.value.__notes__[0]


async def test_a_stream_that_can_be_read_once_and_failed() -> None:
    """S1: its next run says what to do."""

    async def numbers() -> AsyncIterator[int]:
        raise Boom
        yield 1

    bound = add.with_inputs(AsyncStream(numbers()))
    with pytest.raises(Boom):
        await bound([1]).collect()
    with pytest.raises(RuntimeError, match=r"failed with Boom.*its source can be read only once"):
        await bound([1]).collect()


async def test_a_coroutine_bound_twice_says_what_to_do() -> None:
    """S1: the second task that is given it can't await it."""
    coroutine = Load()()
    one, two = add.with_inputs(coroutine), add.with_inputs(coroutine)
    assert await one([1]).collect() == [11]
    with pytest.raises(RuntimeError, match=r"awaited elsewhere.*pass the coroutine function"):
        await two([1]).collect()


async def test_a_failure_that_no_run_waits_for_is_told() -> None:
    """E9: through the loop's exception handler."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    bound = add.with_inputs(Load(failing=1)())
    await cancelled_after(0.5, bound([1]))
    await asyncio.sleep(1)
    assert [type(context["exception"]) for context in told] == [Boom]
    assert "no run waited" in told[0]["message"]
    with pytest.raises(RuntimeError, match="failed with Boom"):
        await bound([1]).collect()


async def test_a_cleanup_that_fails_is_told() -> None:
    """E9: what a cancelled factory raises instead of its cancellation is not lost."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def load() -> int:
        try:
            await asyncio.sleep(10)
        finally:
            raise Boom("cleanup")

    await cancelled_after(0.5, add.with_inputs(load)([1]))
    assert [str(context["exception"]) for context in told] == ["cleanup"]


@inputs
async def test_a_loader_that_raises_a_cancelled_error(kind: str) -> None:
    """E8: of its own accord: a failure like any other."""
    bound = add.with_inputs(INPUTS[kind](Load(failing=1, error=asyncio.CancelledError)))
    with pytest.raises(asyncio.CancelledError):
        await bound([1]).collect()
    if kind != "coroutine":
        assert await bound([1]).collect() == [11]


@inputs
@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("outlet", ["collect", "subscribe"])
def test_the_end_of_the_process_while_it_loads(kind: str, end: Any, outlet: str) -> None:
    """E8: it propagates, and nothing is left behind."""
    load = Load(failing=1, error=end)
    bound = add.with_inputs(INPUTS[kind](load))
    errors: list[Any] = []

    async def main() -> None:
        stream = bound([1])
        if outlet == "collect":
            await stream.collect()
        else:
            stream.subscribe(on_error=errors.append)
            await asyncio.Event().wait()

    with assert_clean(), pytest.raises(end), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    if kind == "coroutine":
        with pytest.raises(RuntimeError, match=f"failed with {end.__name__}"):
            run(lambda: bound([1]).collect())
    else:
        assert run(lambda: bound([1]).collect()) == [11]


# -- factories


async def method_of_a_loader() -> int:
    return 10


class Loader:
    async def load(self, value: int = 10) -> int:
        return value

    @staticmethod
    async def static() -> int:
        return 10


async def load_with(value: int) -> int:
    return value


FACTORIES: dict[str, Any] = {
    "function": method_of_a_loader,
    "with a default": Loader().load,
    "static method": Loader.static,
    "partial": functools.partial(load_with, 10),
    "object": Load(),
}


@pytest.mark.parametrize("kind", FACTORIES)
@pytest.mark.parametrize("way", ["with_inputs", "keyword", "called", "extra"])
async def test_coroutine_functions_are_factories(kind: str, way: str) -> None:
    """S1: one that needs no argument is called; so are partials, methods and callable objects."""
    factory = FACTORIES[kind]
    ways: dict[str, Callable[[], AsyncStream[int]]] = {
        "with_inputs": lambda: add.with_inputs(factory)([1, 2]),
        "keyword": lambda: add.with_inputs(other=factory)([1, 2]),
        "called": lambda: add(factory)([1, 2]),  # type: ignore[operator, misc]
        "extra": lambda: add([1, 2], factory),  # type: ignore[operator, misc, arg-type]
    }
    if way == "extra":
        assert await (add | plain_add.with_inputs(0))([1, 2], factory).collect() == [11, 12]
    else:
        assert await ways[way]().collect() == [11, 12]


@tasks
async def test_a_factory_is_called_once_a_run(task: Any) -> None:
    """S1: for all calls of a run, also of a task that stands in it twice; anew in each run."""
    load = Load()
    bound = task.with_inputs(load)
    assert await (bound | bound)([1, 2, 3]).collect() == [21, 22, 23]
    assert load.started == 1
    stream = bound([1])
    for _ in range(2):  # each subscription is a run
        ended = asyncio.Event()
        stream.subscribe(on_completed=ended.set)
        await ended.wait()
    assert load.started == 3


async def test_a_factory_is_not_called_without_items() -> None:
    """F1, S1: nor when bound, chained, called."""
    load = Load()
    assert await add.with_inputs(load)([]).collect() == []
    assert load.started == 0


async def test_a_factory_sees_the_context_of_its_run() -> None:
    """S1: it is user code of that run."""

    async def load() -> int:
        context = get_current_context()
        assert context is not None
        return int(context.data["base"])

    bound = add.with_inputs(load)
    for base in (10, 20):
        assert await bound.with_context(base=base)([1]).collect() == [base + 1]


async def lookup(key: str) -> str:
    return key.upper()


@pytest.mark.parametrize(
    "value", [lookup, lambda: 1, print, Loader, method_of_a_loader], ids=range(5)
)
async def test_other_callables_are_values(value: Any) -> None:
    """S1: plain ones, and those that need arguments, are passed as they are, uncalled."""
    seen: list[Any] = []

    @single_task
    def look(x: int, other: Any) -> int:
        seen.append(other)
        return x

    passed = value if value is not method_of_a_loader else (lambda: value)
    await look.with_inputs(passed)([1]).collect()
    assert seen == [passed]


# -- garbage


@inputs
@pytest.mark.parametrize("failing", [0, 1])
async def test_a_run_leaves_nothing_behind_in_its_task(kind: str, failing: int) -> None:
    """L9: items and results are free, the cyclic collector off, though the task object stays."""

    class Item:
        def __add__(self, other: int) -> int:
            return other

    bound = add.with_inputs(INPUTS[kind](Load(failing=failing)))
    gc.disable()
    try:
        item = Item()
        trace = weakref.ref(item)
        stream: AsyncStream[int] = bound([item])  # type: ignore[list-item]
        del item
        if failing:
            with pytest.raises(Boom):
                await stream.collect()
        else:
            await stream.collect()
        del stream
        await asyncio.sleep(0)
        assert trace() is None
    finally:
        gc.enable()


def test_unused_inputs_leave_no_warning() -> None:
    """L5: nothing was awaited, nothing is said."""
    with assert_clean(), CleanCheck()._freeze():
        for make in INPUTS.values():
            add.with_inputs(make(Load()))
