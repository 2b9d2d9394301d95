"""What does a user hold while data flows? An Observable that can be iterated with `async for`."""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Coroutine,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, cast, overload

import reactivex
from reactivex import Observable, abc, compose

from ._checks import check_seconds
from ._engine.outlets.reader import Reader
from ._engine.run import enclosing
from ._engine.sources import check_data
from ._errors.tracebacks import hides
from ._fluent import Fluent
from ._later import names_later
from ._streams.begin import begin_pulled, begin_pushed
from ._streams.cursor import Cursor, Reading, Task, current_task
from ._streams.draining import Draining
from ._streams.latest import Latest
from ._streams.origin import Origin
from ._streams.plan import Plan
from ._streams.start import is_loop_running, running_loop

if TYPE_CHECKING:
    from ._stats import StageStats, Stats
    from ._streams.running import RunningCall

__all__ = ["AsyncStream", "RunningCall", "Source", "StageStats", "Stats"]

__getattr__ = names_later(
    __name__,
    {"RunningCall": "._streams.running", "StageStats": "._stats", "Stats": "._stats"},
)
__tracebackhide__ = hides  # for pytest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
M = TypeVar("M", bound=Mapping[Any, Any])

Source: TypeAlias = Iterable[T] | AsyncIterable[T] | Observable[T] | T  # whatever a stream reads


