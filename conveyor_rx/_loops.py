"""How do threads and event loops call each other?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["call_on", "in_thread", "running_loop"]


def call_on(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: Any) -> bool:
    """Have `callback` called by `loop`, from any thread; return whether that is possible."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:  # it has been closed: nobody is there any more
        return False
    return True


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, if there is one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def in_thread(work: Callable[[], None]) -> None:
    """Do `work`, which blocks, in a thread of its own, that goes on if this is cancelled."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not done.done():
            done.set_result(None)

    def do() -> None:
        try:
            work()
        finally:
            call_on(loop, tell)

    threading.Thread(target=do, daemon=True).start()
    await done
