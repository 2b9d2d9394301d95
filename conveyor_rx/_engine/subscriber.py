"""How are our operators chained? As Observables of the usual shape, but subscribed in a loop.

An operator of ours is a `Subscriber` per subscription: it observes its source and can be cut off.
`lift` makes it `Observable -> Observable`. A row of lifted Observables is subscribed iteratively
and without observers in between, so that 500 stages need no deeper stack than one. (The idea of
Reactor's OptimizableOperator.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SingleAssignmentDisposable

from .run import Run

__all__ = ["Subscriber", "cut_upstream", "lift", "subscribe"]


class Subscriber(abc.ObserverBase[Any]):
    """One operator in one subscription: takes what its source emits, gives to `out`."""

    out: abc.ObserverBase[Any]
    upstream: Subscriber | abc.DisposableBase | None = None

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
        following = None
        try:
            if isinstance(upstream, Subscriber):
                following, upstream.upstream = upstream.upstream, None
                upstream.cut()
            else:
                upstream.dispose()
        except Exception as error:  # of a generator's clean-up, or a foreign operator's
            run.failures.add(error, "in the source or an Rx operator")
        upstream = following


class _Lifted(Observable[Any]):
    def __init__(
        self, source: Observable[Any], subscriber: Callable[[], Subscriber], run: Run
    ) -> None:
        super().__init__()
        self.subscribed_by = run
        self.source = source
        self.subscriber = subscriber

    def _subscribe_core(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        return subscribe(self, observer, self.subscribed_by, scheduler)


def subscribe(
    source: Observable[Any],
    observer: abc.ObserverBase[Any],
    run: Run,
    scheduler: abc.SchedulerBase | None = None,
) -> abc.DisposableBase:
    """Subscribe `observer`, without the observer in between that `Observable.subscribe` adds."""
    root = last = Subscriber()
    while isinstance(source, _Lifted):
        subscriber = source.subscriber()
        subscriber.out = observer
        last.upstream = subscriber
        last = observer = subscriber
        source = source.source
    last.upstream = above = SingleAssignmentDisposable()
    run.within(_subscribe_above, above, source, observer, scheduler)
    return Disposable(lambda: cut_upstream(root, run))


def _subscribe_above(
    above: SingleAssignmentDisposable,
    source: Observable[Any],
    observer: abc.ObserverBase[Any],
    scheduler: abc.SchedulerBase | None,
) -> None:
    if not above.is_disposed:  # else it was cut off before
        above.disposable = source.subscribe(observer, scheduler=scheduler)


def lift(
    subscriber: Callable[[], Subscriber], run: Run
) -> Callable[[Observable[Any]], Observable[Any]]:
    """Make an operator of a factory that gives a new `Subscriber` for each subscription."""

    def operator(source: Observable[Any]) -> Observable[Any]:
        return _Lifted(source, subscriber, run)

    return operator
