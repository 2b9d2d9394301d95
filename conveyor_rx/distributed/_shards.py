"""What happens with a shard within a worker? The whole pipeline runs on it, on its own loop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from .._results import new_thread
from .._streams.start import outside_of_runs
from .._workers.parcels import pack_error, unpack_error
from ..pipeline import Stage
from ..stream import AsyncStream

__all__ = ["Outcome", "let_out", "run_shard"]


class Outcome(NamedTuple):
    """What has become of a shard: its results, and the failure behind them, if there is one."""

    results: list[Any]
    failure: tuple[bytes, str] | None
    """The exception, as bytes, and its traceback in the worker, as text."""


def run_shard(shard: Any, pipeline: Stage[Any, Any]) -> Outcome:
    """Run `pipeline` on a shard. Its failure is no failure of this call, which is not repeated."""
    results: list[Any] = []
    try:
        _read(pipeline(shard), results)
    except Exception as error:
        return Outcome(results, pack_error(error))
    return Outcome(results, None)


def _read(stream: AsyncStream[Any], results: list[Any]) -> None:
    """Add the results of a stream to a list, on an event loop in a thread of its own.

    They don't cross the threads one by one, as with `iterate`: each time one thread would wait for
    the other, which computes.
    """
    thread = new_thread(partial(_add, results), stream, outside_of_runs())
    del stream  # an exception's traceback leads here
    try:
        thread.start()
        thread.receive()
    except BaseException as error:
        thread.stop(error)
        thread.wait(error)
        raise
    thread.wait()


async def _add(results: list[Any], stream: AsyncStream[Any], _: object) -> None:
    try:
        async for result in stream:
            results.append(result)  # noqa: PERF401  # a failure leaves those before it
    finally:
        del stream


def let_out(outcome: Outcome) -> list[Any] | Iterator[Any]:
    """Give the results of a shard, and raise its failure behind them."""
    results, failure = outcome
    return results if failure is None else _failing(results, failure)


def _failing(results: list[Any], failure: tuple[bytes, str]) -> Iterator[Any]:
    yield from results
    raise unpack_error(*failure)
