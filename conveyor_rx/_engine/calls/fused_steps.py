"""What do fused calls consist of? Functions in a row, and counts of their calls that come later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any

from ..counters import Counters
from ..line.entry import Giving
from .caller import Caller

__all__ = ["InCopies", "Progress", "Step"]


class Step:
    """One of the functions."""

    __slots__ = ("counters", "function", "kind", "stage")

    def __init__(self, stage: Caller) -> None:
        self.stage = stage
        self.function = stage.function
        self.counters = stage.counters
        self.kind = stage.plain  # of a result that is one output; None if nothing is as usual


class InCopies:
    """A function that is called in a copy of `run_context` each time."""

    __slots__ = ("_function", "_run_context", "context")

    def __init__(self, function: Callable[[Any], Any], run_context: Context) -> None:
        self._function = function
        self._run_context = run_context
        self.context = run_context  # of the last call

    def __call__(self, item: Any) -> Any:
        self.context = context = self._run_context.copy()
        return context.run(self._function, item)


class Progress:
    """How many calls of fused functions there were that are not counted yet."""

    __slots__ = ("_source", "_start", "steps")

    def __init__(self, source: Giving, steps: Sequence[Step]) -> None:
        self.steps = steps
        self._source = source
        self._start = source.given
        for step in steps:
            step.counters.ahead = self

    def of(self, counters: Counters) -> tuple[int, int]:
        """Give how many items have come into a stage, and how many calls have ended there."""
        done = self._source.given - self._start
        stages = [step.counters for step in self.steps]
        now = next((number for number, each in enumerate(stages) if each.running), -1)
        number = stages.index(counters)
        return done + (number <= now), done + (number < now)

    def count(self) -> None:
        """Count these calls, and take note that none is running."""
        amounts = [self.of(step.counters) for step in self.steps]
        for step, (begun, ended) in zip(self.steps, amounts, strict=True):
            step.counters.in_ += begun
            step.counters.ones += ended
            step.counters.running = 0
        self.skip()

    def skip(self) -> None:
        """Take note that all items until now are counted."""
        self._start = self._source.given

    def end(self) -> None:
        """Let go of the counters."""
        for step in self.steps:
            step.counters.ahead = None
