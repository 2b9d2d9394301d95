"""When is a batch full? `buffer_with_count` with a minimum for the last one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from reactivex import Observable

from .._inputs import Inputs
from .._stats import Counters
from ._run import Run
from ._subscriber import Subscriber, lift

if TYPE_CHECKING:
    from .observing._reporter import BatchReporter

__all__ = ["buffer"]

_log = logging.getLogger("conveyor_rx")


class _Buffer(Subscriber):
    """The open batch of one batch task.

    Order: as it comes. Errors: a failed call upstream discards the open batch; any other error
    comes after it. Cancellation: the batch is let go. Pressure: at most one open batch.
    """

    def __init__(
        self,
        run: Run,
        min_size: int,
        max_size: int,
        counters: Counters,
        reporter: BatchReporter | None,
    ) -> None:
        self._run = run
        self._min_size = min_size
        self._max_size = max_size
        self._counters = counters
        self._reporter = reporter
        self._batch: list[Any] = []
        self._inputs: list[Inputs] = []  # that each of its items comes from

    def on_next(self, value: Any) -> None:
        self._counters.in_ += 1
        self._batch.append(value)
        self._inputs.append(self._run.inputs)
        if self._reporter is not None:
            self._reporter.waits(self._run.inputs)
        if len(self._batch) >= self._max_size:
            batch, self._batch = self._batch, []
            self._pass_on(batch, "full")

    def on_error(self, error: Exception) -> None:
        if error is self._run.failure:
            self.cut()
        else:
            self._flush()
        self.out.on_error(error)

    def on_completed(self) -> None:
        self._flush()
        self.out.on_completed()

    def cut(self) -> None:
        self._counters.cancelled += len(self._batch)
        self._batch, self._inputs = [], []

    def _pass_on(self, batch: list[Any], reason: Literal["full", "flush"]) -> None:
        inputs, self._inputs = self._inputs, []
        if self._reporter is not None:
            inputs = self._reporter.batch_formed(inputs, reason)
        self._run.inputs = inputs
        self.out.on_next(batch)

    def _flush(self) -> None:
        rest, self._batch = self._batch, []
        if len(rest) >= self._min_size:
            self._pass_on(rest, "flush")
        elif rest:
            self._counters.dropped += len(rest)
            if self._reporter is not None:
                self._reporter.dropped(self._inputs)
            _log.warning(
                "task %r dropped the last %d items, which are fewer than min_size=%d",
                self._counters.stage,
                len(rest),
                self._min_size,
            )


def buffer(
    run: Run,
    *,
    min_size: int,
    max_size: int,
    counters: Counters,
    reporter: BatchReporter | None = None,
) -> Callable[[Observable[Any]], Observable[list[Any]]]:
    """Collect consecutive items in lists of `max_size`; the last may be as short as `min_size`."""
    return lift(lambda: _Buffer(run, min_size, max_size, counters, reporter), run)
