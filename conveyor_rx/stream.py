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
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, cast, overload

from reactivex import Observable, abc, compose

from ._engine.outlets.reader import Reader
from ._engine.sources import check_data
from ._errors.tracebacks import hides
from ._later import names_later
from ._streams.begin import begin_pulled
from ._streams.cursor import Cursor, Reading, Task, current_task
from ._streams.draining import Drainable, Draining
from ._streams.latest import Inspectable, Latest
from ._streams.origin import Origin
from ._streams.plan import Plan
from ._streams.start import is_loop_running
from ._streams.subscribable import Subscribable

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


class AsyncStream(Inspectable, Drainable, Subscribable[T_co]):
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

    def __del__(self) -> None:
        reading: Reading | None = self.__dict__.get("_reading")
        reader = reading.reader if reading is not None else None
        if reader is not None and not reader.run.loop.is_closed():
            reader.close()

    # -- what else

    def as_completed(self) -> AsyncStream[T_co]:
        """Return the stream of the same data with results as they complete; a run of its own."""
        if self._origin.behind is not None:
            stream, operators = self._origin.behind
            return stream.as_completed().pipe(operators)
        if self._origin.plan is None:
            return cast("AsyncStream[T_co]", AsyncStream[Any](self._origin.source))
        return self._planned(self._origin.source, self._origin.plan.with_mode("as_completed"))

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