class AsyncStream(Fluent[T_co]):
    """A stream of results: iterate it, collect it, subscribe to it, or put Rx operators behind it.

    It is cold: nothing runs before the first `anext`, `collect` or `subscribe`. Iterating and
    collecting are one run, which one task reads, once, on the loop on which it began; each
    `subscribe` is a run of its own. `AsyncStream(source)` wraps any source: an
    iterable, an async iterable, an Observable.

    Order: as the pipeline says. Errors: the original exception, after the results before it.
    Cancellation: `aclose`, `async with`, an error and a cancelled consumer give control back when
    every call has ended; a `break` starts nothing new; dropping the stream closes it. Pressure:
    only what the consumer asks for is pulled, up to the windows.

    >>> import asyncio
    >>> asyncio.run(AsyncStream(range(5)).filter(lambda n: n % 2 == 0).collect())
    [0, 2, 4]
    """

    @overload
    def __init__(self: AsyncStream[str], source: str) -> None: ...
    @overload
    def __init__(self: AsyncStream[bytes], source: bytes) -> None: ...
    @overload
    def __init__(self: AsyncStream[M], source: M) -> None: ...
    @overload
    def __init__(
        self: AsyncStream[T], source: Observable[T] | AsyncIterable[T] | Iterable[T]
    ) -> None: ...
    @overload
    def __init__(self: AsyncStream[T], source: T) -> None: ...
    def __init__(self, source: object) -> None:
        check_data(source)
        self._set_up(Origin(source))

    def _set_up(self, origin: Origin) -> None:
        super().__init__()
        self._origin = origin
        self._reading = Reading()
        self._latest = Latest()
        self._draining = Draining()

    def __repr__(self) -> str:
        """Say what is read, through which stages, how far that is, and what to do next."""
        behind = self._origin.behind
        what = self._origin if behind is None else f"Rx operators behind {behind[0]._origin}"
        return f"<AsyncStream of {what}; {self._reading}>"

    # -- pull

    __iter__ = None  # else Observable's indexing would make `for` iterate without end

    def __aiter__(self) -> AsyncIterator[T_co]:
        return Cursor[T_co](self._reading, self._open)

    def __anext__(self) -> Awaitable[T_co]:
        reading = self._reading
        if reading.reader is None or reading.iterators:
            return self._next(current_task())
        return reading.reader.next(self)

    def collect(self) -> Coroutine[Any, Any, list[T_co]]:
        """Run to the end and return all results; a coroutine.

        Raises:
            RuntimeError: another task is reading this stream, it has been read to its end or
                closed, or no event loop runs.
            Exception: the run failed; the original exception.
        """
        return self._collect(current_task())

    def __await__(self) -> Generator[Any, None, T_co]:
        """Wait for the last item, as with any Observable.

        Raises:
            TypeError: there is no Rx operator between the pipeline and this.
        """
        if not self._origin.is_plain:
            raise TypeError(
                "a pipeline's stream can't be awaited; use `await stream.collect()` for all "
                "results, or `await stream.pipe(reactivex.operators.last())` for the last one"
            )
        return super().__await__()

    def run(self, scheduler: abc.SchedulerBase | None = None) -> T_co:
        """Run to the end and return the last item, where no event loop runs.

        Raises:
            RuntimeError: one runs in this thread, and waiting here would stop it; or none runs,
                and the stream needs one.
        """
        if is_loop_running():
            raise RuntimeError(
                "run() would block the event loop that runs in this thread, and the stream with "
                "it; in a coroutine use `await stream.collect()`"
            )
        return super().run(scheduler)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._reading.aclose(exc)

    async def aclose(self) -> None:
        """End the run: cancel its calls and wait for them, close generators and source.

        Idempotent, and legal at any time, from any task. A call that closes its own run is neither
        cancelled nor waited for, and waits for the others; a task that a call has started, or a run
        that it reads, does not wait when it closes that run. A close that has waited 30 s tells the
        loop's exception handler which tasks do not end.

        Raises:
            Exception: a call, the source or an Rx operator failed in its clean-up; several at once
                as an ExceptionGroup.
        """
        await self._reading.aclose(None)

    def drain(self, timeout: float | None = None) -> None:
        """Pull nothing more, finish what was pulled, and then end as at the end of the data.

        It returns at once, and is fit for a signal handler of the event loop. A pull that is under
        way is cancelled, and the source closed; an Observable is unsubscribed, and what it had
        emitted is finished. Items that were read ahead, from a list for example, count as pulled.
        Open batches are cut as at the end of the input, results are delivered, then `async for`
        ends, `collect` returns what came, and subscribers are told `on_completed`. A source that
        is a stream is drained itself, and so is the stream in front of Rx operators. A stream that
        nobody reads on ends when somebody does.

        After `timeout` seconds what is left is closed, as by `aclose`. A second call may set an
        earlier end, no later one. It concerns every run of this stream, also those that begin
        later: these are empty, and open no source. Legal at any time, in any task, in calls of the
        run, and in any thread. A handler that `signal.signal` has set may interrupt anything: there
        call `loop.call_soon_threadsafe(stream.drain)`.

        Raises:
            ValueError: `timeout` is negative or not finite.
            TypeError: `timeout` is no number.

        >>> import asyncio
        >>> from itertools import count
        >>> async def main():
        ...     numbers = AsyncStream(count())
        ...     async for number in numbers:
        ...         if number == 1000:
        ...             numbers.drain()
        ...     return number >= 1000
        >>> asyncio.run(main())
        True
        """
        if timeout is not None:
            check_seconds("timeout", timeout)
        if self._origin.behind is None:
            self._draining.drain(timeout)
        else:
            self._draining.limit(timeout)
        first = self._first
        if first is not self:
            first._draining.drain(timeout, self._draining.runs)

    def __del__(self) -> None:
        reading: Reading | None = self.__dict__.get("_reading")
        reader = reading.reader if reading is not None else None
        if reader is not None and not reader.run.loop.is_closed():
            reader.close()

    # -- push

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
        from ._errors.audience import subscribing

        if not self._origin.is_plain:
            running_loop()
        elif subscribing.audience is None and enclosing.get() is None:
            return self._subscribe_audience(on_next, on_error, on_completed, scheduler)
        return super().subscribe(on_next, on_error, on_completed, scheduler=scheduler)

    def _subscribe_audience(
        self, on_next: Any, on_error: Any, on_completed: Any, scheduler: abc.SchedulerBase | None
    ) -> abc.DisposableBase:
        from ._errors.audience import Audience

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

    # -- what else

    def as_completed(self) -> AsyncStream[T_co]:
        """Return the stream of the same data with results as they complete; a run of its own."""
        if self._origin.behind is not None:
            stream, operators = self._origin.behind
            return stream.as_completed().pipe(operators)
        if self._origin.plan is None:
            return cast("AsyncStream[T_co]", AsyncStream[Any](self._origin.source))
        return self._planned(self._origin.source, self._origin.plan.with_mode("as_completed"))

    @property
    def stats(self) -> Stats:
        """What each task has done so far in the latest run of this stream; by index or name."""
        if self._origin.behind is not None:
            return self._origin.behind[0].stats
        return self._latest.stats(self._origin.names)

    @property
    def watermark(self) -> int:
        """How many of the source's first items are settled in the latest run of this stream.

        The items 0 to `watermark - 1` are: each of their outputs was delivered, and the next one
        asked for, or the stream has ended normally; or they were dropped or skipped. It never
        falls, and stays after a failure or a close: a run over the source from there on misses
        nothing (at least once). 0 before the run begins.

        `collect` delivers when it returns, a subscription when `on_next` has returned. Items that
        have entered a stage of one's own or an Rx operator can't be followed: from the first of
        them on, none is settled before a normal end. Put the work in tasks to have a watermark.
        Behind Rx operators it is 0 until a normal end of the iteration, and so it is for a stream
        that is read through them. A rest below `min_size` that is dropped after a `drain` is not
        settled. In an ordered run to ask takes a few microseconds; as completed, time in
        proportion to the items in flight.
        """
        origin, latest = self._origin, self._latest
        if origin.behind is None:
            return latest.watermark.look() if latest.watermark is not None else 0
        stream = origin.behind[0]
        while stream._origin.behind is not None:
            stream = stream._origin.behind[0]
        return latest.of_all_operators(stream._latest)

    def running(self) -> tuple[RunningCall, ...]:
        """List the calls that run now in the latest run of this stream; most downstream first.

        Those of async and generator functions, and of workers, from when these are handed the call,
        also while it waits there: a plain function on the loop ends before anybody can ask.
        `seconds` counts from when this method first saw the call, since a clock for each call
        would cost every run: ask again and again to watch one, for example once a second.
        """
        if self._origin.behind is not None:
            return self._origin.behind[0].running()
        return self._latest.running()

    # -- for the engine

    def _anew(self) -> AsyncStream[T_co]:
        """Return a stream of the same data and stages; this one, if its iteration has begun."""
        if self._reading.has_begun:
            return self
        stream = cast("AsyncStream[T_co]", AsyncStream[Any](self._origin.source))
        stream._origin = self._origin
        stream._draining.follow(self._draining)
        return stream

    @classmethod
    def _planned(cls, source: Any, plan: Plan) -> AsyncStream[Any]:
        """Make the stream of `source`, which was checked, run through `plan`; for pipelines."""
        stream = object.__new__(cls)
        stream._set_up(Origin(source, plan))
        return stream

    @property
    def _can_be_read_again(self) -> bool:
        """Whether `_anew` gives a stream of the same items: the source is no iterator."""
        if self._reading.has_begun:
            return False
        origin = self._origin
        inner = origin.behind[0] if origin.behind is not None else origin.source
        if isinstance(inner, AsyncStream):
            return cast("AsyncStream[Any]", inner)._can_be_read_again
        return not origin.is_iterator

    def _begin(self) -> None:
        """Begin the run that is iterated, so that no Observable emits in vain; it pauses then."""
        if not self._reading.has_begun:
            self._reading.reader = self._open()

    def _behind(self, observable: Observable[Any], operators: Sequence[Any]) -> AsyncStream[Any]:
        stream: AsyncStream[Any] = AsyncStream(observable)
        stream._origin.behind = (self, compose(*operators))
        return stream

    # -- private

    @property
    def _first(self) -> AsyncStream[Any]:
        """The stream that a subscription goes to: one in front of Rx operators, or wrapped."""
        stream: AsyncStream[Any] = self
        while stream._origin.is_plain:
            behind = stream._origin.behind
            inner = behind[0] if behind is not None else stream._origin.source
            if not isinstance(inner, AsyncStream):
                break
            stream = cast("AsyncStream[Any]", inner)
        return stream

    async def _next(self, task: Task | None) -> T_co:
        try:
            await self._reading.turn()
            return await self._reading.admit(task, self._open).next(self)
        finally:
            del self, task  # an exception's traceback leads here

    async def _collect(self, task: Task | None) -> list[T_co]:
        try:
            self._reading.check_unread()
            await self._reading.turn()
            return await self._reading.admit(task or current_task(), self._open).collect()
        finally:
            del self, task  # an exception's traceback leads here

    def _open(self) -> Reader:
        return begin_pulled(self._origin, self._latest, self._draining, closed=self._reading.closed)
