"""How does a test write down what takes how long?"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from ._notation import DIGITS, Marble, MarbleError, draw, read_names, read_value

__all__ = ["TimedCall", "TimedTask", "timed_task"]

Latencies = str | Sequence[float] | Callable[[Any], float]


def timed_task(
    latencies: Latencies,
    *,
    tick: float = 1.0,
    values: Mapping[Any, Any] | None = None,
    func: Callable[[Any], Any] | None = None,
    error: BaseException | None = None,
) -> TimedTask:
    """Return an async function that takes a written time for each item.

    It returns the item, or `func(item)`. `latencies` is one of

    * a marble string: the place of an item in it is how long its call takes, so the string shows
      what comes when if all calls start at once. `(2,#)` lets the call of item 2 fail with `error`
      (a `MarbleError` by default). An item that stands there more than once takes these places
      in turn, call by call, and then stays with the last: `(2,#)--2` fails once.
    * a sequence: the seconds of the first call, the second and so on.
    * a function from the item to seconds.

    `tick` (seconds) and `values` are for the string. `.calls` of the result tells what was called.

        >>> work = timed_task("-2--1")
        >>> run(work(1)), work.calls
        (1, [TimedCall(item=1, started=0.0, ended=4.0, outcome='done')])

    Raises:
        ValueError: no such string, or, in a call, an item or call without latency.
    """
    failure = MarbleError("error") if error is None else error
    return TimedTask(_plan(latencies, tick, values), func, failure)


@dataclasses.dataclass
class TimedCall:
    """One call of a timed task; times in seconds of the loop's clock."""

    item: Any
    started: float
    ended: float | None = None
    outcome: Literal["running", "done", "failed", "cancelled"] = "running"


class TimedTask:
    """An async function whose calls take written times, and that keeps a list of them.

    `running` calls run now, `most_running` ran at once at most.
    """

    def __init__(
        self,
        plan: Callable[[Any], tuple[float, bool]],
        func: Callable[[Any], Any] | None,
        error: BaseException,
    ) -> None:
        self.__name__ = "timed_task" if func is None else func.__name__
        self.calls: list[TimedCall] = []
        self.running = 0
        self.most_running = 0
        self._plan = plan
        self._func = func
        self._error = error

    async def __call__(self, item: Any) -> Any:
        """Wait for as long as is written for `item`, then return it, or fail."""
        clock = asyncio.get_running_loop().time
        call = TimedCall(item, clock())
        self.calls.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            latency, fails = self._plan(item)
            if latency > 0:
                await asyncio.sleep(latency)
            if fails:
                raise self._error
            result = item if self._func is None else self._func(item)
            call.outcome = "done"
            return result
        except asyncio.CancelledError:
            call.outcome = "cancelled"
            raise
        except BaseException:
            call.outcome = "failed"
            raise
        finally:
            call.ended = clock()
            self.running -= 1

    def starts(self, *, tick: float = 1.0, values: Mapping[Any, Any] | None = None) -> str:
        """Return which call began when, as a marble string, by the clock of the loop.

        `tick` is in seconds; `values` maps names to items that the notation can't name, as batches.

            >>> work = timed_task("(1,2)")
            >>> run(single_task(rate_limit=RateLimit(1, per=2.0))(work)([1, 2]).collect())
            [1, 2]
            >>> work.starts()
            '1-2'

        Raises:
            ValueError: a call began between two ticks, or its item has no name.
        """
        calls = [Marble(round(call.started, DIGITS), "item", call.item) for call in self.calls]
        return draw(calls, tick=tick, values=values)


def _plan(
    latencies: Latencies, tick: float, values: Mapping[Any, Any] | None
) -> Callable[[Any], tuple[float, bool]]:
    """Return a function from an item to the latency of its next call, and whether that fails."""
    if isinstance(latencies, str):
        return _by_marble(latencies, tick, values)
    if callable(latencies):
        return lambda item: (latencies(item), False)
    seconds = iter(latencies)

    def by_number(item: Any) -> tuple[float, bool]:
        for latency in seconds:
            return latency, False
        raise ValueError(f"{len(latencies)} latencies for more calls, the next with {item!r}")

    return by_number


def _by_marble(
    text: str, tick: float, values: Mapping[Any, Any] | None
) -> Callable[[Any], tuple[float, bool]]:
    found: list[tuple[Any, float, bool]] = []
    for index, name in read_names(text)[0]:
        at = round(index * tick, DIGITS)
        if name == "#":
            if not found or found[-1][1] != at:
                raise ValueError(f"a # in {text!r} must follow an item in its group: (2,#)")
            found[-1] = (found[-1][0], at, True)
        elif name != "|":
            found.append((read_value(name, values), at, False))
    taken: defaultdict[int, Iterator[int]] = defaultdict(itertools.count)

    def by_item(item: Any) -> tuple[float, bool]:
        places = [place for place, (value, _, _) in enumerate(found) if value == item]
        if not places:
            raise ValueError(f"{text!r} has no latency for {item!r}")
        turn = next(taken[places[0]])
        _, at, fails = found[places[min(turn, len(places) - 1)]]
        return at, fails

    return by_item
