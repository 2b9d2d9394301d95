"""How is data of any kind read? As an Observable that emits while a gate is open.

What counts as many items: iterables, async iterables and Observables. `str`, bytes-like objects,
mappings and whatever is not iterable are one item.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import partial
from itertools import islice
from types import GeneratorType
from typing import Any, Literal, cast

from reactivex import Observable, abc

from .operators._arrivals import Arrivals
from .operators._pull import Pull
from .operators._run import Run
from .operators._subscriber import Subscriber, lift
from .operators._trampoline import Gate

__all__ = ["NO_DATA", "Demand", "Source", "demand", "length_of", "source_of"]

NO_DATA: Any = object()
"""In place of data: the first task is called once, without an item."""

_ONE_ITEM = (str, bytes, bytearray, memoryview, Mapping)
_END: Any = object()
_BUILT_IN: tuple[type[Iterator[Any]], ...] = (
    type(iter([])),
    type(iter(())),
    type(iter(range(0))),
    type(iter({})),
    type(iter(set[Any]())),
)
"""Iterators whose `next` runs nobody's code."""
BULK = 32  # items that are read from such an iterator at once: nobody can tell


class Source(Subscriber):
    """Where a run begins: a worker that emits to `out` while `gate` is open."""

    kind: Literal["iterable", "async iterable", "observable", "item"]
    bit = 0
    gate: Gate
    reads_ahead = False

    def __init__(self, run: Run) -> None:
        self.run = run
        self.is_subscribed = False

    def step(self) -> None:
        raise NotImplementedError

    def observable(self) -> Observable[Any]:
        """Return the Observable that begins to emit, at its next turn, when it is subscribed.

        It can be subscribed once: operators that subscribe again, as `ops.retry`, get an error.
        """
        return lift(self._subscribed)(Observable())

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


class _IterableSource(Source):
    """The source that reads an iterable.

    Order: the iterable's. Pressure: `next` while the gate is open. Cancellation: a generator is
    closed. One turn lasts until somebody downstream is ready, or the time is up.
    """

    kind = "iterable"

    def __init__(self, run: Run, iterable: Iterable[Any]) -> None:
        super().__init__(run)
        self._iterable: Iterable[Any] = iterable
        self._iterator: Iterator[Any] | None = None
        self._context = run.context.copy()  # what a generator sets there leaks nowhere
        self._next: Callable[[Iterator[Any], Any], Any] = next
        self._in_bulk = False
        self._cut = False

    def step(self) -> None:
        run, gate = self.run, self.gate
        while self.is_subscribed and gate.size < gate.limit and not self._cut:
            try:
                iterator = self._begin() if self._iterator is None else self._iterator
                value = self._next(iterator, _END)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:
                self.cut()
                self.out.on_error(error)  # pyright: ignore[reportArgumentType]  # Rx says Exception; a CancelledError passes as well
                return
            if self._cut:  # from inside of next()
                self._close()
            elif value is _END:
                self.cut()
                self.out.on_completed()
            else:
                if self._in_bulk and self.reads_ahead:
                    self._pass_on_several(value, iterator)
                else:
                    self.out.on_next(value)
                if run.ready or run.paused or run.clock() > run.turns_end:
                    run.ready |= self.bit
                    return

    def cut(self) -> None:
        self._cut = True
        self._iterable = ()
        self._close()

    def _pass_on_several(self, value: Any, iterator: Iterator[Any]) -> None:
        """Fill the queue of the first stage, for its tasks to take from."""
        run, gate, on_next = self.run, self.gate, self.out.on_next
        run.turns_only = True
        on_next(value)
        for following in islice(iterator, max(0, min(BULK, gate.limit - gate.size))):
            if self._cut:
                break
            on_next(following)
        run.turns_only = False

    def _begin(self) -> Iterator[Any]:
        self._iterator = iterator = self._context.run(iter, self._iterable)
        self._in_bulk = isinstance(iterator, _BUILT_IN)
        if not self._in_bulk:
            self._next = partial(self._context.run, next)
        return iterator

    def _close(self) -> None:
        iterator = self._iterator
        if isinstance(iterator, GeneratorType):
            if iterator.gi_running:
                return  # `step` closes it when it gives control back
            self._context.run(iterator.close)
        self._iterator = None


class _AsyncSource(Source):
    """Order: the iterable's. Pressure and cancellation: see `Pull`."""

    kind = "async iterable"

    def __init__(self, run: Run, iterable: AsyncIterable[Any]) -> None:
        super().__init__(run)
        self._iterable = iterable
        self._pull: Pull | None = None

    def step(self) -> None:
        if not self.is_subscribed:
            return
        if self._pull is None:
            self._pull = Pull(self.run, lambda: _anew(self._iterable), self.out)
            self._pull.gate = self.gate
            self._pull.begin()
        self._pull.step()

    def cut(self) -> None:
        if self._pull is not None:
            self._pull.cut()
        self._iterable = cast("AsyncIterable[Any]", None)


