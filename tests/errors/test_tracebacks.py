"""What does a user read of a failure? The consumer's line, and soon after it the user's own."""

from __future__ import annotations

import asyncio
import dataclasses
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

from conveyor_rx import AsyncStream, BaseTask, batch_task, single_task
from tests.kit import Boom


def inner(x: Any) -> Any:
    raise Boom(x)


async def async_one(x: int) -> Any:
    await asyncio.sleep(x)
    return inner(x)


def plain_one(x: int) -> Any:
    return inner(x)


def generator_one(x: int) -> Iterator[Any]:
    yield x
    yield inner(x)


async def async_generator_one(x: int) -> AsyncIterator[Any]:
    yield x
    yield inner(x)


class Own(BaseTask[int, int]):
    async def process(self, items: Any) -> AsyncIterator[int]:
        async for item in items:
            yield inner(item)


def source_one() -> Iterator[int]:
    yield 1
    yield inner(1)


async def async_source_one() -> AsyncIterator[int]:
    yield 1
    yield inner(1)


same = single_task(lambda x: x)

PROGRAMS: dict[str, Callable[[], AsyncStream[Any]]] = {
    "async_one": lambda: single_task(async_one)([1]),
    "plain_one": lambda: single_task(plain_one)([1]),
    "generator_one": lambda: single_task(generator_one)([1]),
    "async_generator_one": lambda: single_task(async_generator_one)([1]),
    "process": lambda: (same | Own())([1]),
    "source_one": lambda: same(source_one()),
    "async_source_one": lambda: same(async_source_one()),
    "batch": lambda: batch_task(2)(plain_one)([1, 2]),
    "retried": lambda: single_task(retry_attempts=2, retry_delay=0)(async_one)([1]),
    "behind another": lambda: (same | single_task(async_one) | same)([1]),
    "as completed": lambda: single_task(async_one).as_completed([1]),
}


async def collected(stream: AsyncStream[Any]) -> None:
    await stream.collect()


async def iterated(stream: AsyncStream[Any]) -> None:
    async for _ in stream:
        pass


async def asked(stream: AsyncStream[Any]) -> None:
    while True:
        await anext(stream)


async def subscribed(stream: AsyncStream[Any]) -> None:
    ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    stream.subscribe(on_error=ended.set_result)
    raise await ended


OUTLETS = {function.__name__: function for function in (collected, iterated, asked, subscribed)}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("outlet", OUTLETS)
async def test_no_frame_of_the_engine(name: str, outlet: str) -> None:
    """E2: from the consumer through the outlet, at most three frames, to the user's function."""
    with pytest.raises(Boom) as caught:
        await OUTLETS[outlet](PROGRAMS[name]())
    frames = traceback.extract_tb(caught.value.__traceback__)
    files = [Path(frame.filename) for frame in frames]
    ours = [file.name for file in files if file.parent.name == "conveyor_rx"]
    assert set(ours) <= {"stream.py", "_streams/cursor.py", "_engine/outlets/reader.py"}
    assert len(ours) <= 3
    assert frames[-1].name == "inner"
    assert frames[-2].filename == __file__


async def test_an_rx_operator_is_not_ours() -> None:
    """E2: from its frames on nothing is left out."""
    with pytest.raises(Boom) as caught:
        await AsyncStream(rx.of(1)).pipe(same, ops.map(inner)).collect()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "inner"
    assert any("reactivex" in frame.filename for frame in frames)


async def test_an_error_of_the_library_keeps_its_frames() -> None:
    """E2: where no code of the user's is involved, all is there to look for."""
    bound = single_task(lambda x, other: x).with_inputs(AsyncStream([]))
    with pytest.raises(RuntimeError, match="ended without an item") as caught:
        await bound([1]).collect()
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][-1] == (
        "_first_of"
    )


async def test_an_error_that_refuses_to_be_changed() -> None:
    """E2: it is raised as it is, its traceback like any other's."""

    @dataclasses.dataclass(frozen=True)
    class Frozen(Exception):
        number: int

    def fail(x: int) -> int:
        raise Frozen(x)

    with pytest.raises(Frozen) as caught:
        await single_task(fail)([1]).collect()
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-1] == "fail"
    assert "_start_plain" not in names


def test_what_pytest_shows(pytester: pytest.Pytester) -> None:
    """E2: of a failing test, only the user's frames; of an error of the library's, all."""
    pytester.makepyfile(
        """
        import asyncio
        from conveyor_rx import AsyncStream, single_task

        @single_task
        def half(x):
            return 1 / x

        async def use():
            await half([0]).collect()

        async def misuse():
            await single_task(lambda x, y: x).with_inputs(AsyncStream([]))([1]).collect()

        def test_use():
            asyncio.run(use())

        def test_misuse():
            asyncio.run(misuse())
        """
    )
    result = pytester.runpytest_subprocess("--tb=short", "-p", "no:cacheprovider", "-q")
    use, misuse = result.stdout.str().split("test_misuse", 1)
    assert "return 1 / x" in use
    assert "_engine/outlets/reader.py" not in use
    assert "later.py" in misuse
