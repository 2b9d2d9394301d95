"""What does the log say of a stage, once in a run? What it skips, and results hardly meant so."""

from __future__ import annotations

import logging
from typing import Any

from ..._functions.calls import advice
from ..._inputs import Inputs, named
from ..counters import Counters
from ..run import Run

__all__ = ["Notices"]

_log = logging.getLogger("conveyor_rx")


class Notices:
    """The warnings of one stage in one run; they name no contents."""

    def __init__(self, run: Run, counters: Counters, *, flatten: bool) -> None:
        self._run = run
        self._counters = counters
        self._advises = flatten
        self._blocked = False

    def skips(self, error: BaseException, inputs: Inputs) -> None:
        """Say that items are skipped, at the first ones; the sum is logged when the run ends."""
        if not self._counters.skipped:
            self._run.skipping.append(self._counters)
            _log.warning(
                "task %r skipped %s: %s; more are only counted, and the sum is logged at the end",
                self._counters.stage,
                named(inputs) or "an item",
                type(error).__name__,
            )

    def blocks(self, seconds: float) -> None:
        """Say, of the first such call, what it has done to all else that runs on the loop."""
        if self._blocked or not self._run.warns_of_blocking:
            return
        self._blocked = True
        _log.warning(
            "task %r held the event loop for %.2f s: it is a plain `def`, and nothing else runs "
            "meanwhile. Make it an `async def`, with what blocks in "
            "`await asyncio.to_thread(...)`. "
            "(No such warnings: with_context(warn_of_blocking=False))",
            self._counters.stage,
            seconds,
        )

    def one_output(self, result: Any) -> None:
        """Say, of the first such result, that it is one output and was hardly meant as one."""
        if self._advises and (what_to_do := advice(result)):
            self._advises = False
            _log.warning(
                "task %r returned a %s object, which is one output: %s; "
                "if one is what you mean, say flatten=False",
                self._counters.stage,
                type(result).__name__,
                what_to_do,
            )
