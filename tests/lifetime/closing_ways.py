"""From where in and around a run may it be closed, and by way of what?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import anyio
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, BatchTask, ErrorHandler, SingleTask, Stage

__all__ = ["WAYS", "Close", "in_a_group_of_anyio", "pipelines", "slow"]

Close = Callable[[], Awaitable[None]]


# -- by way of what


async def straight(close: Close) -> None:
    await close()


async def in_a_task(close: Close) -> None:
    await asyncio.create_task(close())  # type: ignore[arg-type]


async def gathered(close: Close) -> None:
    await asyncio.gather(close(), asyncio.sleep(1), close())


async def in_a_group(close: Close) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(close())  # type: ignore[arg-type]
        group.create_task(asyncio.sleep(1))


async def in_a_group_of_anyio(close: Close) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(close)
        group.start_soon(asyncio.sleep, 1)


async def in_a_call_of_another_run(close: Close) -> None:
    async def call(item: int) -> None:
        await close()

    await SingleTask(call)([1]).collect()


async def in_a_batch_behind_rx(close: Close) -> None:
    async def call(batch: list[int]) -> None:
        await close()

    stage = SingleTask(_echo) | ops.filter(lambda n: n >= 0) | BatchTask(call, 1, 1)
    await stage(range(3)).filter(lambda n: n is not None).collect()


async def in_the_source_of_another_run(close: Close) -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 0
        await close()

    async with SingleTask(_echo)(numbers()) as stream:
        async for _ in stream:
            pass


async def in_an_async_generator(close: Close) -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            await close()

    async with aclosing(numbers()) as generator:
        async for _ in generator:
            break


async def in_a_side_input(close: Close) -> None:
    async def load() -> int:
        await close()
        return 1

    async def call(item: int, loaded: int) -> int:
        return item

    await SingleTask(call).with_inputs(load)([1]).collect()


async def in_a_handler(close: Close) -> None:
    class Handler(ErrorHandler):
        async def handle_error(self, *args: Any) -> Any:
            await close()
            return True, None

    async def fail(item: int) -> None:
        raise ValueError

    await SingleTask(fail, error_handler=Handler())([1]).collect()


async def in_a_process_that_delegates(close: Close) -> None:
    async def call(item: int) -> None:
        await close()

    class Own(BaseTask[Any, Any]):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in await SingleTask(call).process(items):
                yield item

    await Own()([1]).collect()


async def _echo(item: Any) -> Any:
    return item


WAYS = [
    straight,
    in_a_task,
    gathered,
    in_a_group,
    in_a_group_of_anyio,
    in_a_call_of_another_run,
    in_a_batch_behind_rx,
    in_the_source_of_another_run,
    in_an_async_generator,
    in_a_side_input,
    in_a_handler,
    in_a_process_that_delegates,
]


# -- from where


def pipelines(act: Callable[[Any], Awaitable[None]]) -> dict[str, Callable[[], AsyncStream[Any]]]:
    """Give streams that call `act` with the item, each from a place of its own."""

    async def call(item: Any) -> Any:
        await act(item)
        return item

    def plain(item: Any) -> Any:
        return call(item)

    async def generate(item: Any) -> AsyncIterator[Any]:
        yield item
        await act(item)
        yield item

    async def numbers() -> AsyncIterator[int]:
        for n in range(4):
            await act(n)
            yield n

    class Own(BaseTask[Any, Any]):
        async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in items:
                await act(item)
                yield item

    class Handler(ErrorHandler):
        async def handle_error(self, error: Exception, item: Any, *args: Any) -> Any:
            await act(item)
            return True, item

    async def fail(item: Any) -> Any:
        raise ValueError

    async def load() -> int:
        await act(2)
        return 1

    async def loaded(item: Any, value: int) -> Any:
        return item

    def source() -> AsyncStream[int]:
        return SingleTask(slow)(range(4))

    stages: dict[str, Stage[Any, Any]] = {
        "single": SingleTask(call),
        "limited": SingleTask(call, concurrency_limit=1),
        "plain": SingleTask(plain),
        "generator": SingleTask(generate),
        "batch": BatchTask(call, 1, 1),
        "own": Own(),
        "handler": SingleTask(fail, error_handler=Handler()),
        "side input": SingleTask(loaded).with_inputs(load),
    }
    streams: dict[str, Callable[[], AsyncStream[Any]]] = {}
    for name, stage in stages.items():
        streams[name] = lambda stage=stage: (stage | SingleTask(slow))(range(4))
    single = stages["single"]
    streams["source"] = lambda: SingleTask(slow)(numbers())
    streams["behind a stream"] = lambda: single(source())
    streams["behind rx"] = lambda: single(source().filter(lambda n: n >= 0))
    streams["under rx"] = lambda: single(range(4)).pipe(ops.flat_map(lambda n: single([n])))
    return streams


async def slow(item: Any) -> Any:
    try:
        await asyncio.sleep(3)
        return item
    finally:
        await asyncio.sleep(2)
