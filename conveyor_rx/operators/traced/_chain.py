"""How is the chain of a run built that is observed? Of traced operators, with taps in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from reactivex import Observable

from ..._calls import Call
from ..._stats import Counters
from ...events import RunInfo
from .._chain import Chain, Emitter
from .._flat_map import FlatMap
from .._line import Line
from .._process import Process, Processor
from .._run import UNBOUNDED, Run
from .._sketch import Sketch
from .._subscriber import Subscriber, lift
from .._tracer import Trace, Tracer
from ._flat_map import TracedFlatMap
from ._line import TracedAsCompletedLine, TracedLine
from ._process import TracedProcess
from ._taps import Batches, Emissions, End, Entered, Outputs, Pulled, Waiting

__all__ = ["TracedChain"]


class TracedChain(Chain):
    """A chain that tells `tracer` of each step, and knows what its stages are."""

    def __init__(self, run: Run, source: Observable[Any], emitter: Emitter, tracer: Tracer) -> None:
        super().__init__(run, source, emitter)
        self._tracer = tracer
        self.sketch = Sketch()
        self._tap(lambda: Pulled(tracer))

    def call(self, call: Call, *, name: str, limit: int | None, in_order: bool) -> None:
        self.sketch.call(call, name=name, limit=limit, in_order=in_order)
        super().call(call, name=name, limit=limit, in_order=in_order)

    def batch(
        self, call: Call, *, name: str, limit: int | None, min_size: int, max_size: int
    ) -> None:
        self.sketch.batch(call, name=name, limit=limit, min_size=min_size, max_size=max_size)
        super().batch(call, name=name, limit=limit, min_size=min_size, max_size=max_size)

    def process(self, processor: Processor, *, name: str) -> None:
        self.sketch.process(processor, name=name)
        super().process(processor, name=name)
        number = self._number
        self._tap(lambda: End(self._tracer, number))

    def apply(self, operator: Callable[[Observable[Any]], Observable[Any]], *, name: str) -> None:
        self.sketch.apply(operator, name=name)
        super().apply(operator, name=name)
        number = self._number
        self._tap(lambda: Emissions(self._tracer, number))

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
            stages=tuple(self.sketch.stages),
            ordered=run.ordered,
            source=source,
            total=total,
            max_in_flight=None if run.max_in_flight == UNBOUNDED else run.max_in_flight,
            max_parallelism=None if run.max_parallelism == UNBOUNDED else run.max_parallelism,
            outlet=outlet,
        )
        self._tracer.begin(info)

    # -- private

    @property
    def _number(self) -> int:
        """The number of the stage that is being added."""
        return len(self.sketch.stages) - 1

    def _tap(self, subscriber: Callable[[], Subscriber]) -> None:
        self._observable = lift(subscriber, self._run)(self._observable)

    def _add_buffer(self, min_size: int, max_size: int, counters: Counters) -> None:
        tracer, number, waiting = self._tracer, self._number, deque[Trace]()
        self._tap(lambda: Waiting(tracer, number, waiting))
        super()._add_buffer(min_size, max_size, counters)
        self._tap(lambda: Batches(tracer, number, waiting, max_size))

    def _open_segment(self, weigh: Callable[[Any], int] | None = None) -> None:
        super()._open_segment(weigh)
        self._tap(lambda: Entered(self._tracer))

    # -- the operators

    def _line(self) -> Line:
        kind = TracedLine if self._run.ordered else TracedAsCompletedLine
        return kind(self._run, self._tracer)

    def _flat_map(
        self, line: Line, call: Call, limit: int | None, counters: Counters, counts_input: bool
    ) -> FlatMap:
        assert isinstance(line, TracedLine)
        number = self._number
        if line.calls:
            self._tap(lambda: Outputs(line, number - 1))
        return TracedFlatMap(
            self._run, line, call, limit, counters, counts_input, self._tracer, number
        )

    def _process(self, processor: Processor, counters: Counters) -> Process:
        return TracedProcess(self._run, processor, counters, self._tracer, self._number)
