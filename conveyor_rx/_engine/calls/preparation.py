"""What must be there before the first call? The side inputs of a task, bound to its function."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ..run import Run

__all__ = ["Preparation", "unprepared"]

Function = Callable[[Any], Any]


class Prepared(Protocol):
    """The operator that makes the calls."""

    run: Run
    name: str

    def prepared(self, function: Function | None, failure: BaseException | None) -> None:
        """Begin calls of `function`, or fail them all with `failure`."""


class Preparation:
    """Gets the side inputs of one task in one run, once, in a task of its own.

    Errors: the operator is told. Cancellation: the task is cancelled, and awaited.
    """

    def __init__(self, prepare: Callable[[object], Awaitable[Function]]) -> None:
        self._prepare: Callable[[object], Awaitable[Function]] | None = prepare
        self._task: asyncio.Task[None] | None = None

    def begin(self, stage: Prepared) -> None:
        """Begin, unless that was done before."""
        if self._task is None:
            self._task = stage.run.start(self._bind(stage), f"side inputs of {stage.name}")

    def cut(self, run: Run) -> None:
        """Let go of what is not needed any more."""
        self._prepare = None
        if self._task is not None:
            run.cancel(self._task)

    async def _bind(self, stage: Prepared) -> None:
        run = stage.run
        if run.closed or self._prepare is None:
            return
        function = failure = None
        try:
            function = await self._prepare(run)
        except (KeyboardInterrupt, SystemExit) as end:  # raised by the task that loads them, too
            run.crash(end)
            return
        except BaseException as error:
            if run.closed:
                run.failures.add(error, f"in a side input of task {stage.name!r}")
                return
            failure = error
        stage.prepared(function, failure)
        del stage, failure  # an error's traceback leads to this frame


def unprepared(item: Any) -> Any:
    """Stand in for a function whose side inputs were let go of."""
    raise RuntimeError("a call without its side inputs")