def _anew(iterable: AsyncIterable[Any]) -> AsyncIterable[Any]:
    """Return `iterable`, or if it is a stream, one like it: each run of ours is one of its own."""
    anew: Callable[[], AsyncIterable[Any]] | None = getattr(iterable, "anew", None)
    return anew() if anew is not None and isinstance(iterable, Observable) else iterable


class Demand:
    """How many arrivals from an Observable wait in a run: the gate of AsyncStreams inside of it.

    So back-pressure reaches through Rx operators, which know none.
    """

    limit = 16

    def __init__(self) -> None:
        self._inner: weakref.WeakSet[_InnerGate] = weakref.WeakSet()
        self.size = 0

    def gate_for(self, run: Run) -> Gate:
        """Give the gate that paces `run`."""
        gate = _InnerGate(self, run)
        self._inner.add(gate)
        return gate

    def resize(self, size: int) -> None:
        """Note how many arrivals wait."""
        opened = size < self.limit <= self.size
        self.size = size
        if opened:
            for gate in list(self._inner):
                gate.opened()


class _InnerGate:
    limit = Demand.limit

    def __init__(self, demand: Demand, run: Run) -> None:
        self._demand = demand
        self._run = run
        self.upstream_bit = 0

    @property
    def size(self) -> int:
        return self._demand.size

    def opened(self) -> None:
        self._run.ready |= self.upstream_bit
        self._run.drain()


demand: ContextVar[Demand | None] = ContextVar("conveyor_rx_demand", default=None)
"""Set while a run subscribes to an Observable: what an AsyncStream inside of it is paced by."""


class _ObservableSource(Source):
    """Order: as it is emitted. Pressure: Rx has none, so arrivals queue without bound.

    AsyncStreams inside of the Observable heed `Demand`. What other threads emit is handed to the
    loop, in order. Cancellation: the subscription is disposed.
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
        self._cut = False

    def step(self) -> None:
        if self._cut or not self.is_subscribed:
            return
        if self._observable is not None:
            self._subscribe()
        if not self._arrivals or (
            self._arrivals[0][0] == "next" and self.gate.size >= self.gate.limit
        ):
            return
        kind, value = self._arrivals.popleft()
        if self._arrivals:
            self.run.ready |= self.bit
        if kind == "next":
            self._demand.resize(len(self._arrivals))
            self.out.on_next(value)
        elif kind == "error":
            self.out.on_error(value)
        else:
            self.out.on_completed()

    def cut(self) -> None:
        self._cut = True
        self._inlet.cut()
        self._inlet.out = Subscriber()  # the Observable may hold the inlet for longer
        self._observable = None
        self._arrivals.clear()
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.dispose()

    def _subscribe(self) -> None:
        observable, self._observable = self._observable, None
        assert observable is not None
        token = demand.set(self._demand)
        try:
            subscription = observable.subscribe(self._inlet)
        except Exception as error:
            self.arrive("error", error)
            return
        finally:
            demand.reset(token)
        if self._cut:
            subscription.dispose()
        else:
            self._subscription = subscription

    def arrive(self, kind: str, value: Any) -> None:
        """Queue a notification."""
        self._arrivals.append((kind, value))
        self._demand.resize(len(self._arrivals))
        self.run.ready |= self.bit


class _Queue(Subscriber):
    def __init__(self, source: _ObservableSource) -> None:
        self._source = source

    def on_next(self, value: Any) -> None:
        self._source.arrive("next", value)

    def on_error(self, error: Exception) -> None:
        self._source.arrive("error", error)

    def on_completed(self) -> None:
        self._source.arrive("completed", None)


def is_iterable(data: object) -> bool:
    """Tell whether `data` stands for many items."""
    if isinstance(data, _ONE_ITEM):
        return False
    kind: type[Any] = type(data)
    if hasattr(kind, "__iter__"):
        return kind.__iter__ is not None
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__")


def length_of(data: Any) -> int | None:
    """Return how many items `data` has; None if it doesn't say."""
    if not is_iterable(data):
        return None if isinstance(data, AsyncIterable | Observable) else 1
    try:
        return len(data)
    except Exception:  # it has no length, or one that fails; that is no reason to fail the run
        return None


def source_of(data: Any, run: Run) -> Source:
    """Give the source that reads `data`, whatever it is."""
    if isinstance(data, AsyncIterable):
        return _AsyncSource(run, cast("AsyncIterable[Any]", data))
    if isinstance(data, Observable):
        return _ObservableSource(run, cast("Observable[Any]", data))
    if is_iterable(data):
        return _IterableSource(run, data)
    source = _IterableSource(run, (data,))
    source.kind = "item"
    return source
