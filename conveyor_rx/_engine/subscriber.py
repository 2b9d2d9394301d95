"""How are our operators chained? As Observables of the usual shape, but subscribed in a loop.

An operator of ours is a `Subscriber`: it observes its source and can be cut off. Those that follow
each other are one Observable, a `Row`. It is subscribed iteratively and without observers in
between, so that 500 stages need no deeper stack than one. (The idea of Reactor's
OptimizableOperator.)
"""

from __future__ import annotations

from collections import deque
from typing import Any

from reactivex import Observable, abc
from reactivex.disposable import SingleAssignmentDisposable

from .run import Run

__all__ = ["Row", "Subscriber", "Turn", "cut_upstream", "subscribe"]


class Subscriber(abc.ObserverBase[Any]):
    """One operator in one subscription: takes what its source emits, gives to `out`."""

    out: abc.ObserverBase[Any]
    upstream: Subscriber | None = None

    def subscribed(self) -> Subscriber:
        """Return what takes part in a subscription: this, or what is made for that one alone."""
        return self

    def begin(self) -> None:
        """Do what the first operator of all can not leave to its first turn."""

    def on_next(self, value: Any) -> None:
        self.out.on_next(value)

    def on_next_all(self, values: list[Any]) -> None:
        """Take values that come at once, and wait for a turn."""
        for value in values:
            self.on_next(value)

    def on_error(self, error: Exception) -> None:
        self.out.on_error(error)

    def on_completed(self) -> None:
        self.out.on_completed()

    def cut(self) -> None:
        """Let go of all that is here: cancel, clear, count. Idempotent."""


def cut_upstream(subscriber: Subscriber, run: Run) -> None:
    """Cut off and unsubscribe all of `run` that lies upstream of `subscriber`.

    What is disposed of meanwhile, behind a foreign operator, comes after: rows of such operators
    would need a deep stack.
    """
    if not run.in_thread():
        _cut_next(subscriber, run)
        return
    if run.cutting is not None:
        run.cutting.append(subscriber)
        return
    run.cutting = pending = deque([subscriber])
    try:
        while pending:
            _cut_next(pending.popleft(), run)
    finally:
        run.cutting = None


def _cut_next(subscriber: Subscriber, run: Run) -> None:
    upstream, subscriber.upstream = subscriber.upstream, None
    while upstream is not None:
        following, upstream.upstream = upstream.upstream, None
        try:
            upstream.cut()
        except Exception as error:  # of a generator's clean-up, or a foreign operator's
            run.failures.add(error, "in the source or an Rx operator")
        upstream = following


class Row(Observable[Any]):
    """Operators of one run in a row, behind `source`; without one, the first is where it begins."""

    def __init__(self, run: Run, source: Observable[Any] | None, *operators: Subscriber) -> None:
        super().__init__()
        self.subscribed_by = run
        self.source = source
        self.operators = list(operators)

    def _subscribe_core(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        return subscribe(self, observer, self.subscribed_by, scheduler)


def subscribe(
    source: Observable[Any] | None,
    observer: abc.ObserverBase[Any],
    run: Run,
    scheduler: abc.SchedulerBase | None = None,
) -> abc.DisposableBase:
    """Subscribe `observer`, without the observer in between that `Observable.subscribe` adds."""
    root = last = Subscriber()
    while isinstance(source, Row):
        for operator in reversed(source.operators):
            subscriber = operator.subscribed()
            subscriber.out = observer
            last.upstream = subscriber
            last = observer = subscriber
        source = source.source
    if source is None:
        last.begin()
    else:
        last.upstream = above = _Above()
        run.within(above.subscribe, source, observer, scheduler)
    return _Cut(root, run)


class Turn(Subscriber):
    """Where what is handed on waits for a turn, so that the stack stays flat."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_next(self, value: Any) -> None:
        run = self._run
        run.turns_only, before = True, run.turns_only
        self.out.on_next(value)
        run.turns_only = before


class _Above(Subscriber):
    """What a foreign operator has above itself, to be cut off with the rest."""

    def __init__(self) -> None:
        self._subscription = SingleAssignmentDisposable()

    def subscribe(
        self,
        source: Observable[Any],
        observer: abc.ObserverBase[Any],
        scheduler: abc.SchedulerBase | None,
    ) -> None:
        if not self._subscription.is_disposed:  # else it was cut off before
            self._subscription.disposable = source.subscribe(observer, scheduler=scheduler)

    def cut(self) -> None:
        self._subscription.dispose()


class _Cut(abc.DisposableBase):
    """Cuts off what lies upstream of `root`."""

    def __init__(self, root: Subscriber, run: Run) -> None:
        self._root = root
        self._run = run

    def dispose(self) -> None:
        cut_upstream(self._root, self._run)
