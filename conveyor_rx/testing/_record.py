"""What does a stream give, and when?"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterable, Mapping
from typing import Any, TypeVar

from ._notation import DIGITS, Diagram, Marble, draw, parse

__all__ = ["assert_marbles", "marbles", "timeline"]

T = TypeVar("T")


async def timeline(
    stream: AsyncIterable[T], *, until: float | None = None, drain: float | None = None
) -> list[tuple[float, T]]:
    """Run `stream` and return each item with its instant, in seconds from the start.

    With `until` the stream is closed at that instant, and what comes then or later is left out.
    With `drain` it is drained then.

    Raises:
        Exception: whatever the stream raises.
        TypeError: it can't be drained.
    """
    found = await _record(stream, until, drain)
    if found and found[-1].kind == "error":
        raise found[-1].value
    return [(marble.at, marble.value) for marble in found if marble.kind == "item"]


async def marbles(
    stream: AsyncIterable[Any],  # read only, of any type
    *,
    tick: float = 1.0,
    values: Mapping[Any, Any] | None = None,
    until: float | None = None,
    drain: float | None = None,
) -> str:
    """Run `stream` and return its marble string.

    `tick` is in seconds; `values` maps names to items that the notation can't name by itself. With
    `until` (seconds) the stream is closed at that instant, with `drain` it is drained.

    Raises:
        ValueError: an item comes between two ticks, or has no name.
        TypeError: the stream can't be drained.
    """
    return draw(await _record(stream, until, drain), tick=tick, values=values)


async def assert_marbles(
    stream: AsyncIterable[Any],  # read only, of any type
    expected: str,
    *,
    tick: float = 1.0,
    values: Mapping[Any, Any] | None = None,
    error: type[BaseException] | BaseException | None = None,
    drain: float | None = None,
) -> None:
    """Run `stream` and assert that it gives what the marble string says, at the exact instants.

    `tick` is in seconds; `values` maps what stands in the string to items. A `#` stands for any
    exception or, with `error`, for one of that type, or of its type and arguments. If the string
    has no end, the stream is closed when the string is over and must not have ended before. With
    `drain` (seconds) it is drained at that instant.

        >>> run(assert_marbles(source("1--2|"), "1--2|"))

    Raises:
        AssertionError: it gave something else; the message shows both.
        ValueError: `expected` is no marble string.
        TypeError: the stream can't be drained.
    """
    wanted = parse(expected, tick=tick, values=values)
    found = await _record(stream, wanted.span if wanted.is_open else None, drain)
    if not _is_as(wanted.marbles, found, error):
        raise AssertionError(_difference(expected, wanted, found, tick, values, error))


async def _record(
    stream: AsyncIterable[Any], until: float | None, drain: float | None
) -> list[Marble]:
    """Return what `stream` gives before `until`, and close it."""
    if drain is None:
        return await _record_before(stream, until)
    method = getattr(stream, "drain", None)
    if method is None:
        raise TypeError(f"drain is for a stream that has that method, not for {stream!r}")
    timer = asyncio.get_running_loop().call_later(drain, method)
    try:
        return await _record_before(stream, until)
    finally:
        timer.cancel()


async def _record_before(stream: AsyncIterable[Any], until: float | None) -> list[Marble]:
    found: list[Marble] = []
    if until is None:
        await _read(stream, found)
        return found
    reader = asyncio.create_task(_read(stream, found))
    try:
        await asyncio.wait({reader}, timeout=until)
    finally:
        reader.cancel()
        await asyncio.wait({reader})
    if not reader.cancelled():
        reader.result()
    return [marble for marble in found if marble.at < until]


async def _read(stream: AsyncIterable[Any], found: list[Marble]) -> None:
    clock = asyncio.get_running_loop().time
    start = clock()
    iterator = aiter(stream)
    close = getattr(iterator, "aclose", None) or getattr(stream, "aclose", None)
    try:
        async for item in iterator:
            found.append(Marble(round(clock() - start, DIGITS), "item", item))  # noqa: PERF401  # kept if it fails
        found.append(Marble(round(clock() - start, DIGITS), "end"))
    except (Exception, asyncio.CancelledError) as error:
        reader = asyncio.current_task()
        if reader is not None and reader.cancelling():
            raise
        found.append(Marble(round(clock() - start, DIGITS), "error", error))
    finally:
        if close is not None:
            await close()


def _is_as(
    wanted: list[Marble],
    found: list[Marble],
    error: type[BaseException] | BaseException | None,
) -> bool:
    return len(wanted) == len(found) and all(
        (one.at, one.kind) == (other.at, other.kind)
        and (_is_error(other.value, error) if one.kind == "error" else one.value == other.value)
        for one, other in zip(wanted, found, strict=True)
    )


def _is_error(found: BaseException, wanted: type[BaseException] | BaseException | None) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, type):
        return isinstance(found, wanted)
    return type(found) is type(wanted) and found.args == wanted.args


def _difference(
    text: str,
    wanted: Diagram,
    found: list[Marble],
    tick: float,
    values: Mapping[Any, Any] | None,
    error: type[BaseException] | BaseException | None,
) -> str:
    try:
        drawn = draw(found, tick=tick, values=values)
    except ValueError as reason:
        drawn = f"({reason})"
    any_error = "any exception" if error is None else repr(error)
    lines = difflib.ndiff(
        [_line(marble, any_error) for marble in wanted.marbles],
        [_line(marble, repr(marble.value)) for marble in found],
    )
    listed = "".join(f"\n  {line}" for line in lines if not line.startswith("?"))
    return f"the marbles differ:\n  expected  {text}\n  got       {drawn}{listed}"


def _line(marble: Marble, error: str) -> str:
    match marble.kind:
        case "item":
            return f"{marble.at} s  {marble.value!r}"
        case "error":
            return f"{marble.at} s  # {error}"
        case "end":
            return f"{marble.at} s  |"
