"""`timed_task`: calls that take written times."""

import asyncio

import pytest

from conveyor_rx.testing import MarbleError, TimedTask, timed_task


async def call_at_once(work: TimedTask, *items: object) -> list[tuple[float, object]]:
    """Start all calls now; return (instant, outcome) in the order in which they end."""
    clock = asyncio.get_running_loop().time
    ended: list[tuple[float, object]] = []

    async def call(item: object) -> None:
        try:
            result = await work(item)
        except MarbleError:
            result = "#"
        ended.append((clock(), result))

    await asyncio.gather(*map(call, items))
    return ended


async def test_a_string_shows_what_ends_when_if_all_start_at_once() -> None:
    """The place of an item is the latency of its call; `#` in its group lets it fail."""
    work = timed_task("-2--(1,#)-----3|", tick=0.1)
    assert await call_at_once(work, 1, 2, 3) == [(0.1, 2), (0.4, "#"), (1.4, 3)]


async def test_an_item_that_stands_twice_takes_its_places_in_turn() -> None:
    """So a retry can be written down: the first call fails, the later ones don't."""
    work = timed_task("(2,#)--2")
    with pytest.raises(MarbleError):
        await work(2)
    assert await work(2) == 2
    assert await work(2) == 2
    assert [(call.started, call.ended) for call in work.calls] == [(0, 0), (0, 7), (7, 14)]


@pytest.mark.virtual_time(seed=None)  # about the order of ready callbacks
async def test_a_sequence_is_by_call_a_function_by_item() -> None:
    """Seconds each; `func` gives the result."""
    work = timed_task([0.3, 0.1, 0.2], func=str)
    assert await call_at_once(work, 1, 2, 3) == [(0.1, "2"), (0.2, "3"), (0.3, "1")]
    with pytest.raises(ValueError, match="3 latencies"):
        await work(4)
    assert await call_at_once(timed_task(lambda item: item), 2, 1) == [(1.3, 1), (2.3, 2)]


@pytest.mark.virtual_time(seed=None)  # about the order of ready callbacks
async def test_the_calls_are_kept() -> None:
    """With their times and outcome, and how many ran at once."""
    work = timed_task("-a--b----(c,#)")
    tasks = [asyncio.create_task(work(item)) for item in "abc"]
    await asyncio.sleep(2)
    assert (work.running, work.most_running) == (2, 3)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [(call.item, call.ended, call.outcome) for call in work.calls] == [
        ("a", 1.0, "done"),
        ("b", 2.0, "cancelled"),
        ("c", 9.0, "failed"),
    ]
    assert (work.running, work.most_running) == (0, 3)


async def test_an_item_without_latency_is_refused() -> None:
    """A forgotten marble is no latency of 0."""
    with pytest.raises(ValueError, match="no latency for 9"):
        await timed_task("1-2")(9)
    with pytest.raises(ValueError, match="must follow an item"):
        timed_task("1-#")


async def test_the_starts_are_a_marble_string() -> None:
    """Each item at the tick at which its call began, by the loop's clock; batches by a name."""
    await asyncio.sleep(2)
    work = timed_task(lambda item: 1.0)
    assert work.starts() == ""
    await asyncio.gather(work(1), work("a"))
    await asyncio.sleep(0.5)
    await work([1, 2])
    assert work.starts(tick=0.5, values={"B": [1, 2]}) == "----{1,a}--B"
    with pytest.raises(ValueError, match="between two ticks"):
        work.starts()
    with pytest.raises(ValueError, match="can't name"):
        work.starts(tick=0.5)
