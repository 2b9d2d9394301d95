"""How is a stream read by code that is not async? On an event loop in a thread of its own."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from ._errors.tracebacks import hides
from ._loop_thread import LoopThread
from ._results import Results, new_thread
from ._streams.start import outside_of_runs
from .stream import AsyncStream

__all__ = ["Results", "collect", "iterate"]

__tracebackhide__ = hides  # for pytest

T = TypeVar("T")


def iterate(stream: AsyncStream[T]) -> Results[T]:
    """Iterate over the results of `stream` in code that is not async: with `for`, no `await`.

    The run goes on, on an event loop in a thread of its own, from the first `next` to its end. That
    thread runs the tasks, and the source as well: a generator, a cursor, any iterable that is the
    data is read there. The context variables are those of the call of `iterate`.

    Use it `with` a block, or call `close()`, to leave before the end: then every call has ended
    when the block is left. Results that are dropped are closed without waiting; at the exit of the
    interpreter the rest is closed and awaited, but Python starts no thread then: clean-up that
    wants one, by `asyncio.to_thread`, fails there, and not in a block. Ctrl-C, too, closes the run
    before it is raised. As with `asyncio.run`, what a call has begun in a thread of the loop's
    executor is waited for.

    In a thread where an event loop runs, as in a notebook, it works, and that loop stands still
    meanwhile; there `async for` is better.

    A run costs about half a millisecond for its thread. Results that are there cross the threads
    together, up to 16, and none waits for that. While the run goes on, `stream.drain()` and
    `stream.stats` may be used in any thread, and `stream.watermark` in that of the run only.
    After a fork, results that are half read are the parent's.

    Order: as the pipeline says. Errors: the original exception, after the results before it.
    Cancellation: `close`. Pressure: the run waits while no result is asked for; then the windows,
    16 results in the run, and 15 on this side are full at most.

    Args:
        stream: what to read, `pipeline(data)`. It is read as by `async for`: once.

    Raises:
        TypeError: it is no stream.
        RuntimeError: from `next`: the stream has been read, or is being read elsewhere; or no
            thread can be started.

    >>> from conveyor_rx import single_task
    >>> @single_task(concurrency_limit=10)
    ... async def double(number: int) -> int:
    ...     return number * 2
    >>> with iterate(double(range(1_000_000))) as results:
    ...     for number in results:
    ...         if number > 3:
    ...             break
    >>> number
    4
    """
    _check(stream, "iterate")
    return Results(stream)


def collect(stream: AsyncStream[T]) -> list[T]:
    """Run `stream` to its end, and return all results, in code that is not async.

    See `iterate`, which it is like in all else; nothing is left of the run when this returns.

    Args:
        stream: what to read, `pipeline(data)`. It is read as by `await stream.collect()`: once.

    Raises:
        TypeError: it is no stream.
        RuntimeError: the stream has been read, or is being read elsewhere; or no thread can be
            started.
        Exception: the run failed; the original exception.

    >>> from conveyor_rx import single_task
    >>> @single_task(concurrency_limit=10)
    ... async def double(number: int) -> int:
    ...     return number * 2
    >>> collect(double([1, 2, 3]))
    [2, 4, 6]
    """
    _check(stream, "collect")
    thread = new_thread(_collect, stream, outside_of_runs())
    try:
        thread.start()
        results = thread.receive()
    except BaseException as error:
        thread.stop(error)
        thread.wait(error)
        raise
    finally:
        del stream  # an exception's traceback leads here
    thread.wait()
    return cast("list[T]", results)


async def _collect(stream: AsyncStream[Any], thread: LoopThread) -> None:
    try:
        thread.give(await stream.collect())
    finally:
        del stream


def _check(stream: object, name: str) -> None:
    if not isinstance(stream, AsyncStream):
        raise TypeError(
            f"{name}() takes a stream, and got an object of type {type(stream).__name__}: "
            f"call the pipeline on its data, {name}(pipeline(data))"
        )
