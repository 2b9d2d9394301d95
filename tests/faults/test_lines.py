"""An exception of our own, at any line between a call's end and its result, is never silent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import BaseTask, BatchTask, ErrorHandler, RetryConfig, SingleTask
from conveyor_rx.events import observe
from conveyor_rx.testing import Deadlock, run
from tests.faults.lines import Line, Lines
from tests.kit import MODES

pytestmark = pytest.mark.no_cover  # of two that watch lines, one would miss what the other raises

WAYS = ("async for", "collect", "subscribe")
Stages = Callable[[Lines], Any]


async def nap(item: Any) -> Any:
    await asyncio.sleep(0.5)
    return item


def give(lines: Lines) -> Callable[[Any], Any]:
    def value(item: Any) -> Any:
        lines.begin()
        return item

    return value


def suspending(lines: Lines) -> Any:
    async def call(item: Any) -> Any:
        await asyncio.sleep(0.5)
        lines.begin()
        return item

    return call


def eager(lines: Lines) -> Any:
    async def call(item: Any) -> Any:
        lines.begin()
        return item

    return call


def listing(lines: Lines) -> Any:
    async def call(item: Any) -> Any:
        lines.begin()
        return [item, item]

    return call


def long_list(lines: Lines) -> Any:
    async def call(item: Any) -> Any:
        lines.begin()
        return [item] * 300

    return call


def nothing(lines: Lines) -> Any:
    async def call(_: Any) -> None:
        lines.begin()

    return call


def generator(lines: Lines) -> Any:
    def generate(item: Any) -> Iterator[Any]:
        lines.begin()
        yield item
        yield item

    return generate


def async_generator(lines: Lines) -> Any:
    async def generate(item: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        lines.begin()
        yield item

    return generate


def failing(lines: Lines) -> Any:
    async def call(item: Any) -> Any:
        lines.begin()
        raise ValueError(item)

    return call


def failing_at_once(lines: Lines) -> Any:
    def call(item: Any) -> Any:
        lines.begin()
        raise ValueError(item)

    return call


class Own(BaseTask[Any, Any]):
    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self.lines = lines

    async def process(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in items:
            self.lines.begin()
            yield item


class Replace(ErrorHandler):
    async def handle_error(self, *_: Any) -> Any:
        return True, 0


RETRY = RetryConfig(2, 0.1)
KINDS: dict[str, Stages] = {
    "async": lambda lines: SingleTask(suspending(lines)),
    "eager": lambda lines: SingleTask(eager(lines)),
    "def": lambda lines: SingleTask(give(lines)),
    "def that gives a coroutine": lambda lines: SingleTask(lambda item: suspending(lines)(item)),
    "list": lambda lines: SingleTask(listing(lines)),
    "long list": lambda lines: SingleTask(long_list(lines)),
    "None": lambda lines: SingleTask(nothing(lines)),
    "one at a time": lambda lines: SingleTask(suspending(lines), concurrency_limit=1),
    "generator": lambda lines: SingleTask(generator(lines)),
    "async generator": lambda lines: SingleTask(async_generator(lines)),
    "batch": lambda lines: BatchTask(suspending(lines), 2),
    "plain batch": lambda lines: BatchTask(give(lines), 2),
    "own": Own,
    "before own": lambda lines: SingleTask(eager(lines)) | Own(Lines()),
    "before rx": lambda lines: SingleTask(eager(lines)) | ops.map(lambda item: item),
    "before a batch": lambda lines: SingleTask(eager(lines)) | BatchTask(nap, 2),
    "failing": lambda lines: SingleTask(failing(lines)),
    "failing def": lambda lines: SingleTask(failing_at_once(lines)),
    "skipping": lambda lines: SingleTask(failing(lines), on_error="skip_item"),
    "skipping def": lambda lines: SingleTask(failing_at_once(lines), on_error="skip_item"),
    "skipping batch": lambda lines: BatchTask(failing(lines), 2, on_error="skip_item"),
    "tried again": lambda lines: SingleTask(failing(lines), retry_config=RETRY),
    "handled": lambda lines: SingleTask(failing(lines), error_handler=Replace()),
}


async def consume(pipeline: Any, way: str, lines: Lines, *, watched: bool) -> None:
    with observe(*([lambda event: None] if watched else [])):
        stream = pipeline(range(2))
        try:
            await read(stream, way, lines)
        finally:
            lines.end()


async def read(stream: Any, way: str, lines: Lines) -> None:
    if way == "async for":
        async for _ in stream:
            lines.end()
    elif way == "collect":
        await stream.collect()
    else:
        over = asyncio.Event()
        errors: list[Exception] = []

        def on_error(error: Exception) -> None:
            errors.append(error)
            over.set()

        stream.subscribe(lambda _: lines.end(), on_error, over.set)
        await over.wait()
        for error in errors:
            raise error


def outcome(kind: str, mode: Any, way: str, watched: bool, lines: Lines) -> BaseException | None:
    """Run the pipeline, and return what it raises."""

    async def main() -> BaseException | None:
        pipeline = (KINDS[kind](lines) | SingleTask(nap)).with_execution_mode(mode)
        try:
            await consume(pipeline, way, lines, watched=watched)
        except Exception as error:
            return error
        return None

    # Counters and what is not closed are not looked at: a broken engine owes nothing but a word.
    with lines.watching():
        return run(main, check=False, patience=60.0)


# What a line leaves unawaited that raises between a coroutine's making and its task's is no word.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_raises_is_heard_of(kind: str, watched: bool, one_in: int) -> None:
    """E9: whichever line raises, the run ends with that, or goes on as if nothing had been."""
    number = list(KINDS).index(kind)
    mode, way = MODES[(number + watched) % 2], WAYS[(number + watched) % 3]
    lines = Lines()
    usual = outcome(kind, mode, way, watched, lines)
    assert len(lines.seen) > 10, "nothing was watched"
    silent: list[Line] = []
    for line in [*lines.seen][number % one_in :: one_in]:
        broken = Lines(at=line)
        try:
            error = outcome(kind, mode, way, watched, broken)
        except Deadlock:
            silent.append(line)
            continue
        is_usual = type(error) is type(usual)
        # Or the call's own failure is told, which the line should have seen to.
        is_heard = error is broken.raised or isinstance(error, ValueError)
        if broken.raised is not None and not is_heard and not is_usual:
            silent.append(line)
    gc.collect()  # what the lines have left behind is not to be the next test's
    assert not silent, way
