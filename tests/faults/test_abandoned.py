"""Streams that are given up, at every step and in states that take time, with the collector off.

tests/lifetime/test_garbage.py has the states in which a consumer can leave a stream; these are the
moments at which it can, and what else a run can be waiting for.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conveyor_rx import AsyncStream, BatchTask, ErrorHandler, Pipeline, RetryConfig, SingleTask
from conveyor_rx.testing import VirtualLoop, run
from tests.kit import MODES
from tests.lifetime.test_garbage import KINDS, SOURCES, Source, Thing, Zoo, pipeline, stage, turns

HOWS = ("cancelled", "closed", "disposed", "closed, and kept", "disposed, and kept")
MOST_STEPS = 80  # by then windows are full and results flow


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """What is not free by counting references is not free."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def abandoned(stream: AsyncStream[Any], how: str, moment: asyncio.Event) -> None:
    """Use `stream` until the moment has come, then give it up."""
    if how.startswith("disposed"):
        subscription = stream.subscribe(lambda _: None, lambda _: None)
        await moment.wait()
        subscription.dispose()
        return
    reading = asyncio.create_task(_read(stream))
    await moment.wait()
    if how == "cancelled":
        reading.cancel()
    else:
        await stream.aclose()
    await asyncio.wait({reading})


async def _read(stream: AsyncStream[Any]) -> None:
    async for _ in stream:
        pass


class AtStep:
    """One run of a pipeline of things, given up at one step."""

    def __init__(self, kind: str, mode: Any, source: str, how: str, step: int) -> None:
        self.zoo = Zoo()
        self.step = step
        self.moment: asyncio.Event | None = None
        run(lambda: self._main(kind, mode, source, how), on_step=self._on_step)

    async def _main(self, kind: str, mode: Any, source: str, how: str) -> None:
        zoo = self.zoo
        data = zoo.add("source", SOURCES[source](zoo, pause=0.25))
        stream = zoo.add("stream", pipeline(kind, zoo, mode)(data))
        del data
        self.moment = moment = asyncio.Event()
        await abandoned(stream, how, moment)
        await turns()
        if how.endswith("kept"):
            assert set(zoo.alive) <= {"stream", "source"}
        del stream
        await turns()
        assert zoo.alive == {}

    def _on_step(self, loop: VirtualLoop) -> None:
        if self.moment is not None:
            self.step -= 1
            if self.step == 0:
                self.moment.set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", HOWS)
def test_given_up_at_every_step(kind: str, mode: str, how: str) -> None:
    """L9, L2: of each kind of stage; every fourth step of each, others for each."""
    first = 1 + (KINDS.index(kind) + HOWS.index(how) + MODES.index(mode)) % 4
    for step in range(first, MOST_STEPS + 1, 4):
        source = ("async", "sync")[step // 4 % 2]
        try:
            case = AtStep(kind, mode, source, how, step)
            assert step < MOST_STEPS - 10 or case.zoo.seen >= {"item", "result"}
        except BaseException as error:
            error.add_note(f"AtStep({kind!r}, {mode!r}, {source!r}, {how!r}, {step})")
            raise


# -- while it waits for something


class Thinking(ErrorHandler):
    async def handle_error(self, error: Exception, item: Any, task_name: str, attempt: int) -> Any:
        await asyncio.sleep(100)
        return True, item


def failing(zoo: Zoo) -> Callable[[Any], Any]:
    async def call(item: Thing) -> Thing:
        zoo.task()
        zoo.add("result", Thing(item.number))
        raise ValueError("boom")

    return call


def waiting_for_a_side_input(zoo: Zoo) -> Any:
    async def later() -> Thing:
        zoo.task()
        await asyncio.sleep(100)
        return Thing(-1)

    async def call(item: Thing, side: Thing) -> Thing:
        return side

    return SingleTask(call).with_inputs(later)


def waiting_for_a_side_stream(zoo: Zoo) -> Any:
    async def call(item: Thing, side: Thing) -> Thing:
        return side

    slow = pipeline("async", zoo, "ordered")(zoo.add("source", Source(zoo, pause=50)))
    return SingleTask(call).with_inputs(slow)


def between_attempts(zoo: Zoo) -> Any:
    return SingleTask(failing(zoo), retry_config=RetryConfig(3, 100))


def handler_at_work(zoo: Zoo) -> Any:
    return SingleTask(failing(zoo), error_handler=Thinking())


def batch_between_attempts(zoo: Zoo) -> Any:
    function = failing(zoo)

    async def call(items: list[Thing]) -> Thing:
        return await function(items[0])

    return BatchTask(call, 2, 3, on_error="skip_item", retry_config=RetryConfig(2, 100))


def open_batch(zoo: Zoo) -> Any:
    return BatchTask(list, 50, 50) | stage("async", zoo)


def failure_behind_a_slow_item(zoo: Zoo) -> Any:
    async def call(item: Thing) -> Thing:
        zoo.task()
        if item.number == 0:
            await asyncio.sleep(100)
        raise ValueError("boom")

    return SingleTask(call)


STATES: dict[str, Callable[[Zoo], Any]] = {
    state.__name__: state
    for state in (
        waiting_for_a_side_input,
        waiting_for_a_side_stream,
        between_attempts,
        handler_at_work,
        batch_between_attempts,
        open_batch,
        failure_behind_a_slow_item,
    )
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("parallelism", [None, 1])
@pytest.mark.parametrize("how", HOWS)
async def test_given_up_while_it_waits(state: str, parallelism: int | None, how: str) -> None:
    """L9, L2: for a side input, another attempt, a handler, the rest of a batch, a slow item."""
    zoo = Zoo()
    made: Pipeline[Any, Any] = stage("async", zoo) | STATES[state](zoo) | stage("async", zoo)
    made = made.with_context(max_parallelism=parallelism, max_in_flight=60)
    stream = zoo.add("stream", made(zoo.add("source", Source(zoo, pause=0.25))))
    moment = asyncio.Event()
    asyncio.get_running_loop().call_later(20, moment.set)
    await abandoned(stream, how, moment)
    await turns()
    if how.endswith("kept"):
        assert not {"result", "task"} & set(zoo.alive), "in the windows"
    del stream, made
    await turns()
    assert zoo.alive == {}
