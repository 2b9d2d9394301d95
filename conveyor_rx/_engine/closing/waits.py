"""Who waits for a task, as far as asyncio lets one see? A ring of such waits would never end.

The callbacks of a future lead to whoever waits for it: tasks, what `asyncio.gather`, `wait` and
`shield` have handed out, groups of tasks, and what we wait with ourselves. Who waits by way of an
event, a queue or a lock, or for the next result of another run, is not seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

__all__ = ["Waited", "Waiter", "all_wait_for", "wake"]

_Future = asyncio.Future[Any]


class Waited:
    """What has a callback of its own at the end of tasks, for which others wait."""

    __slots__ = ()

    def who_wait(self) -> Iterable[_Future]:
        """Give the futures that are told of the end."""
        raise NotImplementedError


class Waiter(asyncio.Future[None]):
    """The future that `closer` awaits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, closer: _Future | None) -> None:
        super().__init__(loop=loop)
        self.closer = closer


def wake(waiters: Iterable[Waiter]) -> None:
    """Let those go on that wait still."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


def all_wait_for(closer: _Future | None, tasks: Iterable[_Future]) -> bool:
    """Tell whether each of `tasks` waits, by whatever detour, for `closer` to end."""
    if closer is None:
        return False
    seen = {closer}
    ahead = [closer]
    while ahead:
        for callback, *_ in getattr(ahead.pop(), "_callbacks", None) or ():
            found = [future for future in _behind(callback) if future not in seen]
            seen.update(found)
            ahead += found
    return all(task in seen for task in tasks)


def _behind(callback: Any) -> list[_Future]:
    """Give the futures, tasks included, that go on by means of `callback`."""
    values: list[Any] = [getattr(callback, "__self__", None)]  # a task, a group
    if isinstance(callback, partial):
        values += cast("partial[Any]", callback).args
    for cell in getattr(cast("object", callback), "__closure__", None) or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # it is empty
            pass
    futures: list[_Future] = []
    for value in values:
        if isinstance(value, Waited):
            futures += value.who_wait()
        elif type(value).__name__ == "TaskGroup":  # of asyncio or anyio
            value = getattr(value, "_on_completed_fut", None)
        if isinstance(value, asyncio.Future):
            futures.append(cast("_Future", value))
    return futures
