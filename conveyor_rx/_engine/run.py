"""What do the operators of one run share? The cap on parallel calls, room, what is settled."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from .._inputs import Inputs
from .counters import Counters
from .lifetime import Lifetime
from .turns.nesting import NESTED
from .turns.relay import UNBOUNDED
from .watermark import Watermark

if TYPE_CHECKING:
    from .observing.tracer import Tracer

__all__ = ["REST", "UNBOUNDED", "Run", "enclosing"]

REST = 1
"""The bit of the worker that shares out what room is left (`rest.py`): it is enrolled first."""

enclosing: ContextVar[Run | None] = ContextVar("conveyor_rx_enclosing", default=None)
"""The run whose turn it is: streams that are subscribed in it are awaited at its end."""

_log = logging.getLogger("conveyor_rx")


class Roomy(Protocol):
    """A window, as a run sees it."""

    bit: int

    def share_room(self) -> None:
        """Let calls go on that wait for room, as many as there is room for."""


class Ends(Protocol):
    """What may end a run early (`early_end.py`), as the run sees it."""

    def cancel(self) -> None:
        """Let go of the run, which is over."""


class Run(Lifetime):
    """One subscription of a compiled pipeline, from its first pull to its one end."""

    __slots__ = (
        "cap",
        "compared_by_identity",
        "cutting",
        "early_end",
        "failure",
        "inputs",
        "is_cut_short",
        "max_in_flight",
        "max_parallelism",
        "on_pause",
        "ordered",
        "roomy",
        "running",
        "skipping",
        "starved",
        "warns_of_blocking",
        "watermark",
    )
    ready: int

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        context: Context,
        *,
        ordered: bool = True,
        max_in_flight: int | None = None,
        max_parallelism: int | None = None,
        warns_of_blocking: bool = False,
        tracer: Tracer | None = None,
    ) -> None:
        super().__init__(loop, context, tracer)
        self.turns_context.run(enclosing.set, self)
        # In a context these may be equal to another value, and yet are not that.
        self.compared_by_identity = [
            (variable, value)
            for variable, value in context.items()
            if value is not None and type(value).__eq__ is not object.__eq__
        ]
        self.ordered = ordered
        self.max_in_flight = max_in_flight or UNBOUNDED
        self.max_parallelism = max_parallelism or UNBOUNDED
        self.warns_of_blocking = warns_of_blocking
        self.cap = self.max_parallelism  # calls that may run at once now: none in a pause
        self.running = 0  # calls at this moment, in all stages
        self.inputs: Inputs = None  # of the source: what the value that is handed on comes from
        self.roomy: dict[Roomy, None] = {}  # those that have room left while calls wait for it
        self.starved = 0  # bits of the workers that get a turn when a call ends, of any stage
        self.skipping: list[Counters] = []  # of the stages that have skipped something
        self.failure: BaseException | None = None  # of the call that ends the run
        self.is_cut_short = False  # its source was stopped before the end of the data
        self.watermark: Watermark | None = None  # which items are settled, once it is linked up
        self.cutting: deque[Any] | None = None  # subscribers whose upstream is being cut off
        self.early_end: Ends | None = None
        self.on_pause: list[Callable[[], None]] = []  # of those who would stop other runs

    def wake_starved(self) -> None:
        """Give a turn to those that wait for a call to end."""
        self.ready |= self.starved
        self.starved = 0

    def lose(self, inputs: Inputs) -> None:
        """Take note that a value is let go of, and its items are not settled."""
        if self.watermark is not None:
            self.watermark.lose(inputs)

    def lose_sight(self) -> None:
        """Take note that a value goes where nobody can say what becomes of it."""
        if self.watermark is not None:
            self.watermark.hold()

    def pause(self) -> None:
        super().pause()
        self.cap = 0
        for step_aside in self.on_pause:
            step_aside()

    def go_on(self) -> None:
        if not self.closed:
            self.cap = self.max_parallelism
            super().go_on()
            if not self.roomy:
                self.ready &= ~REST

    def within(self, work: Callable[..., None], *args: Any) -> None:
        """Do `work`, which leads into other runs; if that is nested too deep, do it soon."""
        if not self.in_thread():
            work(*args)
        elif self.nesting.depth < NESTED:
            self.nesting.within(work, *args)
        else:
            self.nesting.waiting.append(partial(self._do, work, args))

    def _do(self, work: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            work(*args)
        except Exception as error:
            self.crash(error)

    def _freeze(self) -> int:
        watermark, tracer, settled = self.watermark, self.tracer, 0
        if watermark is not None:
            try:
                watermark.freeze()
                if tracer is not None:
                    settled = watermark.at_end(is_complete=tracer.is_complete)
            except Exception as error:  # after one of our own, which may have broken a line
                self.failures.add(error, "in the engine")
        return settled

    def _let_go(self, settled: int) -> None:
        if self.tracer is not None:
            self.tracer.finish(settled)
        for stage in self.skipping:
            came = stage.snapshot().in_
            _log.warning("task %r skipped %d of %d items", stage.stage, stage.skipped, came)
        self.roomy = {}
        end, self.early_end = self.early_end, None
        if end is not None:
            end.cancel()
        self.failure = None
        self.on_pause = []
