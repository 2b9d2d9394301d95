"""What runs now, what has run, and what is a stream? Names of tasks, `running`, `stats`, reprs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reactivex.subject import Subject

from conveyor_rx import AsyncStream, batch_task, single_task
from tests.kit import Own


@single_task
async def fetch(item: Any) -> Any:
    await asyncio.sleep(2)
    return item


@batch_task(max_size=3)
async def rank(items: list[Any]) -> list[Any]:
    await asyncio.sleep(10)
    return items


@single_task
async def pages(item: Any) -> AsyncIterator[Any]:
    await asyncio.sleep(5)
    yield item


async def numbers(end: int) -> AsyncIterator[int]:
    for n in range(end):
        await asyncio.sleep(0)
        yield n
    await asyncio.sleep(100)


def names() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()} - {"test"}


async def test_tasks_have_the_names_of_their_stages() -> None:
    """L10: also those that go on with the next stage's call, of every kind of stage."""
    current = asyncio.current_task()
    assert current is not None
    current.set_name("test")
    async with (fetch | pages | Own() | rank)(numbers(2)) as stream:
        reading = asyncio.create_task(anext(stream), name="test")  # type: ignore[arg-type]
        await asyncio.sleep(1)
        assert names() == {"source of a stream", "fetch", "Own"}
        await asyncio.sleep(4)
        assert names() == {"source of a stream", "pages", "Own"}
        reading.cancel()
        await asyncio.wait({reading})


async def test_a_task_that_goes_on_takes_the_name_of_the_next_stage() -> None:
    """L10: one task makes a call of one stage, and then of the other: never under a wrong name."""
    seen: list[tuple[str, str]] = []

    def stage(name: str) -> Any:
        async def work(item: int) -> int:
            await asyncio.sleep(item % 3)
            task = asyncio.current_task()
            assert task is not None
            seen.append((name, task.get_name()))
            return item

        return single_task(task_name=name)(work)

    chain = stage("first") | stage("second") | stage("third")
    assert await chain(range(40)).collect() == list(range(40))
    assert len(seen) == 120
    assert all(name == of_task for name, of_task in seen)


async def test_the_task_of_a_subscription_has_a_name() -> None:
    """L10: and those of loaders of side inputs."""
    current = asyncio.current_task()
    assert current is not None
    current.set_name("test")
    subscription = fetch(Subject()).subscribe()
    assert names() == {"subscription to a stream"}
    subscription.dispose()
    await asyncio.sleep(1)


@pytest.mark.real_time("asyncio's debug mode measures real time")
@pytest.mark.parametrize("warm", [False, True])
async def test_slow_callbacks_are_blamed_on_the_stage(
    warm: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """L10: asyncio's warning in debug mode names the stage that was slow."""

    @single_task
    async def quick(item: int) -> int:
        await asyncio.sleep(0.001)
        return item

    @single_task
    async def slow(item: int) -> int:
        await asyncio.sleep(0.001)
        time.sleep(0.2)  # noqa: ASYNC251  # that is the point
        return item

    loop = asyncio.get_running_loop()
    debug, loop.slow_callback_duration = loop.get_debug(), 0.1
    loop.set_debug(True)
    try:
        with caplog.at_level(logging.WARNING, logger="asyncio"):
            await (quick | slow)(range(2)).collect()
    finally:
        loop.set_debug(debug)
    assert "name='slow'" in caplog.text
    assert "name='quick'" not in caplog.text


# -- running


@pytest.mark.parametrize("way", ["collect", "subscribe", "derived"])
@pytest.mark.parametrize("mode", ["ordered", "as_completed"])
async def test_what_runs_now(way: str, mode: Any) -> None:
    """L10: stage, input and how long it was seen, most downstream first; nothing afterwards."""
    stream: Any = (fetch | rank).with_execution_mode(mode)(range(4))
    stream = stream.map(str) if way == "derived" else stream
    assert stream.running() == ()
    if way == "subscribe":
        stream.subscribe()
    reading = asyncio.create_task(stream.collect()) if way != "subscribe" else None
    await asyncio.sleep(1)
    assert stream.running() == tuple(("fetch", (n,), 0.0) for n in range(4))
    await asyncio.sleep(0.5)
    assert {call.seconds for call in stream.running()} == {0.5}
    await asyncio.sleep(1)
    assert stream.running() == (("rank", (0, 1, 2), 0.0),)
    await asyncio.sleep(4)
    [call] = stream.running()
    assert (call.stage, call.inputs, call.seconds) == ("rank", (0, 1, 2), 4.0)
    await asyncio.sleep(100)
    assert stream.running() == ()
    if reading is not None:
        await reading


async def test_what_runs_in_a_generator_task() -> None:
    """L10: calls that take several steps are there as well; after `aclose` nothing is."""
    stream = pages(range(2))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    assert [(call.stage, call.inputs) for call in stream.running()] == [
        ("pages", (0,)),
        ("pages", (1,)),
    ]
    await stream.aclose()
    await reading
    assert stream.running() == ()


# -- stats and repr


async def test_stats_by_name_and_as_a_table() -> None:
    """Section 2: by index or by name; shown as a table of what is not 0 everywhere."""
    stream = (fetch | rank)(range(7))
    assert repr(stream.stats).splitlines() == ["stage  in  out", "fetch   0    0", "rank    0    0"]
    await stream.collect()
    stats = stream.stats
    assert stats["rank"] is stats[1]
    assert stats["rank"].in_ == 7
    assert stats[:1] == (stats[0],)
    assert stats == tuple(stats)
    assert repr(stats).splitlines() == [
        "stage  in  out  completed",
        "fetch   7    7          7",
        "rank    7    7          7",
    ]
    with pytest.raises(KeyError, match=r"no stage has the name 'x'.*'fetch', 'rank'"):
        stats["x"]
    with pytest.raises(KeyError, match="several stages"):
        (fetch | fetch)([1]).stats["fetch"]
    assert repr(AsyncStream([1]).stats) == "stage  in  out"


async def test_a_repr_says_what_a_stream_is_and_what_to_do() -> None:
    """Section 2: what is read, through what, how far that is; never the contents of items."""
    stream = (fetch | rank)(["secret"])
    before = repr(stream)
    assert before.startswith("<AsyncStream of list | fetch | rank; not read yet: use ")
    assert "await stream.collect()" in before
    derived = stream.map(str)
    assert repr(derived).startswith("<AsyncStream of Rx operators behind list | fetch | rank; not")
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(1)
    assert repr(stream).endswith("; being read>")
    await reading
    assert repr(stream).endswith("; has been read: call the pipeline again>")
    closed = AsyncStream(range(3))
    await closed.aclose()
    assert repr(closed) == "<AsyncStream of range; closed unread: call the pipeline again>"
    assert "secret" not in before + repr(stream)


def test_a_repr_of_a_long_chain_is_short() -> None:
    """Section 2: a few names, and those in one line, whatever they hold."""
    chain: Any = single_task(task_name="a\nb\x1b[31m")(lambda item: item)
    for _ in range(99):
        chain = chain | fetch
    shown = repr(chain([1]))
    assert len(shown) < 250
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert shown.count("fetch") == 7
