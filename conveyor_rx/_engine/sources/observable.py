"""How is an Observable read, which heeds no gate? What it emits waits; streams inside are paced."""

from __future__ import annotations

from collections import deque
from typing import Any

from reactivex import Observable, abc

from ..arrivals import Arrivals
from ..run import Run
from ..subscriber import Subscriber
from .base import Source
from .demand import Demand, demand

__all__ = ["ObservableSource"]


class ObservableSource(Source):
    """Order: as it is emitted. Pressure: Rx has none, so arrivals queue without bound.

    It is subscribed to as soon as the run is: a hot one would not wait for a first turn.
    AsyncStreams inside of the Observable heed `Demand`. What other threads emit is handed to the
    loop, in order. Cancellation: the subscription is disposed, and with it the streams inside.
    """

    kind = "observable"

    def __init__(self, run: Run, observable: Observable[Any]) -> None:
        super().__init__(run)
        self._observable: Observable[Any] | None = observable
        self._subscription: abc.DisposableBase | None = None
        self._arrivals: deque[tuple[str, Any]] = deque()
        self._demand = Demand()
        self._inlet = Arrivals(run)
        self._inlet.out = _Queue(self)
        self._is_stopped = False
        self._has_ended = False
        self._cut = False

    def step(self) -> None:
        if self._cut or not self.is_subscribed:
            return
        if self._is_stopped:
            self._end_early()
        if not self._arrivals or (
            self._arrivals[0][0] == "next" and self.gate.size >= self.gate.limit
        ):
            return
        kind, value = self._arrivals.popleft()
        if self._arrivals:
            self.run.ready |= self.bit
        if kind == "next":
            self._demand.resize(len(self._arrivals))
            self.emit(value)
        elif kind == "error":
            self.fail(value)
        else:
            self.out.on_completed()

    def begin(self) -> None:
        if self.run.in_thread():
            self.run.within(self.run.take_turn, self._subscribe, None)
        else:  # an operator has subscribed late, on a thread of its own
            self.run.loop.call_soon_threadsafe(self.run.take_turn, self._subscribe, None)

    def stop(self) -> None:
        if not self._cut:
            self._is_stopped = True
            self._observable = None  # perhaps it is not subscribed to yet
            self._inlet.stop()

    def cut(self) -> None:
        self._cut = True
        self._inlet.cut()
        self._inlet.out = Subscriber()  # the Observable may hold the inlet for longer
        self._observable = None
        self._arrivals.clear()
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.dispose()

    def _subscribe(self, _: None) -> None:
        observable, self._observable = self._observable, None
        if observable is None:  # it was cut off before
            return
        token = demand.set(self._demand)
        try:
            subscription = observable.subscribe(self._inlet)
        except (KeyboardInterrupt, SystemExit) as end:
            self.run.crash(end)
            raise
        except BaseException as error:
            self.arrive("error", error)
            return
        finally:
            demand.reset(token)
        if self._cut:
            subscription.dispose()
        else:
            self._subscription = subscription

    def _end_early(self) -> None:
        self._is_stopped = False
        subscription, self._subscription = self._subscription, None
        error: BaseException | None = None
        try:
            if subscription is not None:
                subscription.dispose()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as raised:
            error = raised
        if not self._has_ended:
            self.arrive("completed" if error is None else "error", error)
        elif error is not None:
            self.run.failures.add(error, "in the source")

    def arrive(self, kind: str, value: Any) -> None:
        """Queue a notification."""
        self._has_ended = kind != "next"
        self._arrivals.append((kind, value))
        self._demand.resize(len(self._arrivals))
        self.run.ready |= self.bit


class _Queue(Subscriber):
    def __init__(self, source: ObservableSource) -> None:
        self._source = source

    def on_next(self, value: Any) -> None:
        self._source.arrive("next", value)

    def on_error(self, error: Exception) -> None:
        self._source.arrive("error", error)

    def on_completed(self) -> None:
        self._source.arrive("completed", None)
