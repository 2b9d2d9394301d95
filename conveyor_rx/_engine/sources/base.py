"""What is a source? Where a run begins: it emits while a gate is open."""

from __future__ import annotations

from typing import Any, Literal

from reactivex import Observable, abc
from reactivex.disposable import Disposable

from ..._errors.blame import blame_source
from ..run import Run
from ..subscriber import Subscriber, lift
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

    def observable(self) -> Observable[Any]:
        """Return the Observable that begins to emit, at its next turn, when it is subscribed.

        It can be subscribed once: operators that subscribe again, as `ops.retry`, get an error.
        """
        return lift(self._subscribed, self.run)(_Root(self))

    def begin(self) -> None:
        """Do what can't wait for a first turn; what that brings is emitted in turns."""

    def _subscribed(self) -> Source:
        if self.is_subscribed:
            raise RuntimeError(
                "an Rx operator subscribed a second time to the running part of a pipeline; "
                "retry in a task (retry_attempts), or put the operator behind a stream of its own"
            )
        self.is_subscribed = True
        self.run.ready |= self.bit
        self.run.schedule()
        return self


class _Root(Observable[Any]):
    """What a source seems to subscribe to: when that is done, the chain behind it is linked."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def _subscribe_core(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        self._source.begin()
        return Disposable()
