"""What is added to a chain for a run that is observed? Reporters and taps, told to its probes."""

from __future__ import annotations

from ...events import RunInfo
from ..calls.flat_map import FlatMap
from ..line.line import Line
from ..observing.deliveries import Deliveries
from ..observing.reporter import BatchReporter, Reporter
from ..observing.segment import Segment
from ..observing.tracer import Tracer
from ..run import Run
from ..subscriber import Subscriber
from .taps import Delivered, Emissions, Left, Pulled, Results
from .watcher import Watcher

__all__ = ["ObservedRun"]


class ObservedRun(Watcher):
    """Watches the chain of one run, so that `tracer` tells of each step.

    `deliveries` tells of the results that come to the outlet: at once if they are pushed.
    """

    def __init__(self, run: Run, tracer: Tracer, info: RunInfo) -> None:
        self._run = run
        self._tracer = tracer
        self._info = info
        source = info.stages[0].id
        self._pulled = Pulled(run, tracer, source)
        self._results: Results | None = None  # of the last stage of the segment
        self.deliveries = Deliveries(tracer, at_once=info.outlet == "pushed")

    def begin(self) -> None:
        """Tell that the run begins."""
        self._tracer.begin(self._info)

    def tap_source(self) -> Subscriber:
        return self._pulled

    def line_opens(self, line: Line) -> None:
        line.segment = Segment(self._tracer, line.ring)
        self._results = None

    def tap_line(self, line: Line) -> Subscriber:
        assert line.segment is not None
        return Left(self._run, self._tracer, line.segment)

    def batch_reporter(self, stage: int) -> BatchReporter:
        return BatchReporter(self._tracer, stage)

    def tap_calls(self, stage: int, calls: FlatMap) -> Subscriber:
        segment = calls.line.segment
        assert segment is not None
        if self._results is not None:
            self._results.is_last = False
        calls.reporter = reporter = Reporter(
            self._tracer, stage, segment, calls.counters, calls.call.elsewhere
        )
        if self._pulled.stage in self._info.stages[stage].fed_by:
            self._pulled.reporter = reporter
            reporter.source = self._pulled.stage
        self._results = results = Results(reporter, segment)
        return results

    def tap_stage(self, stage: int) -> Subscriber:
        return Emissions(self._run, self._tracer, stage)

    def tap_outlet(self) -> Subscriber:
        return Delivered(self._run, self._tracer, self.deliveries.came)
