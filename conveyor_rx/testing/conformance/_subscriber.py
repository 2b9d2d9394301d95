"""Does a stage take as §2 of Reactive Streams says of a Subscriber?"""

from __future__ import annotations

import asyncio
from typing import Any

from ._consumer import QUIET, consume, demand
from ._publisher import COUNT, run_to_end
from ._rules import rule
from ._subject import Broken, Subject, expect


@rule(
    "2.1",
    "While the consumer asks for nothing, pulling stops at the windows; then it goes on.",
    ways=("async for",),
)
async def pulling_follows_demand(subject: Subject) -> None:
    probe = subject.probe(None)
    stream = subject.stream(probe)
    got: list[Any] = []
    for asked in (1, 5):
        got += [await demand(stream) for _ in range(asked)]
        await asyncio.sleep(QUIET)
        pulled = probe.given
        await asyncio.sleep(QUIET)
        expect(probe.given == pulled, "2.1: the consumer is parked, and the source is pulled")
        needed = next(n for n in range(10**6) if len(subject.expected(n)) >= len(got))
        ahead, most = pulled - needed, subject.most_pulled
        expect(ahead <= most, f"2.1: {ahead} items are on their way, {most} may be")
    subject.expect_part(got, probe.given)
    await stream.aclose()


@rule(
    "2.3",
    "Once the source has ended, it is not asked again.",
)
async def an_ended_source_is_not_asked(subject: Subject) -> None:
    for error in (None, Broken("source")):
        await run_to_end(subject, subject.probe(COUNT, error=error))


@rule(
    "2.4",
    "A source that has ended is closed once at most, also if the stream is closed then.",
)
async def an_ended_source_is_not_cancelled_again(subject: Subject) -> None:
    for error in (None, Broken("source")):
        probe = subject.probe(COUNT, error=error)
        stream = subject.stream(probe)
        consumer = consume(stream, subject.way)
        await consumer.ended()
        await consumer.cancel()
        expect(not probe.misuse(), "; ".join(probe.misuse()))


@rule(
    "2.5",
    "A stream that is being read opens its source no second time, and the reader loses nothing.",
    ways=("async for", "collect"),
)
async def a_second_run_is_refused(subject: Subject) -> None:
    probe = subject.probe(COUNT, latency=0.005)
    stream = subject.stream(probe)
    consumer = consume(stream, subject.way)
    await consumer.until(lambda: probe.given >= 3)
    for intrude in (stream.collect, stream.__anext__):
        try:
            await intrude()
        except RuntimeError:
            continue
        raise AssertionError("2.5: a second reader was let in")
    await consumer.ended()
    expect(probe.opened == 1, f"2.5: the source was opened {probe.opened} times")
    subject.expect_all(consumer.values, COUNT)


@rule(
    "2.6",
    "When nothing more is wanted (a cancellation, a failed call), the source is closed, once.",
)
async def an_unwanted_source_is_cancelled(subject: Subject) -> None:
    for fails in (False, True):
        probe = subject.probe(None, latency=0.005)
        stream = subject.stream(probe)
        if fails:
            stream = subject.stream_that_fails(probe, Broken("neighbour"))
        consumer = consume(stream, subject.way)
        if fails:
            await consumer.ended()
        else:
            await consumer.until(lambda source=probe: source.given > COUNT)
            await consumer.cancel()
        expect(probe.closed == 1, "2.6: the source is not closed")
        expect(not probe.misuse(), "; ".join(probe.misuse()))


@rule(
    "2.7",
    "The `__anext__` of a source never overlaps itself, nor its `aclose`.",
)
async def a_source_is_asked_serially(subject: Subject) -> None:
    consumer = await run_to_end(subject, subject.probe(COUNT, latency=0.005))
    subject.expect_all(consumer.values, COUNT)


@rule(
    "2.8",
    "An item that the source gives in spite of the cancellation goes nowhere.",
)
async def items_after_a_cancellation(subject: Subject) -> None:
    probe = subject.probe(None, latency=0.005, stubborn=True)
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    given = probe.given
    await consumer.cancel()
    got = len(consumer.values)
    await asyncio.sleep(QUIET)
    expect(len(consumer.values) == got, "2.8: a result after the cancellation")
    expect(probe.given <= given + 1, "2.8: the source was pulled after the cancellation")
    expect(probe.closed == 1, "2.8: the source is not closed")


@rule(
    "2.9",
    "A source may end without having given anything, sooner or later.",
)
async def a_source_that_ends_at_once(subject: Subject) -> None:
    for latency in (0.0, 1.0):
        consumer = await run_to_end(subject, subject.probe(0, latency=latency))
        subject.expect_all(consumer.values, 0)
        expect(consumer.ends == [None], f"2.9: an empty source ended with {consumer.ends}")


@rule(
    "2.10",
    "A source may fail without having given anything, or on being opened.",
)
async def a_source_that_fails_at_once(subject: Subject) -> None:
    error = Broken("source")
    consumer = await run_to_end(subject, subject.probe(0, error=error))
    expect(consumer.ends == [error], f"2.10: the source raised {error!r}, told: {consumer.ends}")
    consumer = consume(subject.stream(_Closed(error)), subject.way)
    await consumer.ended()
    expect(consumer.ends == [error], f"2.10: aiter raised {error!r}, told: {consumer.ends}")


@rule(
    "2.12",
    "A run makes one iterator of its source.",
)
async def a_source_is_opened_once(subject: Subject) -> None:
    probe = subject.probe(COUNT)
    await run_to_end(subject, probe)
    expect(probe.opened == 1, f"2.12: the source was opened {probe.opened} times")


@rule(
    "2.13",
    "A consumer that raises has cancelled: the source is closed, and it gets no more results.",
    ways=("async for", "subscribe"),
)
async def a_consumer_that_raises(subject: Subject) -> None:
    error = Broken("consumer")

    def fail(_: Any) -> None:
        if len(consumer.values) == 3:
            raise error

    probe = subject.probe(None, latency=0.005)
    consumer = consume(subject.stream(probe), subject.way, on_value=fail)
    await consumer.ended()
    expect(consumer.ends == [error], f"2.13: the consumer raised {error!r}, told: {consumer.ends}")
    expect(len(consumer.values) == 3, f"2.13: results after {error!r}: {consumer.values}")
    expect(probe.closed == 1, "2.13: the source is not closed")


class _Closed:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __aiter__(self) -> Any:
        raise self._error
