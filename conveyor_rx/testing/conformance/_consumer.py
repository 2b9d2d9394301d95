"""How is a stream consumed? By `async for`, `collect` or `subscribe`, with notes of what came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from reactivex import abc

from ...stream import AsyncStream
from ._subject import Way, expect

__all__ = ["QUIET", "Consumer", "consume", "demand", "expect_over"]

QUIET = 1000.0
"""Seconds (of virtual time) after which whatever was going to happen has happened."""

PATIENCE = 1e6
LOOKS = 10_000


class Consumer:
    """One consumer of a stream: what it got, and how it ended."""

    def __init__(self, on_value: Callable[[Any], None] | None = None) -> None:
        self.values: list[Any] = []
        self.ends: list[BaseException | None] = []  # one entry for each end that it was told
        self.misuse: list[str] = []
        self._on_value = on_value
        self._inside = False
        self._ended = asyncio.get_running_loop().create_future()

    def start(self, stream: AsyncStream[Any]) -> None:
        """Begin to consume."""
        raise NotImplementedError

    async def cancel(self) -> None:
        """End the run from here, and wait until it has ended."""
        raise NotImplementedError

    def take(self, value: Any) -> None:
        """Note a result."""
        if self.ends:
            self.misuse.append(f"1.7: {value!r} was signalled after the end")
        if self._inside:
            self.misuse.append("1.3: signals overlap")
        self._inside = True
        try:
            self.values.append(value)
            if self._on_value is not None:
                self._on_value(value)
        finally:
            self._inside = False

    def end(self, error: BaseException | None) -> None:
        """Note the end."""
        if self.ends:
            self.misuse.append(f"1.7: a second end, {error!r}, was signalled")
        if self._inside:
            self.misuse.append("1.3: signals overlap")
        self.ends.append(error)
        if not self._ended.done():
            self._ended.set_result(None)

    async def ended(self) -> BaseException | None:
        """Wait for the end and for what may come after it; return what it was."""
        done, _ = await asyncio.wait({self._ended}, timeout=PATIENCE)
        expect(bool(done), f"nothing comes any more after {self.values}, and no end")
        await asyncio.sleep(QUIET)
        expect(not self.misuse, "; ".join(self.misuse))
        return self.ends[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, looking again and again."""
        for _ in range(LOOKS):
            if condition():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"nothing comes any more after {self.values}")


class _Reader(Consumer):
    _stream: AsyncStream[Any]
    _task: asyncio.Task[None]

    def start(self, stream: AsyncStream[Any]) -> None:
        self._stream = stream
        self._task = asyncio.create_task(self._read())

    async def cancel(self) -> None:
        await self._stream.aclose()
        await asyncio.wait({self._task})

    async def _read(self) -> None:
        try:
            await self._consume()
        except Exception as error:
            self.end(error)
        else:
            self.end(None)

    async def _consume(self) -> None:
        raise NotImplementedError


class _Iterating(_Reader):
    async def _consume(self) -> None:
        async for value in self._stream:
            try:
                self.take(value)
            except Exception:
                await self._stream.aclose()
                raise


class _Collecting(_Reader):
    async def _consume(self) -> None:
        for value in await self._stream.collect():
            self.take(value)


class _Subscribing(Consumer):
    _subscription: abc.DisposableBase | None = None

    def start(self, stream: AsyncStream[Any]) -> None:
        self._subscription = stream.subscribe(self.take, self.end, lambda: self.end(None))

    async def cancel(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:  # a disposed one holds its subscriber, as in Rx
            subscription.dispose()
            subscription.dispose()
        del subscription
        await asyncio.sleep(QUIET)


async def demand(stream: AsyncStream[Any]) -> Any:
    """Ask for one result, and get it."""
    try:
        return await anext(stream)
    except StopAsyncIteration:
        raise AssertionError("3.8: a demand got the end, though there is more to come") from None


async def expect_over(stream: AsyncStream[Any], rule: str) -> None:
    """Expect that a further demand gets the end, and that a new reader is told to start anew."""
    for _ in range(2):
        expect(await anext(stream, None) is None, f"{rule}: a result after the end")
    try:
        await stream.collect()
    except RuntimeError:
        return
    raise AssertionError(f"{rule}: a new reader was let in after the end")


def consume(
    stream: AsyncStream[Any], way: Way, *, on_value: Callable[[Any], None] | None = None
) -> Consumer:
    """Start to consume `stream` in the given way."""
    kinds: dict[Way, type[Consumer]] = {
        "async for": _Iterating,
        "collect": _Collecting,
        "subscribe": _Subscribing,
    }
    consumer = kinds[way](on_value)
    consumer.start(stream)
    return consumer
