"""How does a stream begin a run of its own? It is pulled from, or pushes to an observer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._engine.outlets.reader import Reader
from .._engine.run import Run, enclosing
from .._engine.sources import demand
from .draining import Draining
from .latest import Latest
from .origin import Origin
from .start import link, new_run

if TYPE_CHECKING:
    from reactivex import abc

__all__ = ["begin_pulled", "begin_pushed"]


def begin_pulled(origin: Origin, latest: Latest, draining: Draining, *, closed: bool) -> Reader:
    """Begin a run that is pulled from; it pauses until then. `closed`: it never goes on."""
    run = new_run(origin.plan)
    reader = Reader(run)
    if closed:
        reader.close()
    else:
        data = () if draining.covers(None) else origin.source
        latest.begin(run, link(run, data, origin.plan, reader, reader))
        draining.begin(run)
    return reader


def begin_pushed(
    origin: Origin, latest: Latest, draining: Draining, observer: abc.ObserverBase[Any]
) -> abc.DisposableBase:
    """Begin a run that pushes to `observer`, soon after this has returned."""
    from reactivex.disposable import Disposable

    from .._engine.outlets.push import Push
    from .._errors.audience import subscribing

    outer, parent = demand.get(), enclosing.get()
    run = new_run(origin.plan)
    push = Push(run, observer)
    gate = outer.gate_for(run) if outer is not None else push
    if parent is not None:  # what is behind this stream belongs to that run, as this does
        parent.adopt(run)
        run.turns_context.run(enclosing.set, parent)
        run.turns_context.run(demand.set, outer)
    data = () if draining.covers(parent) else origin.source
    latest.begin(run, link(run, data, origin.plan, gate, push))
    draining.begin(run)
    if parent is not None and run.watermark is not None:
        run.watermark.is_part = True
    if parent is None:
        audience = subscribing.audience
        run.listener = audience.hear if audience is not None else None
        push.keep()
    else:  # that waits for this one
        run.loop.call_soon(_go_on, run)
    return Disposable(push.dispose)


def _go_on(run: Run) -> None:
    run.go_on()
    run.drain()
