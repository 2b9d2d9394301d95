"""How does a run begin? A source, a plan and an outlet become one chain, subscribed once."""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from .._engine.closing.ending import innermost
from .._engine.counters import Counters
from .._engine.early_end import EarlyEnd
from .._engine.graph.chain import Chain
from .._engine.graph.watcher import UNWATCHED
from .._engine.line.rest import Rest
from .._engine.outlets.reader import Reader
from .._engine.run import UNBOUNDED, Run, enclosing
from .._engine.sources import Source, demand, length_of, source_of
from .._engine.subscriber import subscribe
from .._engine.turns.pace import pace_of
from .._engine.turns.trampoline import Gate
from .._engine.turns.youth import Youth
from .._engine.watermark import Watermark
from .._observers import observing
from ..context import PipelineContext, set_current_context, twin_of
from .plan import Plan

if TYPE_CHECKING:
    from .._engine.calls.dead_letters import LossesOfRun
    from .._engine.graph.observed_run import ObservedRun
    from .._engine.observing.tracer import Tracer
    from .._engine.outlets.push import Push
    from ..events import Probe

__all__ = [
    "is_loop_running",
    "link",
    "new_run",
    "outside_of_runs",
    "running_loop",
    "turn_to_begin",
]


def new_run(plan: Plan | None) -> Run:
    """Make a run on the running loop, in a copy of the current context.

    Raises:
        RuntimeError: no event loop runs in this thread.
    """
    loop = running_loop()
    settings = twin_of(plan.context) if plan is not None else PipelineContext()
    settings.pipeline_id = run_id = os.urandom(16).hex()
    context = contextvars.copy_context()
    if context.get(demand) is not None:  # a variable more costs each call a comparison
        context.run(demand.set, None)
    if context.get(enclosing) is not None:
        context.run(enclosing.set, None)
    if plan is not None:
        context.run(set_current_context, settings)
    probes = observing()
    run = Run(
        loop,
        context,
        tracer=_new_tracer(probes, loop, run_id) if probes else None,
        ordered=settings.execution_mode == "ordered",
        max_in_flight=settings.max_in_flight,
        max_parallelism=settings.max_parallelism,
        warns_of_blocking=settings.warn_of_blocking,
    )
    if run.ending.origin is None:  # within another run the first result is not all
        run.youth = Youth()
    return run


def outside_of_runs() -> contextvars.Context:
    """Copy the current context, without the run that it may belong to: for another event loop."""
    context = contextvars.copy_context()
    for variable in cast("tuple[contextvars.ContextVar[Any], ...]", (demand, enclosing, innermost)):
        if context.get(variable) is not None:
            context.run(variable.set, None)
    return context


async def turn_to_begin() -> None:
    """Wait, before a run begins, for a turn of the event loop, if it is due to have one (F7).

    Raises:
        RuntimeError: no event loop runs in this thread.
    """
    await pace_of(running_loop()).turn()


def link(
    run: Run, data: Any, plan: Plan | None, gate: Gate, outlet: Reader | Push
) -> list[Counters]:
    """Build the chain from `data` to `outlet`, paced by `gate`, and subscribe it.

    The run pauses then, until `go_on`: what an Observable emits meanwhile waits.
    """
    run.pause()
    source = source_of(data, run)
    run.enroll(Rest(run))
    run.enroll(source)
    run.watermark = Watermark(run, source, outlet)
    is_pulled = isinstance(outlet, Reader)
    observed = None
    if run.tracer is not None:
        observed = _observed(run, run.tracer, plan, source, length_of(data), is_pulled=is_pulled)
    losses = None
    if plan is not None:
        losses = _losses(plan.context)
    chain = Chain(run, source, observed or UNWATCHED, losses)
    if plan is not None:
        plan.connect(chain)
    row = chain.end(gate, direct=is_pulled)
    if observed is not None:
        if isinstance(outlet, Reader):
            outlet.deliveries = observed.deliveries
        observed.begin()
    run.early_end = EarlyEnd(run, source, outlet)
    run.chain = subscribe(row, outlet, run)
    if run.closed:  # by what was subscribed to
        run.chain.dispose()
        run.early_end = None
    return chain.counters


# Most runs need nothing of what follows, and importing the library doesn't pay for it.


def _losses(context: PipelineContext) -> LossesOfRun | None:
    if context.dead_letter is None and context.max_failures is None:
        return None
    from .._engine.calls.dead_letters import LossesOfRun

    return LossesOfRun(context.dead_letter, context.max_failures)


def _new_tracer(probes: Sequence[Probe], loop: asyncio.AbstractEventLoop, run_id: str) -> Tracer:
    from .._engine.observing.tracer import Tracer

    clock = loop.time
    if getattr(clock, "__func__", None) is asyncio.BaseEventLoop.time:
        clock = monotonic  # it is what that returns; each event saves a call
    return Tracer(probes, clock, run_id)


def _observed(
    run: Run,
    tracer: Tracer,
    plan: Plan | None,
    source: Source,
    total: int | None,
    *,
    is_pulled: bool,
) -> ObservedRun:
    from .._engine.graph.observed_run import ObservedRun
    from .._engine.graph.sketch import Sketch
    from ..events import RunInfo

    sketch = Sketch()
    if plan is not None:
        plan.connect(sketch)
    info = RunInfo(
        id=tracer.run_id,
        stages=sketch.stages,
        ordered=run.ordered,
        source=source.kind,
        total=total,
        max_in_flight=None if run.max_in_flight == UNBOUNDED else run.max_in_flight,
        max_parallelism=None if run.max_parallelism == UNBOUNDED else run.max_parallelism,
        outlet="pulled" if is_pulled else "pushed",
    )
    return ObservedRun(run, tracer, info)


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs in this thread, or say what to do."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "a stream needs a running event loop: use it inside of a coroutine, for example "
            "asyncio.run(main()) with `async for` or `await stream.collect()` in main"
        ) from None


def is_loop_running() -> bool:
    """Tell whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
