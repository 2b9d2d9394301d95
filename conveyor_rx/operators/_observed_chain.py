"""How is a chain linked up for a run that is observed? As any other, with reporters and taps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from reactivex import Observable

from .._calls import Call
from .._stats import Counters
from ..events import RunInfo
from ._chain import Chain, Emitter
from ._flat_map import FlatMap
from ._line import Line
from ._process import Processor
from ._run import UNBOUNDED, Run
from ._sketch import Sketch
from ._subscriber import Subscriber, lift
from ._taps import Delivered, Emissions, Left, Pulled, Results
from .observing._deliveries import Deliveries
from .observing._reporter import BatchReporter, Reporter
from .observing._segment import Segment
from .observing._tracer import Tracer

__all__ = ["ObservedChain"]


class ObservedChain(Chain):
    """A chain that lets `tracer` tell of each step, and knows what its stages are."""

    def __init__(self, run: Run, source: Observable[Any], emitter: Emitter, tracer: Tracer) -> None:
        super().__init__(run, source, emitter)
        self._tracer = tracer
        self._sketch = Sketch()
        self._results: Results | None = None  # of the last stage of the segment
        self._pulled = pulled = Pulled(run, tracer)
        self._tap(pulled)
        self._source = self._observable

    def call(self, call: Call, *, name: str, limit: int | None, in_order: bool) -> None:
        self._sketch.call(call, name=name, limit=limit, in_order=in_order)
        super().call(call, name=name, limit=limit, in_order=in_order)

    def batch(
        self, call: Call, *, name: str, limit: int | None, min_size: int, max_size: int
    ) -> None:
        self._sketch.batch(call, name=name, limit=limit, min_size=min_size, max_size=max_size)
        super().batch(call, name=name, limit=limit, min_size=min_size, max_size=max_size)

    def process(self, processor: Processor, *, name: str) -> None:
        self._sketch.process(processor, name=name)
        super().process(processor, name=name)
        self._tap_emissions()

    def apply(self, operator: Callable[[Observable[Any]], Observable[Any]], *, name: str) -> None:
        self._sketch.apply(operator, name=name)
        super().apply(operator, name=name)
        self._tap_emissions()

    def announce(
        self,
        *,
        source: Literal["iterable", "async iterable", "observable", "item"],
        total: int | None,
        outlet: Literal["pulled", "pushed"],
    ) -> None:
        """Tell that the run begins."""
        run = self._run
        info = RunInfo(
            id=self._tracer.run_id,
            stages=tuple(self._sketch.stages),
            ordered=run.ordered,
            source=source,
            total=total,
            max_in_flight=None if run.max_in_flight == UNBOUNDED else run.max_in_flight,
            max_parallelism=None if run.max_parallelism == UNBOUNDED else run.max_parallelism,
            outlet=outlet,
        )
        self._tracer.begin(info)

    def deliver(self, *, at_once: bool) -> tuple[Observable[Any], Deliveries]:
        """Return what is to be subscribed, and who tells of the results that come there.

        `at_once` says that the consumer has got a result when it has come.
        """
        deliveries = Deliveries(self._tracer, at_once=at_once)
        delivered = Delivered(self._run, self._tracer, deliveries.came)
        self._tap(delivered)
        return self._observable, deliveries

    # -- private

    @property
    def _number(self) -> int:
        """The number of the stage that is being added."""
        return len(self._sketch.stages) - 1

    def _tap(self, tap: Subscriber) -> None:
        # What makes it does not hold the chain, which holds what is made: that would be a cycle.
        self._observable = lift(lambda: tap, self._run)(self._observable)

    def _tap_emissions(self) -> None:
        emissions = Emissions(self._run, self._tracer, self._number)
        self._tap(emissions)

    def _batch_reporter(self) -> BatchReporter:
        return BatchReporter(self._tracer, self._number)

    def _open_segment(self, weigh: Callable[[Any], int] | None = None) -> Line:
        line = super()._open_segment(weigh)
        line.segment = Segment(self._tracer, line.ring)
        self._results = None
        return line

    def _add_calls(
        self, line: Line, call: Call, limit: int | None, counters: Counters, *, counts_input: bool
    ) -> FlatMap:
        segment = line.segment
        assert segment is not None
        if self._results is not None:
            self._results.is_last = False
        stage = super()._add_calls(line, call, limit, counters, counts_input=counts_input)
        stage.reporter = reporter = Reporter(self._tracer, self._number, segment, counters)
        if not self._number:
            self._pulled.reporter = reporter
        self._results = results = Results(reporter, segment)
        self._tap(results)
        return stage

    def _close_segment(self) -> Line | None:
        line = super()._close_segment()
        segment = line.segment if line is not None else None
        if segment is not None:
            left = Left(self._run, self._tracer, segment)
            self._tap(left)
        return line
