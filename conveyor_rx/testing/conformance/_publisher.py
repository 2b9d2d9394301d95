"""Does a stage give as §1 of Reactive Streams says of a Publisher?"""

from __future__ import annotations

import asyncio
from typing import Any

from reactivex.subject import Subject as RxSubject

from ._consumer import QUIET, Consumer, consume, demand, expect_over
from ._probe import Probe
from ._rules import rule
from ._subject import Broken, Subject, expect

__all__ = ["COUNT", "run_to_end"]

COUNT = 23
"""Items of a run that ends: no multiple of the usual batch sizes."""


async def run_to_end(subject: Subject, probe: Probe) -> Consumer:
    """Consume all that `probe` gives; nothing may be wrong with how that is done."""
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.ended()
    expect(not probe.misuse(), "; ".join(probe.misuse()))
    return consumer


@rule(
    "1.1",
    "Without demand nothing is opened, pulled or given; each demand gets one result.",
)
async def no_more_than_is_asked_for(subject: Subject) -> None:
    probe = subject.probe(COUNT)
    stream = subject.stream(probe)
    await asyncio.sleep(QUIET)
    expect(not probe.opened, "1.1: the source was opened before anybody asked")
    if subject.way == "async for":
        got = [await demand(stream) for _ in subject.expected(COUNT)]
        await stream.aclose()
    else:
        consumer = consume(stream, subject.way)
        await consumer.ended()
        got = consumer.values
    subject.expect_all(got, COUNT)


@rule(
    "1.2",
    "A demand that can't be met gets the end instead: so does every demand of an empty source.",
)
async def fewer_than_asked_for(subject: Subject) -> None:
    consumer = await run_to_end(subject, subject.probe(0))
    subject.expect_all(consumer.values, 0)
    expect(consumer.ends == [None], f"1.2: an empty source ended with {consumer.ends}")


@rule(
    "1.3",
    "A signal never begins within another, not even if the consumer feeds the source in it.",
    ways=("async for", "subscribe"),
)
async def signals_are_serial(subject: Subject) -> None:
    source = RxSubject[Any]()
    numbers = iter(range(2 * COUNT))

    def feed(_: Any = None) -> None:
        for number in numbers:
            source.on_next(subject.item(number))
            return

    consumer = consume(subject.stream(source), subject.way, on_value=feed)
    await asyncio.sleep(QUIET)
    for _ in range(COUNT):
        feed()
    await asyncio.sleep(QUIET)
    fed = 2 * COUNT - len(list(numbers))
    source.on_completed()
    await consumer.ended()
    subject.expect_all(consumer.values, fed)


@rule(
    "1.4",
    "A failure (of the source, a neighbour, the stage itself) is told as it is, behind a prefix.",
)
async def failure_is_signalled(subject: Subject) -> None:
    error = Broken("source")
    probe = subject.probe(COUNT, error=error, latency=0.005)
    consumer = await run_to_end(subject, probe)
    expect(consumer.ends == [error], f"1.4: the source raised {error!r}, told was {consumer.ends}")
    if subject.way != "collect":
        subject.expect_part(consumer.values, COUNT)
        subject.expect_settled(consumer.values, COUNT)
    for kind in ("neighbour", "stage"):
        error = Broken(kind)
        probe = subject.probe(None, latency=0.001)
        if kind == "neighbour":
            stream = subject.stream_that_fails(probe, error)
        elif subject.failing is not None:
            stream = subject.stream(probe, own=error)
        else:
            return
        consumer = consume(stream, subject.way)
        await consumer.ended()
        expect(consumer.ends == [error], f"1.4: {kind}: {error!r} became {consumer.ends}")
        subject.expect_part(consumer.values, probe.given)


@rule(
    "1.5",
    "A run that went well tells its end, behind all results.",
)
async def completion_is_signalled(subject: Subject) -> None:
    consumer = await run_to_end(subject, subject.probe(COUNT))
    expect(consumer.ends == [None], f"1.5: a finite source ended with {consumer.ends}")
    subject.expect_all(consumer.values, COUNT)


@rule(
    "1.6",
    "When the end is told, source and calls have ended as well.",
)
async def an_end_is_a_cancellation(subject: Subject) -> None:
    for error in (None, Broken("source")):
        probe = subject.probe(COUNT, error=error)
        await run_to_end(subject, probe)
        expect(probe.closed == 1, "1.6: the run has ended, its source is open")


@rule(
    "1.7",
    "After the end there is no result and no other end; a new reader is refused.",
)
async def nothing_after_the_end(subject: Subject) -> None:
    for error in (None, Broken("source")):
        probe = subject.probe(COUNT, error=error)
        stream = subject.stream(probe)
        consumer = consume(stream, subject.way)
        await consumer.ended()
        if subject.way == "subscribe":
            continue  # `Consumer` has watched it
        await expect_over(stream, "1.7")
        expect(probe.opened == 1, "1.7: the source was read again after the end")


@rule(
    "1.8",
    "Who cancels gets nothing more.",
)
async def no_signals_after_a_cancellation(subject: Subject) -> None:
    probe = subject.probe(None, latency=0.005)
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    await consumer.cancel()
    got, given = len(consumer.values), probe.given
    await asyncio.sleep(QUIET)
    expect(len(consumer.values) == got, "1.8: a result after the cancellation")
    expect(probe.given == given, "1.8: the source was pulled after the cancellation")
    expect(consumer.ends in ([], [None]), f"1.8: cancelled, and told {consumer.ends}")
    subject.expect_part(consumer.values, given)


@rule(
    "1.9",
    "`subscribe` returns normally, and nothing is signalled before it has.",
    ways=("subscribe",),
)
async def subscribe_returns_before_the_first_signal(subject: Subject) -> None:
    consumer = consume(subject.stream(subject.probe(COUNT)), subject.way)
    expect(not consumer.values and not consumer.ends, "1.9: signalled within subscribe()")
    await consumer.ended()
    subject.expect_all(consumer.values, COUNT)


@rule(
    "1.10",
    "A stream can be subscribed again and again; each time it runs from the start.",
    ways=("subscribe",),
)
async def each_subscription_is_a_run(subject: Subject) -> None:
    probe = subject.probe(COUNT)
    stream = subject.stream(probe)
    for opened in (1, 2, 3):
        consumer = consume(stream, subject.way)
        await consumer.ended()
        subject.expect_all(consumer.values, COUNT)
        expect(
            probe.opened == opened, f"1.10: {opened} runs opened the source {probe.opened} times"
        )


@rule(
    "1.11",
    "Subscribers at once have a run each; of readers at once one is served, others refused.",
)
async def several_consumers(subject: Subject) -> None:
    probe = subject.probe(COUNT, latency=0.005)
    stream = subject.stream(probe)
    consumers = [consume(stream, subject.way) for _ in range(2)]
    for consumer in consumers:
        await consumer.ended()
    served = [consumer for consumer in consumers if consumer.ends == [None]]
    expect(len(served) == (2 if subject.way == "subscribe" else 1), "1.11: who was served?")
    for consumer in served:
        subject.expect_all(consumer.values, COUNT)
    for consumer in consumers:
        refused = isinstance(consumer.ends[0], RuntimeError) and not consumer.values
        expect(consumer in served or refused, f"1.11: refused with {consumer.ends}")
