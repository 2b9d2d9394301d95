"""Where does a task wait?"""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from types import FrameType
from typing import Any, TypeGuard

__all__ = ["describe_generator", "describe_task"]

# The attributes by which coroutines, async generators and generators show their frame and what they
# wait for.
SUSPENDED = (("cr_frame", "cr_await"), ("ag_frame", "ag_await"), ("gi_frame", "gi_yieldfrom"))
DEPTH = 50


def describe_task(task: asyncio.Task[Any]) -> str:
    """Return the name of `task` and the chain of awaits to where it waits, outermost first."""
    return f"task {task.get_name()!r}: {' > '.join(_chain(task.get_coro())) or 'no frame'}"


def describe_generator(generator: object) -> str:
    """Return where an async generator stands."""
    name = getattr(generator, "__qualname__", "?")
    return f"async generator {name!r}: {' > '.join(_chain(generator)) or 'no frame'}"


def _chain(start: object) -> list[str]:
    """Return one entry for each frame from `start` inwards, then what the last one waits for."""
    found: list[str] = []
    current: object | None = start
    while current is not None and len(found) < DEPTH:
        for frame_name, await_name in SUSPENDED:
            if hasattr(current, frame_name):
                frame = getattr(current, frame_name)
                if frame is not None:
                    found.append(_place(frame))
                current = getattr(current, await_name)
                break
        else:
            if _is_future(current):
                return [*found, _awaited(current)]
            current = _wrapped(current)
    return found


def _wrapped(wrapper: object) -> object | None:
    """Return the awaitable inside one of the interpreter's wrappers.

    `async for` awaits an `asend` object and `await future` an iterator; neither has an attribute
    that leads to what it wraps, so the garbage collector is asked.
    """
    for inner in gc.get_referents(wrapper):
        if _is_future(inner) or any(hasattr(inner, name) for name, _ in SUSPENDED):
            return inner
    return None


def _is_future(value: object) -> TypeGuard[asyncio.Future[Any]]:
    return isinstance(value, asyncio.Future)


def _awaited(future: asyncio.Future[Any]) -> str:
    kind = type(future).__name__
    return f"{kind} {future.get_name()!r}" if isinstance(future, asyncio.Task) else kind


def _place(frame: FrameType) -> str:
    code = frame.f_code
    file = "/".join(Path(code.co_filename).parts[-2:])
    return f"{code.co_qualname} ({file}:{frame.f_lineno})"
