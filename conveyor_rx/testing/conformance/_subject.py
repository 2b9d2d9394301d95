"""What is under test? A stage at a position in a pipeline, in a mode, consumed in some way."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

from ...pipeline import Pipeline, Stage
from ...stream import AsyncStream
from ...tasks import SingleTask
from ._probe import Probe

__all__ = ["WINDOW", "Broken", "Mode", "Position", "Subject", "Way", "expect"]

Position = Literal["first", "middle", "last"]
Mode = Literal["ordered", "as_completed"]
Way = Literal["async for", "collect", "subscribe"]

WINDOW = 4
"""`max_in_flight` of the runs under test: small, so that it matters."""

OUTPUT_BUFFER = 16
FAILING_ITEM = 7


class Broken(Exception):  # noqa: N818  # not an error of ours: what the checks raise on purpose
    """What a source or a stage is told to fail with."""


def expect(condition: bool, message: str) -> None:
    """Raise AssertionError with `message` unless `condition` holds."""
    if not condition:
        raise AssertionError(message)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A stage under test, and all that the checks need to know of it."""

    stage: Callable[[], Stage[Any, Any]]
    gives: Callable[[list[Any]], list[Any]]
    item: Callable[[int], Any]
    holds: int
    failing: Callable[[Exception], Stage[Any, Any]] | None
    position: Position
    mode: Mode
    way: Way

    # -- runs

    def probe(
        self,
        count: int | None,
        *,
        error: Exception | None = None,
        latency: float = 0.0,
        stubborn: bool = False,
    ) -> Probe:
        """Make a source of `count` items."""
        return Probe(self.item, count, error=error, latency=latency, stubborn=stubborn)

    def stream(self, source: Any, *, own: Exception | None = None) -> AsyncStream[Any]:
        """Make the stream under test; with `own` the stage itself fails with that."""
        stage = self.stage() if own is None or self.failing is None else self.failing(own)
        return self._run([stage], source)

    def stream_that_fails(self, source: Any, error: Exception) -> AsyncStream[Any]:
        """Make the stream in which a neighbour fails with `error`, at its item `FAILING_ITEM`."""
        failing = SingleTask[Any, Any](_failing(error), task_name="failing")
        row: list[Any] = (
            [self.stage(), failing] if self.position == "first" else [failing, self.stage()]
        )
        return self._run(row, source)

    def _run(self, row: list[Any], source: Any) -> AsyncStream[Any]:
        before = SingleTask[Any, Any](
            _jitter() if self.mode == "ordered" else _prompt, task_name="before"
        )
        after = SingleTask[Any, Any](_jitter(), task_name="after")
        if self.position != "first":
            row = [before, *row]
        if self.position != "last":
            row = [*row, after]
        pipeline = Pipeline[Any, Any]().add(*row)
        return pipeline.with_context(execution_mode=self.mode, max_in_flight=WINDOW)(source)

    # -- what is right

    def expected(self, count: int) -> list[Any]:
        """Say what `count` items give."""
        return self.gives([self.item(number) for number in range(count)])

    def expect_all(self, got: Sequence[Any], count: int) -> None:
        """Assert that `got` is what `count` items give."""
        wanted = self.expected(count)
        same = list(got) == wanted if self.mode == "ordered" else _sorted(got) == _sorted(wanted)
        expect(same, f"{count} items gave {got}, not {wanted}")

    def expect_part(self, got: Sequence[Any], most: int) -> None:
        """Assert that `got` comes from `most` items or fewer: a prefix, or a part as completed."""
        wanted = self.expected(most)
        if self.mode == "ordered":
            expect(list(got) == wanted[: len(got)], f"{got} is no prefix of {wanted}")
        else:
            expect(not _missing(got, wanted), f"{got} is no part of {wanted}")

    def expect_settled(self, got: Sequence[Any], count: int) -> None:
        """Assert that what `count` items give is there, apart from what the stage may hold."""
        every = self.expected(2 * count + self.holds)
        sure = _common(self.expected(max(count - self.holds, 0)), every)
        missing = sure[len(got) :] if self.mode == "ordered" else _missing(sure, got)
        expect(not missing, f"{got} lacks {missing}, whose inputs came before the end")

    @property
    def most_pulled(self) -> int:
        """How many items may be on their way while the consumer asks for nothing."""
        outputs = max(len(self.expected(100)), 1)
        for_one = -(-100 // outputs)  # a batch: so many items make one output
        windows = (3 if self.position == "middle" else 2) * WINDOW
        return (windows + OUTPUT_BUFFER) * for_one + self.holds


def _common(values: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    pairs = zip(values, others, strict=False)
    return [one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]


def _sorted(values: Sequence[Any]) -> list[str]:
    return sorted(map(repr, values))


def _missing(values: Sequence[Any], among: Sequence[Any]) -> list[Any]:
    rest = list(among)
    missing: list[Any] = []
    for value in values:
        if value in rest:
            rest.remove(value)
        else:
            missing.append(value)
    return missing


async def _prompt(item: Any) -> Any:
    return item


def _jitter() -> Callable[[Any], Any]:
    """Make a function that passes items on in another order than it gets them."""
    numbers = itertools.count()

    async def pass_on(item: Any) -> Any:
        await asyncio.sleep(0.01 * (3 - next(numbers) % 4))
        return item

    return pass_on


def _failing(error: Exception) -> Callable[[Any], Any]:
    numbers = itertools.count()

    async def fail(item: Any) -> Any:
        number = next(numbers)
        await asyncio.sleep(0.01)
        if number == FAILING_ITEM:
            raise error
        return item

    return fail
