"""What is a source? Where a run begins: it emits while a gate is open."""

from __future__ import annotations

from typing import Any, Literal

from ..._errors.blame import blame_source
from ..run import Run
from ..subscriber import Subscriber
from ..turns.trampoline import Gate

__all__ = ["Source"]


class Source(Subscriber):
    """Where a run begins: a worker that emits to `out` while `gate` is open."""

    kind: Literal["iterable", "async iterable", "observable", "item"]
    bit = 0
    gate: Gate
    reads_ahead = False

    def __init__(self, run: Run) -> None:
        self.run = run
        self.given = 0  # how many items there were
        self.is_subscribed = False

    def step(self) -> None:
        raise NotImplementedError

    def emit(self, value: Any) -> None:
        """Pass on an item."""
        self.run.inputs = self.given
        self.given += 1
        self.out.on_next(value)

    def fail(self, error: BaseException) -> None:
        """Pass on what the source ended with, and say where."""
        error = blame_source(error, self.given)
        self.out.on_error(error)  # pyright: ignore[reportArgumentType]  # Rx says Exception; a CancelledError passes as well

    def stop(self) -> None:
        """Pull nothing more. The end is told in a turn, behind all that was pulled."""
        raise NotImplementedError

    def subscribed(self) -> Source:
        """Begin to emit, at the next turn.

        It can be subscribed once: operators that subscribe again, as `ops.retry`, get an error.
        """
        if self.is_subscribed:
            raise RuntimeError(
                "an Rx operator subscribed a second time to the running part of a pipeline; "
                "retry in a task (retry_attempts), or put the operator behind a stream of its own"
            )
        self.is_subscribed = True
        self.run.ready |= self.bit
        if not self.run.paused:  # else whoever ends the pause sees to that
            self.run.schedule()
        return self
