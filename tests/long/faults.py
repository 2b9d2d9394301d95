"""Which faults take too long for the suite? All of them, as `python -m tests.long` runs them.

Each function prints its figures, and raises if something failed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

from tests.faults.cancels import cancel_at_every_step
from tests.faults.interrupts import interrupt
from tests.faults.references import REFERENCES
from tests.faults.shutdowns import HOWS, shut_down_at_every_step
from tests.faults.threads import THREADS, push_from_threads
from tests.random_pipelines.plans import WAYS

__all__ = ["cancel_everywhere", "interrupts", "threads"]


def cancel_everywhere(seeds: int) -> None:
    """Cancel the consumer at every step of every reference pipeline, with each of `seeds` seeds.

    And shut the loop down there, in each way. Seed 0 stands for callbacks that run first in, first
    out.
    """
    logging.disable(logging.WARNING)  # of rests of batches, each time
    steps = downs = 0
    failures = _Failures()
    for seed in range(seeds):
        for name, plan in REFERENCES.items():
            with failures.noted(f"{name}, seed {seed}"):
                steps += cancel_at_every_step(plan, seed or None)
            for how in HOWS:
                with failures.noted(f"{name}, seed {seed}, {how}"):
                    downs += shut_down_at_every_step(plan, seed or None, how)
        _say(f"seed {seed}: {steps} runs cancelled and {downs} shut down so far, {failures}")
    failures.raise_any()


def interrupts(runs: int) -> None:
    """Interrupt `runs` processes by Ctrl-C at random moments, every other one twice."""
    failures = _Failures()
    slowest = 0.0
    for number in range(runs):
        with failures.noted(f"run {number}"):
            slowest = max(slowest, interrupt(number))
    _say(
        f"{runs} processes interrupted, {runs // 2} of them twice, {failures}; "
        f"the slowest ended after {slowest:.2f} s"
    )
    failures.raise_any()


def threads(items: int) -> None:
    """Push `items` from each of 8 threads into one Observable, in each way and mode."""
    failures = _Failures()
    for way, mode in product(WAYS, ("ordered", "as_completed")):
        begun = time.perf_counter()
        with failures.noted(f"{way}, {mode}"):
            asyncio.run(push_from_threads(items, way, mode))
        seconds = time.perf_counter() - begun
        _say(f"{way}, {mode}: {THREADS} x {items} items, {seconds:.1f} s; {failures}")
    failures.raise_any()


class _Failures:
    """Those so far, and the processor time."""

    def __init__(self) -> None:
        self._found: list[Exception] = []
        self._begun = time.process_time()

    def __str__(self) -> str:
        seconds = time.process_time() - self._begun
        return f"{len(self._found)} failed, {seconds:.0f} s of processor time"

    @contextmanager
    def noted(self, what: str) -> Iterator[None]:
        """Note that the block failed, and go on."""
        try:
            yield
        except Exception as error:
            error.add_note(what)
            self._found.append(error)

    def raise_any(self) -> None:
        if self._found:
            raise ExceptionGroup("faults", self._found)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the report is the point
