"""A quick pass on uvloop, where time is real, since the virtual loop is asyncio's own."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from conveyor_rx.testing import LeakError, assert_clean
from tests.faults.disturbed import Disturbed, read
from tests.faults.loops import loops_of
from tests.faults.references import REFERENCES
from tests.faults.threads import push_from_threads
from tests.random_pipelines.plans import WAYS, Plan, model
from tests.random_pipelines.stages import Boom

FASTER = 100  # than in virtual time


@pytest.fixture
def uvloop_runner() -> Iterator[asyncio.Runner]:
    with loops_of("uvloop"), assert_clean(), asyncio.Runner() as runner:
        assert type(runner.get_loop()).__module__ == "uvloop"
        yield runner


def faster(plan: Plan) -> Plan:
    """Return a plan that takes little real time; the sources keep their pauses."""
    stages = tuple(replace(spec, latency=spec.latency / FASTER) for spec in plan.stages)
    return replace(plan, stages=stages, pause=plan.pause / FASTER)


class RealTime(Disturbed):
    """One run among others, in real time."""

    async def until(self, seconds: float | None) -> None:
        """Read to the end, or be cancelled before; then check what was given."""
        consumer = asyncio.create_task(read(self))
        await asyncio.wait({consumer}, timeout=seconds)
        consumer.cancel()
        await asyncio.wait({consumer})
        self.watch.is_over = True
        for _ in range(100 if self.plan.way == "subscribe" else 0):  # `dispose` waits for nothing
            if not +self.watch.now:
                break
            await asyncio.sleep(0.01)
        assert not +self.watch.now
        self.check_given()
        assert consumer.cancelled() or len(self.ends) == 1
        if not consumer.cancelled() and self.plan.way != "collect":
            self.check_whole()

    def check_whole(self) -> None:
        expected, end = model(self.plan)
        assert (end is None) == (self.ends == [None])
        if self.plan.ordered:
            assert self.got == expected
        elif end is None and not any(spec.is_batch for spec in self.plan.stages):
            assert Counter(self.got) == Counter(expected)


def test_the_references_on_uvloop(uvloop_runner: asyncio.Runner) -> None:
    """O1, O2, L1, L2, L5, L7: in real time, all at once: to the end, and cancelled on the way."""
    chance = random.Random(7)

    async def main() -> None:
        async with assert_clean():
            await asyncio.gather(*(RealTime(faster(p)).until(None) for p in REFERENCES.values()))
            # E9: a call may fail while its run is being cancelled, which is told to the loop.
            loop = asyncio.get_running_loop()
            tell = loop.get_exception_handler()
            assert tell is not None  # that of `assert_clean`
            loop.set_exception_handler(
                lambda loop, it: None if isinstance(it.get("exception"), Boom) else tell(loop, it)
            )
            for _ in range(3):
                await asyncio.gather(
                    *(RealTime(faster(p)).until(chance.random()) for p in REFERENCES.values())
                )

    uvloop_runner.run(main())


@pytest.mark.parametrize("way", WAYS)
def test_eight_threads_on_uvloop(way: str, uvloop_runner: asyncio.Runner) -> None:
    """L8: what other threads emit wakes this loop, too."""
    uvloop_runner.run(push_from_threads(500, way, "ordered"))


def test_idle_threads_of_its_executor_are_no_leak(uvloop_runner: asyncio.Runner) -> None:
    """`assert_clean` knows them, as it knows those of asyncio's own loops; others it finds."""

    async def main() -> None:
        async with assert_clean():
            await asyncio.to_thread(int)
        stop = threading.Event()
        stranger = threading.Thread(target=stop.wait, name="stranger")
        with pytest.raises(LeakError, match="thread 'stranger'"):
            async with assert_clean():
                stranger.start()
        stop.set()
        stranger.join()

    uvloop_runner.run(main())
