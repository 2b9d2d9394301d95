"""Does a stage pass demand and cancellation on as §3 of Reactive Streams says?"""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import Any

from ._consumer import QUIET, Consumer, consume, demand, expect_over
from ._probe import Probe
from ._publisher import COUNT
from ._rules import rule
from ._subject import Subject, expect

MANY = 300


@rule(
    "3.2",
    "Within a signal the consumer may ask for more: the next result, or another run.",
    ways=("async for", "subscribe"),
)
async def demand_from_within_a_signal(subject: Subject) -> None:
    probe = subject.probe(COUNT)
    stream = subject.stream(probe)
    if subject.way == "async for":
        results = aiter(stream)
        got: list[Any] = []
        async for value in results:
            got.append(value)
            more = await anext(results, None)
            if more is not None:
                got.append(more)
        subject.expect_all(got, COUNT)
        return
    inner: list[Consumer] = []

    def ask(_: Any) -> None:
        if not inner:
            inner.append(consume(stream, subject.way))

    outer = consume(stream, subject.way, on_value=ask)
    await outer.ended()
    await inner[0].ended()
    for consumer in (outer, *inner):
        subject.expect_all(consumer.values, COUNT)


@rule(
    "3.3",
    "Asking and giving call each other to a bounded depth, whatever the number of items.",
)
async def the_stack_stays_flat(subject: Subject) -> None:
    probe = subject.probe(MANY)
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.ended()
    depths = probe.readings[0].depths
    early, late = max(depths[: MANY // 2]), max(depths[MANY // 2 :])
    expect(late <= early, f"3.3: the stack grows with the items, from {early} to {late} frames")


@rule(
    "3.5",
    "A cancellation takes no time and is legal at any moment: before, amid and after a run.",
)
async def cancelling_is_prompt(subject: Subject) -> None:
    clock = asyncio.get_running_loop().time
    probe = subject.probe(None, latency=0.005)
    stream = subject.stream(probe)
    await stream.aclose()
    expect(probe.opened == 0, "3.5: closing opened the source")
    stream = subject.stream(probe)
    consumer = consume(stream, subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    start = clock()
    await consumer.cancel()
    quiet = QUIET if subject.way == "subscribe" else 0.0
    expect(clock() == start + quiet, f"3.5: cancelling took {clock() - start} s")
    expect(probe.closed == 1, "3.5: the source is not closed")
    await consumer.cancel()


@rule(
    "3.6",
    "After a cancellation a demand gets the end, a new reader is refused, and nothing moves.",
    ways=("async for", "collect"),
)
async def demand_after_a_cancellation(subject: Subject) -> None:
    probe = subject.probe(None, latency=0.005)
    stream = subject.stream(probe)
    consumer = consume(stream, subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    await consumer.cancel()
    given = probe.given
    await expect_over(stream, "3.6")
    expect(probe.given == given, "3.6: the source was pulled after the cancellation")
    expect(not probe.misuse(), "; ".join(probe.misuse()))


@rule(
    "3.7",
    "A second cancellation does nothing, also if it comes while the first goes on.",
)
async def cancelling_again(subject: Subject) -> None:
    probe = subject.probe(None, latency=0.005)
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    await asyncio.gather(consumer.cancel(), consumer.cancel())
    await consumer.cancel()
    expect(probe.closed == 1, "3.7: the source is not closed")
    expect(not probe.misuse(), "; ".join(probe.misuse()))


@rule(
    "3.8",
    "So many demands get so many results, however long the consumer waits in between.",
    ways=("async for",),
)
async def each_demand_counts(subject: Subject) -> None:
    probe = subject.probe(None, latency=0.001)
    stream = subject.stream(probe)
    got: list[Any] = []
    for pause in (0.0, 10.0, 0.0, 0.001, 10.0, 0.0):
        got.append(await demand(stream))
        await asyncio.sleep(pause)
    subject.expect_part(got, probe.given)
    expect(len(got) == 6, "3.8: a demand was lost")
    await stream.aclose()


@rule(
    "3.12",
    "After a cancellation the source is asked for nothing, and is closed.",
)
async def a_cancellation_stops_the_source(subject: Subject) -> None:
    for given in (0, 1, COUNT):
        probe = subject.probe(None, latency=0.005)
        consumer = consume(subject.stream(probe), subject.way)
        await consumer.until(lambda source=probe, least=given: source.given >= least)
        await consumer.cancel()
        count = probe.given
        await asyncio.sleep(QUIET)
        expect(probe.given == count, "3.12: the source was pulled after the cancellation")
        expect(probe.closed == probe.opened, "3.12: the source is not closed")


@rule(
    "3.13",
    "After a cancellation nothing holds the consumer or the source, collector or not.",
)
async def a_cancellation_lets_go(subject: Subject) -> None:
    enabled = gc.isenabled()
    gc.disable()
    try:
        references = await _cancelled_run(subject)
        await asyncio.sleep(QUIET)
        if sys.gettrace() is not None:
            gc.collect()  # on 3.11 a tracer, such as coverage's, makes cycles of its own
        alive = [reference() for reference in references]
        expect(not any(alive), f"3.13: still held after the cancellation: {alive}")
    finally:
        if enabled:
            gc.enable()


@rule(
    "3.14",
    "Cancelling one subscription leaves the others alone.",
    ways=("subscribe",),
)
async def other_runs_go_on(subject: Subject) -> None:
    probe = subject.probe(COUNT, latency=0.005)
    stream = subject.stream(probe)
    cancelled, other = (consume(stream, subject.way) for _ in range(2))
    await cancelled.until(lambda: probe.given >= COUNT)
    await cancelled.cancel()
    await other.ended()
    expect(not cancelled.ends, f"3.14: cancelled, and told {cancelled.ends}")
    subject.expect_all(other.values, COUNT)


@rule(
    "3.15",
    "A cancellation gets to its end and signals nothing, even if the source fails on being closed; "
    "the failure is told once, to whoever cancels or to the loop's exception handler.",
)
async def cancelling_ends(subject: Subject) -> None:
    probe = _FailsToClose(subject.item, None, latency=0.005)
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    told: list[object] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(context.get("exception")))
    try:
        await consumer.cancel()
    except OSError as error:
        told.append(repr(error))  # the error itself leads back to this frame
    finally:
        loop.set_exception_handler(before)
    expect(consumer.ends in ([], [None]), f"3.15: cancelled, and told {consumer.ends}")
    expect(len(told) == 1, f"3.15: the source failed on being closed, and told was {told}")


@rule(
    "3.17",
    "Who asks for everything gets everything, in one go.",
    ways=("collect", "subscribe"),
)
async def unbounded_demand(subject: Subject) -> None:
    consumer = consume(subject.stream(subject.probe(MANY)), subject.way)
    await consumer.ended()
    subject.expect_all(consumer.values, MANY)


async def _cancelled_run(subject: Subject) -> list[weakref.ref[Any]]:
    probe = subject.probe(None, latency=0.005)
    consumer = consume(subject.stream(probe), subject.way)
    await consumer.until(lambda: probe.given > COUNT)
    await consumer.cancel()
    return [weakref.ref(consumer), weakref.ref(probe)]


class _FailsToClose(Probe):
    """A probe whose readings raise when they are closed."""

    def __aiter__(self) -> Any:
        return _close_badly(super().__aiter__())


async def _close_badly(items: Any) -> Any:
    try:
        async for item in items:
            yield item
    finally:
        raise OSError("the source can't be closed")
