"""What arrives of that which many threads push into one Observable?"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from reactivex.subject import Subject

from conveyor_rx import AsyncStream, SingleTask, batch_task

__all__ = ["THREADS", "push_from_threads"]

THREADS = 8
Item = tuple[int, int]  # the thread, and its count


async def push_from_threads(items: int, way: str, mode: Any) -> None:
    """Push `items` from each thread at once through two stages, on a real loop, and check."""
    subject: Subject[Item] = Subject()
    here = threading.get_ident()
    elsewhere: set[int] = set()

    def work(item: Item) -> Item:
        if threading.get_ident() != here:
            elsewhere.add(threading.get_ident())
        return item

    @batch_task(max_size=100)
    def together(batch: list[Item]) -> list[Item]:
        return batch

    stream = (SingleTask(work) | together).with_execution_mode(mode)(subject)
    reading = asyncio.create_task(_read(stream, way))
    while not subject.observers:  # noqa: ASYNC110  # a Subject tells nobody
        await asyncio.sleep(0)
    await asyncio.to_thread(_push, subject, items)
    got = await reading
    assert len(got) == THREADS * items
    for thread in range(THREADS):
        assert [n for who, n in got if who == thread] == list(range(items)), thread
    assert not elsewhere, "user code ran outside of the loop's thread"


def _push(subject: Subject[Item], items: int) -> None:
    def push(thread: int) -> None:
        at_once.wait()
        for n in range(items):
            subject.on_next((thread, n))

    at_once = threading.Barrier(THREADS)
    threads = [threading.Thread(target=push, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    subject.on_completed()


async def _read(stream: AsyncStream[Item], way: str) -> list[Item]:
    got: list[Item] = []
    match way:
        case "async for":
            async for item in stream:
                got.append(item)  # noqa: PERF401  # another way than `collect`
        case "collect":
            return await stream.collect()
        case _:
            over = asyncio.Event()
            stream.subscribe(got.append, on_completed=over.set)
            await over.wait()
    return got
