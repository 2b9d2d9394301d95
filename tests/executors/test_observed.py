"""What is told of calls that workers make: who made them, and how long they waited for that."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from conveyor_rx import AsyncStream, BatchTask, SingleTask, WorkerLostError, Workers, single_task
from conveyor_rx.events import Event, observe
from tests.executors import functions as f
from tests.executors.kit import in_real_time
from tests.executors.virtual import VirtualExecutor
from tests.kit import now
from tests.probes.event_rules import EventRules

Told = tuple[str, tuple[int, ...], str, float]

EPSILON = 0.001  # seconds: of two clocks that are read one after the other


async def told(stream: AsyncStream[Any]) -> list[Told]:
    """Run it, and give what was told of the ends of attempts: inputs, worker, seconds."""
    rules = EventRules()
    with observe(rules), suppress(Exception):
        await stream.collect()
    rules.check_end()
    assert not rules.broken, "\n".join(rules.broken)
    ends = [event for event in rules.events if event.kind in ("attempt_failed", "call_ended")]
    return [_about(event) for event in ends]


def _about(event: Event) -> Told:
    what = event.reason if event.kind == "call_ended" else "attempt failed"
    # What the test itself takes is real time: it is no more than a part of a virtual second.
    return what, event.inputs, event.worker, round(event.queued * 2) / 2


def one_second(item: Any) -> float:
    return 1.0


async def test_worker_and_wait_are_told() -> None:
    """P4: an end of a call names its worker, and the time from its start until that began."""
    executor = VirtualExecutor("a", "b", seconds=lambda number: 1.0 + number % 2)
    task = SingleTask(f.double, executor=executor, concurrency_limit=4)
    assert await told(task(range(6))) == [
        ("completed", (0,), "a", 0.0),
        ("completed", (1,), "b", 0.0),
        ("completed", (2,), "a", 1.0),
        ("completed", (4,), "b", 1.0),
        ("completed", (3,), "a", 2.0),
        ("completed", (5,), "b", 1.0),
    ]


async def test_calls_on_the_loop_have_no_worker() -> None:
    """P4: of a call that the loop makes nothing is told, also beside calls that workers make."""
    executor = VirtualExecutor("a", seconds=one_second)
    pipeline = SingleTask(f.double, executor=executor) | single_task(f.double)
    ends = await told(pipeline([1]))
    assert [worker for _, _, worker, _ in ends] == ["a", ""]


async def test_each_attempt_is_told_of_once() -> None:
    """P4, E5: of one that fails with its failure, and of the next one how long that waited."""
    executor = VirtualExecutor("a", seconds=one_second)
    task = single_task(
        f.obey,
        executor=executor,
        concurrency_limit=2,
        retry_attempts=2,
        retry_delay=0.5,
        on_error="skip_item",
    )
    assert await told(task(["x", "fail", "y"])) == [
        ("completed", (0,), "a", 0.0),
        ("attempt failed", (1,), "a", 1.0),
        ("completed", (2,), "a", 1.0),
        ("attempt failed", (1,), "a", 0.5),
        ("skipped", (1,), "", 0.0),
    ]


async def test_what_was_cut_off_is_not_told_of_another_call() -> None:
    """P4, T2: of an attempt that `total_timeout` ended nobody knows where it was."""
    executor = VirtualExecutor("a", seconds=lambda item: 0.25 if item == "quick" else 1.0)
    task = single_task(
        f.obey,
        executor=executor,
        concurrency_limit=3,
        total_timeout=2.5,
        on_error="skip_item",
    )
    assert await told(task(["x", "y", "z", "quick"])) == [
        ("completed", (0,), "a", 0.0),
        ("completed", (1,), "a", 1.0),
        ("attempt failed", (2,), "", 0.0),
        ("skipped", (2,), "", 0.0),
        ("completed", (3,), "a", 2.0),
    ]


@pytest.mark.parametrize("give", [f.up_to, f.obey, f.nothing_of_odd_ones])
async def test_whatever_the_call_gives(give: Callable[..., Any]) -> None:
    """P4: a list, one value, or none."""
    executor = VirtualExecutor("a", seconds=one_second)
    task = SingleTask(give, executor=executor, concurrency_limit=1)
    for _, _, worker, queued in await told(task([0, 1, 300])):
        assert (worker, queued) == ("a", 0.0)


async def test_calls_of_a_chunk_wait_until_it_begins() -> None:
    """P4, X5: what is sent together begins together."""
    executor = VirtualExecutor("a", seconds=one_second)
    task = SingleTask(f.double, executor=Workers(executor, chunk=2), concurrency_limit=5)
    waits = {inputs: queued for _, inputs, _, queued in await told(task(range(5)))}
    assert waits == {(0,): 0.0, (1,): 1.0, (2,): 1.0, (3,): 3.0, (4,): 3.0}


async def test_batches() -> None:
    """P4, E3: a batch is one call; the halves of one that fails are attempts of it."""
    executor = VirtualExecutor("a", seconds=one_second)
    task = BatchTask(f.all_doubled, max_size=2, executor=executor, on_error="skip_item")
    assert await told(task([1, 2, 3, None])) == [
        ("completed", (0, 1), "a", 0.0),
        ("attempt failed", (2, 3), "a", 1.0),
        ("attempt failed", (3,), "a", 0.0),
        ("skipped", (2, 3), "", 0.0),
    ]


@pytest.mark.parametrize("limit", [1, 3, None])
async def test_observing_changes_nothing(limit: int | None) -> None:
    """P1: calls begin and end at the same instants, with a probe and without."""
    runs: list[list[tuple[float, Any]]] = []
    for probes in ((), (lambda event: None,)):
        executor = VirtualExecutor("a", "b", seconds=lambda number: 1.0 + number % 3)
        task = single_task(
            f.inverse, executor=executor, concurrency_limit=limit, on_error="skip_item"
        )
        start = now()
        with observe(*probes):
            runs.append([(now() - start, one) async for one in task(range(12))])
    assert runs[0] == runs[1]


@in_real_time
async def test_names_of_threads_and_processes() -> None:
    """P4: a thread has its own name, and a process its number."""
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
        ends = await told(SingleTask(f.double, executor=pool)([1, 2]))
    assert {worker for _, _, worker, _ in ends} == {"mine_0"}
    pids: list[int] = []
    with Workers("processes", 1) as workers:
        task = SingleTask(f.where, executor=workers)
        ends = await told(task.as_completed([1]))
        pids = [pid async for pid, _ in task([1])]
    assert [worker for _, _, worker, _ in ends] == [f"process {pids[0]}"]


@in_real_time
@pytest.mark.parametrize(("order", "options"), [("exit", {}), ("hang", {"timeout": 0.2})])
async def test_a_process_that_dies_is_named(order: str, options: dict[str, Any]) -> None:
    """P4, X6: also who was at a call that has no answer."""
    events: list[Event] = []
    with Workers("processes", 1) as workers:
        task = SingleTask(f.obey, executor=workers, concurrency_limit=1, **options)
        with observe(events.append), pytest.raises((WorkerLostError, TimeoutError)):
            await task([0.1, order]).collect()
    (failed,) = (event for event in events if event.kind == "attempt_failed")
    assert re.fullmatch(r"process \d+", failed.worker)
    *_, started = (event for event in events if event.kind == "call_started")
    assert failed.queued <= failed.time - started.time - options.get("timeout", 0.0) + EPSILON


@in_real_time
async def test_a_thread_that_takes_too_long_is_named() -> None:
    """P4, T1: it goes on, and is named as the one that was at the call."""
    events: list[Event] = []
    with Workers("threads", 1) as workers:
        task = SingleTask(f.obey, executor=workers, concurrency_limit=1, timeout=0.05)
        with observe(events.append), pytest.raises(TimeoutError):
            await task([0.3]).collect()
    (failed,) = (event for event in events if event.kind == "attempt_failed")
    assert failed.worker.startswith("conveyor_rx")
    (started,) = (event for event in events if event.kind == "call_started")
    assert failed.queued <= failed.time - started.time - 0.05 + EPSILON


async def test_what_runs_now() -> None:
    """L10: calls that were handed over are listed, also those that wait for their worker."""
    executor = VirtualExecutor("a", seconds=one_second)
    stream = SingleTask(f.double, executor=executor, concurrency_limit=3)(range(4))
    reading = asyncio.create_task(stream.collect())
    await asyncio.sleep(0.5)
    assert [call.inputs for call in stream.running()] == [(0,), (1,), (2,)]
    assert stream.stats[0].waiting_for_worker == 2
    assert await reading == [0, 2, 4, 6]
    assert stream.running() == ()
