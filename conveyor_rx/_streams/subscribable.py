"""How is a stream subscribed to? Each time in a run of its own; without stages it is plain Rx."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar, cast

import reactivex
from reactivex import Observable, abc

from .._engine.run import enclosing
from .._errors.tracebacks import hides
from .._fluent import Fluent
from .begin import begin_pushed
from .draining import Draining
from .latest import Latest
from .origin import Origin
from .start import running_loop

__all__ = ["Subscribable"]

__tracebackhide__ = hides  # for pytest

T_co = TypeVar("T_co", covariant=True)


class Subscribable(Fluent[T_co]):
    """A stream that can be subscribed to."""

    _origin: Origin
    _latest: Latest
    _draining: Draining

    def subscribe(
        self,
        on_next: abc.ObserverBase[T_co] | abc.OnNext[T_co] | None = None,
        on_error: abc.OnError | None = None,
        on_completed: abc.OnCompleted | None = None,
        *,
        scheduler: abc.SchedulerBase | None = None,
    ) -> abc.DisposableBase:
        """Start a run that pushes its results, beginning soon after this has returned.

        An Observable that is the source is subscribed to here and now, and misses nothing.
        The end is told when every call has ended. Disposing cancels the run without waiting.

        Raises:
            RuntimeError: no event loop runs in this thread.
        """
        from .._errors.audience import subscribing

        if not self._origin.is_plain:
            running_loop()
        elif subscribing.audience is None and enclosing.get() is None:
            return self._subscribe_audience(on_next, on_error, on_completed, scheduler)
        return super().subscribe(on_next, on_error, on_completed, scheduler=scheduler)

    def _subscribe_audience(
        self, on_next: Any, on_error: Any, on_completed: Any, scheduler: abc.SchedulerBase | None
    ) -> abc.DisposableBase:
        from .._errors.audience import Audience

        if callable(getattr(on_next, "on_next", None)):  # an observer, as reactivex finds out
            on_error, on_completed = on_next.on_error, on_next.on_completed
            on_next = on_next.on_next
        subscribe = super().subscribe
        if on_error is None:
            return subscribe(on_next, None, on_completed, scheduler=scheduler)
        audience = Audience(on_error, on_completed)
        return audience.subscribe(partial(subscribe, on_next, scheduler=scheduler))

    def _subscribe_core(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        if self._origin.is_plain:
            source = cast("Observable[Any]", self._origin.source)
            if self._draining.covers(None):
                source = reactivex.empty()
            if type(source) is Observable:  # without an observer in between, and frames for it
                return source._subscribe_core(observer, scheduler)
            return source.subscribe(observer, scheduler=scheduler)
        return begin_pushed(self._origin, self._latest, self._draining, observer)
