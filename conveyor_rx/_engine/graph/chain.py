"""Where are the segments? A chain of stages, linked up for one run.

A segment is what lies between two points at which order is restored. The chain opens one where a
call needs its inputs in order, closes it before batches, foreign operators and the output, and
tells each emitter which gate it has to heed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from reactivex import Observable

from ..._functions.calls import Call
from ..batches.batches import Batches
from ..batches.trigger import Trigger
from ..calls.flat_map import FlatMap
from ..calls.fused import fuse
from ..counters import Counters
from ..line.as_completed import AsCompletedLine
from ..line.entry import Entry
from ..line.line import Line
from ..run import Run
from ..sources.base import Source
from ..subscriber import Row, Subscriber, Turn
from ..turns.trampoline import DEPTH, Gate
from .watcher import UNWATCHED, Watcher

if TYPE_CHECKING:
    from ..._policy import Policy
    from ..batches.measured_batches import MeasuredBatches
    from ..batches.measures import Measures
    from ..calls.dead_letters import Losses, LossesOfRun
    from ..calls.held_calls import HeldCalls
    from ..calls.turnstile import Turnstile
    from ..process import Processor

__all__ = ["Chain", "Emitter"]


class Emitter(Protocol):
    """What emits while a gate is open: a source, a line, the output of a `process`."""

    bit: int
    gate: Gate
    reads_ahead: bool  # an `Entry` is right behind it, in which some items may be enqueued at once


class Chain:
    """The operators of one run so far: grows stage by stage, ends at a gate.

    `watcher` sees each step, and may add a tap. `losses` says what comes before an item is skipped.
    """

    def __init__(
        self,
        run: Run,
        source: Source,
        watcher: Watcher = UNWATCHED,
        losses: LossesOfRun | None = None,
    ) -> None:
        self._run = run
        self._losses = losses
        self._emitter: Emitter = source
        self._watcher = watcher
        self._row = Row(run, None, source)
        self._tap(watcher.tap_source())
        self._stage = 0  # the id of the last one: a `Sketch` counts as this does
        self._open: Line | None = None
        self._last: Line | None = None
        self._is_sorted = run.ordered  # what comes now, by the items that it comes from
        self.counters: list[Counters] = []

    def call(self, call: Call, *, name: str, limit: int | None, in_order: bool) -> None:
        """Add calls for single items; `in_order` says that they must start in input order."""
        if self._stage == 0:  # a foreign operator would work for several items at a stretch
            self._emitter.reads_ahead = call.is_async and not call.is_held
        line = self._open
        self._stage += 1
        if in_order or line is None:
            line = self._open_segment()
        stage = self._add_calls(
            line, call, limit, self._count(name), is_held=call.is_held, counts_input=True
        )
        if in_order:
            stage.is_sequential = True

    def batch(
        self,
        call: Call,
        *,
        name: str,
        limit: int | None,
        trigger: Trigger,
        measures: Measures | None = None,
    ) -> None:
        """Add calls for batches, which `trigger` cuts; the window counts their items."""
        self._close_segment()
        self._stage += 1
        counters = self._count(name)
        reporter = self._watcher.batch_reporter(self._stage)
        if measures is None:
            batches = Batches(self._run, trigger, counters, reporter)
        else:
            from ..batches.measured_batches import MeasuredBatches

            batches = MeasuredBatches(self._run, trigger, counters, reporter, measures)
        batches.is_sorted = self._is_sorted
        self._is_sorted = self._is_sorted and batches.keeps_order
        self._run.enroll(batches)
        self._add(batches)
        line = self._open_segment(weigh=len)
        is_held = call.is_held or measures is not None  # some items may be refused
        batches.calls = stage = self._add_calls(line, call, limit, counters, is_held=is_held)
        if limit == 1 or call.is_generator:
            stage.is_sequential = True
        if measures is not None:
            from ..calls.refusal import refuse

            cast("MeasuredBatches", batches).refuse = partial(refuse, cast("HeldCalls", stage))

    def process(self, processor: Processor, *, name: str) -> None:
        """Add a stage that is written as an async iterable of async iterables."""
        from ..process import Process

        self._close_segment()
        self._stage += 1
        stage = Process(self._run, processor, self._count(name))
        self._end_emitter(stage, final=True)
        self._run.enroll(stage.pull)
        self._add(stage)
        self._emitter, self._last = stage.pull, None
        self._tap(self._watcher.tap_stage(self._stage))

    def apply(self, operator: Callable[[Observable[Any]], Observable[Any]], *, name: str) -> None:
        """Add a foreign operator, on values in their order."""
        from ..arrivals import arrive

        self._close_segment()
        self._stage += 1
        if self._last is not None:
            self._last.direct = False
        self._row = arrive(self._run, self._row, operator)
        self._last = None
        self._tap(self._watcher.tap_stage(self._stage))

    def end(self, gate: Gate, *, direct: bool) -> Row:
        """End the chain at `gate`, and return what is to be subscribed.

        `direct` says that no foreign code is behind it.
        """
        self._close_segment()
        if self._last is not None:
            self._last.direct = direct
        self._end_emitter(gate, final=True)
        if self._losses is not None:
            self._tap(self._losses.judge())
        self._tap(self._watcher.tap_outlet())
        return self._row

    # -- private

    def _add(self, operator: Subscriber) -> None:
        self._row.operators.append(operator)

    def _add_stage(self, stage: FlatMap | Turnstile) -> None:
        stage.line.stages.append(stage)
        self._run.enroll(stage)
        self._add(stage)

    def _add_calls(
        self,
        line: Line,
        call: Call,
        limit: int | None,
        counters: Counters,
        *,
        is_held: bool,
        counts_input: bool = False,
    ) -> FlatMap:
        """Add calls; `Batches` counts its own input."""
        if len(self.counters) % DEPTH == 0:
            self._add(Turn(self._run))
        run = self._run
        if not is_held:
            stage = FlatMap(run, line, call, limit, counters, counts_input)
        else:
            from ..calls.held_calls import HeldCalls
            from ..calls.turnstile import Turnstile

            stage = HeldCalls(run, line, call, limit, counters, counts_input=False)
            held = Turnstile(run, line, stage, call.key, counts_input=counts_input)
            stage.turnstile, stage.begun = held, set()
            self._add_stage(held)
        losses = self._losses_of(call.policy, counters)
        if losses is not None:
            stage.losses = losses
        self._add_stage(stage)
        self._tap(self._watcher.tap_calls(self._stage, stage))
        return stage

    def _losses_of(self, policy: Policy, counters: Counters) -> Losses | None:
        if self._losses is None:
            if policy.dead_letter is None and policy.max_failures is None:
                return None
            from ..calls.dead_letters import LossesOfRun

            self._losses = LossesOfRun()
        return self._losses.of_stage(policy, counters)

    def _open_segment(self, weigh: Callable[[Any], int] | None = None) -> Line:
        self._close_segment()
        self._open = line = (Line if self._run.ordered else AsCompletedLine)(self._run)
        line.is_sorted = self._is_sorted
        self._end_emitter(line, final=False)
        self._add(Entry(line, weigh))
        self._watcher.line_opens(line)
        return line

    def _close_segment(self) -> None:
        line, self._open = self._open, None
        if line is not None:
            fuse(line, self._row.operators)
            self._run.enroll(line)
            self._add(line)
            self._emitter = self._last = line
            self._tap(self._watcher.tap_line(line))

    def _tap(self, tap: Subscriber | None) -> None:
        if tap is not None:
            self._add(tap)

    def _count(self, name: str) -> Counters:
        counters = Counters(name)
        self.counters.append(counters)
        return counters

    def _end_emitter(self, gate: Gate, *, final: bool) -> None:
        self._emitter.gate = gate
        gate.upstream_bit |= self._emitter.bit
        if self._last is not None:
            self._last.final = final
