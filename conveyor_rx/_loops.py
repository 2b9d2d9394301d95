"""How do threads and event loops call each other?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["call_on", "running_loop"]


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
