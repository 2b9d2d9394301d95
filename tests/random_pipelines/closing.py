"""Do runs that close and drain each other from everywhere all end? Random programs, by seeds.

A program is one to four streams, whose calls, sources, handlers and so on do random things: close
one of the streams by some detour, drain one, start and read runs of their own, which do the same,
sleep, and do that in their cleanup as well. They are read, closed and cancelled from outside
meanwhile. It fails if everything is blocked at some time (`Deadlock`), or if something is left at
its end.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from conveyor_rx import AsyncStream
from conveyor_rx.testing import StepLimitError, run
from tests.lifetime.closing_ways import WAYS, Close, in_a_group_of_anyio, pipelines

__all__ = ["run_programs"]

ACTS = 40  # of a program, so that it ends


def run_programs(seeds: range) -> Counter[str]:
    """Run the program of each seed, on a loop that shuffles for every other one; count the acts.

    Raises:
        Exception: a program went wrong; a note names its seed.
    """
    done: Counter[str] = Counter()
    for seed in seeds:
        program = _Program(seed)
        try:
            run(program.main, seed=seed if seed % 2 else None, max_steps=200_000)
        except StepLimitError:
            if program.has_time:
                raise
            done["no end: a clean-up takes time, and anyio lets none pass"] += 1
        except BaseException as error:
            error.add_note(f"run_programs(range({seed}, {seed + 1}))")
            raise
        done += program.done
    return done


class _Program:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.streams: list[AsyncStream[Any]] = []
        self.done: Counter[str] = Counter()
        # anyio cancels again at each turn of the loop, during which virtual time stands still.
        self.has_time = self.random.random() < 0.8
        acts = [
            self.sleep,
            self.close_somehow,
            self.close_in_time,
            self.clean_up,
            self.clean_up_closing,
            self.read_another,
            self.drain,
        ]
        self.acts = self.random.choices(acts, k=self.random.randint(1, 8))  # what it is full of
        self.ways = [way for way in WAYS if not self.has_time or way is not in_a_group_of_anyio]

    async def main(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.add_stream()
        doing = [asyncio.create_task(self.consume(stream)) for stream in self.streams]
        doing += [asyncio.create_task(self.close_later()) for _ in range(self.random.randint(0, 3))]
        if self.random.random() < 0.5:
            await asyncio.sleep(self.random.choice([0, 1, 2.5]))
            self.random.choice(doing).cancel()
            self.done["cancelled from outside"] += 1
        await asyncio.wait(doing)
        for task in doing:
            if not task.cancelled():
                task.exception()
        for stream in self.streams:
            await stream.aclose()
        await asyncio.sleep(100)  # for those that were disposed of, which nobody waits for

    def add_stream(self) -> AsyncStream[Any]:
        places = pipelines(self.act)
        place = self.random.choice(list(places))
        self.done[f"from {place}"] += 1
        stream = places[place]()
        if self.random.random() < 0.3:
            stream = stream.as_completed()
        if self.random.random() < 0.2:
            stream = stream.filter(lambda item: item is not None)
        self.streams.append(stream)
        return stream

    async def consume(self, stream: AsyncStream[Any]) -> None:
        match self.random.randrange(4):
            case 0:
                await stream.collect()
            case 1:
                async with stream:
                    async for _ in stream:
                        await self.act(None)
            case 2:
                async with stream:
                    async for _ in stream:
                        break
            case _:
                disposable = stream.subscribe(on_error=lambda error: None)
                await asyncio.sleep(self.random.choice([0, 1, 4]))
                disposable.dispose()

    async def close_later(self) -> None:
        await asyncio.sleep(self.random.choice([0, 0.5, 1, 2, 4]))
        await self.close()

    async def close(self) -> None:
        await self.random.choice(self.streams).aclose()

    async def close_somehow(self) -> None:
        way = self.random.choice(self.ways)
        self.done[f"closed {way.__name__}"] += 1
        if self.random.random() < 0.3:
            second = self.random.choice(self.ways)
            await way(_by(second, self.close))
        else:
            await way(self.close)

    async def drain(self) -> None:
        self.done["drained"] += 1
        self.random.choice(self.streams).drain(self.random.choice([None, 0, 0.5, 2]))

    async def act(self, item: Any) -> None:
        """Do something, or nothing; `item` doesn't matter."""
        if self.done.total() < ACTS and self.random.random() < 0.7:
            await self.random.choice(self.acts)()

    async def sleep(self) -> None:
        await asyncio.sleep(self.random.choice([0, 0.5, 1, 3]))

    async def take_time(self) -> None:
        if self.has_time:
            await self.sleep()
        else:
            for _ in range(self.random.randrange(5)):
                await asyncio.sleep(0)

    async def close_in_time(self) -> None:
        try:
            async with asyncio.timeout(1):
                await self.close_somehow()
        except TimeoutError:
            self.done["timed out"] += 1

    async def clean_up(self) -> None:
        try:
            await self.sleep()
        finally:
            await self.take_time()

    async def clean_up_closing(self) -> None:
        try:
            await asyncio.sleep(5)
        finally:
            await self.close_somehow()
            await self.take_time()

    async def read_another(self) -> None:
        self.done["read within"] += 1
        await self.consume(self.add_stream())


def _by(way: Callable[[Close], Awaitable[None]], close: Close) -> Close:
    async def closing() -> None:
        await way(close)

    return closing
