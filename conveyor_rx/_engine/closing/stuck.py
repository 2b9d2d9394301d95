"""Which tasks do not end, though they were cancelled? They are named, as a close waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from types import FrameType
from typing import Any

from ..._errors.tracebacks import OURS

__all__ = ["report_stuck"]

NAMED = 3


def report_stuck(
    loop: asyncio.AbstractEventLoop,
    tasks: Collection[asyncio.Future[Any]],
    waiting: Collection[asyncio.Future[Any] | None],
    seconds: float,
) -> None:
    """Tell the loop's exception handler of some of `tasks`, where they are, and who waits."""
    closers = ", ".join(sorted(repr(t.get_name()) for t in waiting if isinstance(t, asyncio.Task)))
    some = sorted(tasks, key=str)[:NAMED]
    names = "; ".join(_describe(task) for task in some)
    more = f"; and {len(tasks) - NAMED} more" if len(tasks) > NAMED else ""
    message = (
        f"a stream that was closed has been waiting for {seconds:g} s for tasks that do not end: "
        f"{names}{more}; a call must end when it is cancelled, and must not wait for who waits "
        f"for it: task {closers}"
    )
    loop.call_exception_handler({"message": message, "future": some[0]})


def _describe(task: asyncio.Future[Any]) -> str:
    """Name `task`, and where in the user's code it is."""
    if not isinstance(task, asyncio.Task):
        return f"a {type(task).__name__}"
    coroutine: Any = task.get_coro()
    while getattr(coroutine, "cr_frame", None) and coroutine.cr_code.co_filename.startswith(OURS):
        coroutine = coroutine.cr_await
    name = f"task {task.get_name()!r}"
    frame: FrameType | None = getattr(coroutine, "cr_frame", None)
    if frame is None:
        return name
    code = frame.f_code
    return f"{name} in {code.co_qualname} ({code.co_filename}:{frame.f_lineno})"
