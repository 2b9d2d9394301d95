"""What if there is no loop, or it ends before the run? L5 and L6 of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import AsyncStream, SingleTask, batch_task
from conveyor_rx.testing import VirtualLoop, assert_clean
from tests.kit import in_both_modes
from tests.lifetime.pipelines import Numbers, Work, identity, of_each_stage, stages


def test_a_stream_that_is_never_read_needs_no_loop() -> None:
    """F1, L5: building and dropping a stream outside of any loop is fine."""
    work = Work()
    stream = (SingleTask(work) | batch_task(max_size=2)(list))(range(3))
    del stream
    assert work.started == []


@pytest.mark.parametrize("use", ["subscribe", "anext", "collect", "async for"])
def test_reading_without_a_loop_says_what_to_do(use: str) -> None:
    """L1: RuntimeError that speaks of the running event loop, and the stream is unharmed."""
    stream = SingleTask(identity)([1, 2])

    async def loop_over() -> None:
        async for _ in stream:
            pass

    calls: dict[str, Callable[[], Any]] = {
        "subscribe": lambda: stream.subscribe(lambda _: None),
        "anext": lambda: stream.__anext__().send(None),  # type: ignore[attr-defined]
        "collect": lambda: stream.collect().send(None),
        "async for": lambda: loop_over().send(None),
    }
    with pytest.raises(RuntimeError, match="running event loop"):
        calls[use]()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(stream.collect()) == [1, 2]


def test_a_stream_that_outlives_its_loop_is_dropped_quietly() -> None:
    """L5: no warning, no error in `__del__` when the loop is closed before the stream is gone."""
    kept: list[AsyncStream[Any]] = []

    async def main() -> None:
        kept.append(SingleTask(Work())(Numbers(0.25)))
        await anext(kept[0])

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    kept.clear()


@of_each_stage
@in_both_modes
def test_a_run_that_the_loop_ends_with_is_ended_by_it(kind: str, mode: Any) -> None:
    """L5, L7: `asyncio.run` cancels what a subscription has running: nothing pending or unseen."""
    first, last, data = Work(1, cleanup=1), Work(2, cleanup=1), Numbers(0.25)
    pipeline = SingleTask(first) | stages()[kind] | SingleTask(last)

    async def main() -> None:
        pipeline.with_execution_mode(mode)(data).subscribe(lambda _: None)
        await asyncio.sleep(9.1)

    with assert_clean(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    assert last.started
    assert sorted(map(str, first.ended)) == sorted(map(str, first.started))
    assert sorted(map(str, last.ended)) == sorted(map(str, last.started))
    assert data.closed == 1


@of_each_stage
@pytest.mark.parametrize("seed", [None, 1, 2, 8, 9, 10, 11])
def test_a_run_in_full_flow_that_the_loop_ends_with(kind: str, seed: int | None) -> None:
    """L5, L7: the same with full windows: no observer is told, no callback raises."""
    pipeline = (SingleTask(Work(1)) | stages()[kind] | SingleTask(Work(1))).with_context(
        max_in_flight=5
    )

    async def main() -> None:
        pipeline(Numbers()).subscribe(lambda _: None)
        await asyncio.sleep(50)

    def make_loop() -> VirtualLoop:
        return VirtualLoop(seed=seed)

    with assert_clean(), asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())
