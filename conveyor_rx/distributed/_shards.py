"""What happens with a shard within a worker? The whole pipeline runs on it, on its own loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .._workers.parcels import pack_error, unpack_error
from ..pipeline import Stage
from ..synchronous import iterate

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
        with iterate(pipeline(shard)) as stream:
            results.extend(stream)
    except Exception as error:
        return Outcome(results, pack_error(error))
    return Outcome(results, None)


def let_out(outcome: Outcome) -> list[Any] | Iterator[Any]:
    """Give the results of a shard, and raise its failure behind them."""
    results, failure = outcome
    return results if failure is None else _failing(results, failure)


def _failing(results: list[Any], failure: tuple[bytes, str]) -> Iterator[Any]:
    yield from results
    raise unpack_error(*failure)
