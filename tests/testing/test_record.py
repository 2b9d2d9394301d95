"""`timeline`, `marbles`, `assert_marbles`: what a stream gives, at which instant."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from conveyor_rx import single_task
from conveyor_rx.testing import (
    MarbleError,
    assert_marbles,
    marbles,
    source,
    timed_task,
    timeline,
)


async def count(closed: list[str] | None = None) -> AsyncGenerator[int]:
    """Give 1, 2, 3… at 0.1, 0.2, 0.3… s."""
    try:
        for number in range(1, 1000):
            await asyncio.sleep(0.1)
            yield number
    finally:
        if closed is not None:
            await asyncio.sleep(0)
            closed.append("closed")


async def test_the_timeline_is_exact() -> None:
    """Instants count from the start of the reading, and are exact decimals."""
    await asyncio.sleep(0.7)
    assert await timeline(count(), until=0.45) == [(0.1, 1), (0.2, 2), (0.3, 3), (0.4, 4)]


async def test_the_timeline_raises_what_the_stream_raises() -> None:
    """A failure is not hidden in the timeline."""
    with pytest.raises(MarbleError):
        await timeline(source("1-#"))


@pytest.mark.parametrize("text", ["1--2-3|", "a-#", "-(1,2)#", "{10}{11}{12}|", "|", "#"])
async def test_marbles_gives_the_string_of_its_source(text: str) -> None:
    """`marbles` is the inverse of `source`."""
    assert await marbles(source(text, tick=0.1), tick=0.1) == text


async def test_a_stream_without_end_is_closed_in_time() -> None:
    """With `until`, or where the expected string ends, the stream is closed and awaited."""
    closed: list[str] = []
    assert await marbles(count(closed), tick=0.1, until=0.3) == "-{1}2"
    await assert_marbles(count(closed), "-{1}{2}{3}", tick=0.1)
    assert closed == ["closed", "closed"]


async def test_what_agrees_passes() -> None:
    """Items, instants, end and error; the string may be written in another way."""
    await assert_marbles(source("1--2|"), "1--2|")
    await assert_marbles(source("(1,2,|)"), "{1,2,|}")
    await assert_marbles(source("a-#", error=KeyError("k")), "a-#")
    await assert_marbles(source("a-#", error=KeyError("k")), "a-#", error=LookupError)
    await assert_marbles(source("a-#", error=KeyError("k")), "a-#", error=KeyError("k"))
    await assert_marbles(source("1-|"), "a-|", values={"a": 1})
    await assert_marbles(source("1---"), "1--")


@pytest.mark.parametrize(
    ("given", "expected", "message"),
    [
        ("1--2|", "1--3|", "- 3.0 s  3"),  # another item
        ("1--2|", "1-2-|", "+ 3.0 s  2"),  # another instant
        ("1--2|", "1--2-|", "+ 4.0 s  |"),  # another end
        ("1--2|", "1--2", None),  # the same up to there
        ("1--2|", "1--2--", "+ 4.0 s  |"),  # an end, where none was expected
        ("1--2-", "1--2-|", None),  # no end
        ("1-#", "1-|", "+ 2.0 s  # MarbleError('error')"),
        ("1-|", "1-#", "- 2.0 s  # any exception"),
    ],
)
async def test_what_differs_fails(given: str, expected: str, message: str | None) -> None:
    """The message shows both strings, and the marbles that differ."""
    if message is None and not expected.endswith("|"):
        await assert_marbles(source(given), expected)
        return
    if message is None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100):
                await assert_marbles(source(given), expected)
        return
    with pytest.raises(AssertionError) as caught:
        await assert_marbles(source(given), expected)
    assert f"expected  {expected}\n  got       {given}\n" in str(caught.value)
    assert message in str(caught.value)


async def test_another_error_fails() -> None:
    """`error` says which exception a `#` stands for."""
    with pytest.raises(AssertionError, match=r"KeyError\('k'\)"):
        await assert_marbles(source("-#", error=KeyError("k")), "-#", error=KeyError("other"))
    with pytest.raises(AssertionError, match="ValueError"):
        await assert_marbles(source("-#", error=KeyError("k")), "-#", error=ValueError)


async def test_what_cannot_be_drawn_is_listed() -> None:
    """Off the grid there is no string, but the instants are shown."""
    with pytest.raises(AssertionError, match=r"between two ticks(.|\n)*\+ 0.1 s  1"):
        await assert_marbles(source("-1|", tick=0.1), "-1|")


async def test_who_is_cancelled_leaves_no_reader_behind() -> None:
    """Cancelled from outside, the stream is closed before control comes back."""
    closed: list[str] = []
    reading = asyncio.create_task(timeline(count(closed), until=100))
    await asyncio.sleep(1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert closed == ["closed"]


async def test_a_cancelled_error_of_the_stream_is_an_error() -> None:
    """Who raises CancelledError without being cancelled has failed."""
    await assert_marbles(
        source("1-#", error=asyncio.CancelledError()), "1-#", error=asyncio.CancelledError
    )


async def test_a_stream_is_drained_at_an_instant() -> None:
    """W1: nothing is pulled from then on, and what was pulled is finished."""
    double = single_task(timed_task(lambda item: 2.0, func=lambda item: 2 * item))
    text = "1-2-3-4|"
    assert await marbles(double(source(text)), drain=3) == "--2-(4,|)"
    assert await timeline(double(source(text)), drain=0.5) == [(2, 2)]
    await assert_marbles(double(source(text)), "--2-4-6-(8,|)", drain=30)
    with pytest.raises(AssertionError):
        await assert_marbles(double(source(text)), "--2-4-6-(8,|)", drain=3)
    with pytest.raises(TypeError, match="drain is for a stream"):
        await marbles(source(text), drain=3)
