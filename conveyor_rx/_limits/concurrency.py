"""How many calls may run at once, over all tasks and runs that share a limit?"""

from __future__ import annotations

from typing import Any

from .._checks import check_count
from .shared import SharedLimit

__all__ = ["Limit"]


class Limit(SharedLimit):
    """Let at most `n` calls run at once, over all tasks, pipelines and runs that share this object.

    For what they share in truth: the connections of a pool, a GPU. Who comes first goes first. It
    serves one event loop at a time: a task on a second one fails with a RuntimeError as long as
    calls run or wait on the first; it may be used on one loop after another. A call that waits for
    another one of the same limit may wait for ever. Pickled, it arrives unused, since each process
    has limits of its own.

    Raises:
        TypeError, ValueError: `n` is no int of at least 1.

    >>> Limit(5)
    <Limit of 5: 0 in use>
    """

    def __init__(self, n: int) -> None:
        check_count("n", n)
        super().__init__()
        self._size = n

    def _settings(self) -> dict[str, Any]:
        return {"n": self._size}

    def _state(self) -> list[str]:
        return [str(self._size), f"{self._out} in use"]

    def _has_room(self, cost: float, now: float) -> bool:
        return self._out < self._size
