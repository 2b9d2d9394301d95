"""Whose child is a span, and where is it the current one?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from reactivex import operators as ops

from conveyor_rx import batch_task, single_task
from conveyor_rx.events import observe

pytest.importorskip("opentelemetry.sdk", reason="the SDK of OpenTelemetry is not installed")

from tests.probes.telemetry import Telemetry, pairs, slow

real_time = pytest.mark.real_time("threads have no virtual time")


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


async def test_the_caller_is_who_reads_first(telemetry: Telemetry) -> None:
    """F1: a run begins when its stream is first read, not where it is made, or read on."""
    start = telemetry.tracer.start_as_current_span
    with observe(telemetry.probe(spans=True)):
        with start("maker"):
            stream = slow([1, 1, 1, 1])
        with start("reader"):
            await anext(stream)
        with start("other"):
            await stream.collect()
    assert telemetry.parents()["slow"] == {"slow"} | {"reader"}


async def test_without_a_span_of_the_run(telemetry: Telemetry) -> None:
    """The caller's span is the parent of the calls' themselves, or nothing is."""
    probe = telemetry.probe(spans=True, run_spans=False)
    with observe(probe):
        with telemetry.tracer.start_as_current_span("caller"):
            await slow([1]).collect()
        await pairs([1, 2]).collect()
    assert telemetry.parents() == {"caller": {None}, "slow": {"caller"}, "pairs": {None}}


@real_time
async def test_the_span_of_a_call_is_current_in_it_and_in_its_threads(telemetry: Telemetry) -> None:
    """In coroutines and generators, in each attempt, in threads and in tasks begun there."""

    def note(name: str) -> None:
        telemetry.tracer.start_span(name).end()

    @single_task(retry_attempts=2, retry_delay=0)
    async def call(n: int) -> int:
        note("in a call")
        await asyncio.to_thread(note, "in a thread")
        await asyncio.create_task(asyncio.to_thread(note, "in a task's thread"))
        if len([span for span in telemetry.spans if span.name == "in a call"]) == 1:
            raise ValueError
        return n

    @single_task
    async def agen(n: int) -> Any:
        note("in an async generator")
        yield n
        note("in an async generator")

    @single_task
    def gen(n: int) -> Any:
        note("in a generator")
        yield n

    @batch_task(max_size=2)
    async def batch(items: list[int]) -> list[int]:
        note("in a batch")
        return items

    with observe(telemetry.probe(spans=True)), telemetry.tracer.start_as_current_span("caller"):
        await (call | agen | gen | batch)([1]).collect()
        note("after it")
    parents = telemetry.parents()
    assert {name: parents[name] for name in parents if name.startswith(("in", "after"))} == {
        "in a call": {"call"},
        "in a thread": {"call"},
        "in a task's thread": {"call"},
        "in an async generator": {"agen"},
        "in a generator": {"gen"},
        "in a batch": {"batch"},
        "after it": {"caller"},
    }


async def test_the_span_of_a_call_is_current_in_a_plain_function(telemetry: Telemetry) -> None:
    """As in the others."""

    @single_task
    def plain(n: int) -> int:
        telemetry.tracer.start_span("in a plain function").end()
        return n

    with observe(telemetry.probe(spans=True)):
        await plain([1]).collect()
    assert telemetry.parents()["in a plain function"] == {"plain"}


async def test_the_span_of_a_call_is_not_current_outside_of_it(telemetry: Telemetry) -> None:
    """Sources and operators belong to the caller, whatever call they follow on."""

    def note(name: str) -> Any:
        telemetry.tracer.start_span(name).end()
        return True

    plain = single_task(task_name="plain")(lambda n: n)
    source = (n for n in range(4) if note("in the source"))
    with observe(telemetry.probe(spans=True)), telemetry.tracer.start_as_current_span("caller"):
        pipeline = plain | slow | ops.filter(lambda _: note("in an operator")) | plain
        async for _ in pipeline(source):
            note("in the consumer")
    parents = telemetry.parents()
    assert parents["in the source"] == {"caller"}
    assert parents["in an operator"] == {"caller"}
    assert parents["in the consumer"] == {"caller"}


async def test_inner_runs_are_under_the_call_that_reads_them(telemetry: Telemetry) -> None:
    """A run that is begun in a call has that call's span as its parent."""

    @single_task(task_name="outer")
    async def outer(n: int) -> int:
        return len(await (slow | pairs)([n, n]).collect())

    with observe(telemetry.probe(spans=True)):
        await outer([1, 2]).collect()
    assert telemetry.parents() == {
        "outer": {None, "outer"},  # the run, and its calls
        "slow | pairs": {"outer"},
        "slow": {"slow | pairs"},
        "pairs": {"slow | pairs"},
    }
