"""How does a run tell a log what happens? A line at DEBUG for each event, without any content."""

from __future__ import annotations

import logging

from .._inputs import name_inputs
from .._text.labels import label
from ..events import Event

__all__ = ["LoggingProbe"]


class LoggingProbe:
    """Log what happens in a run, at DEBUG on `logger` (the one called `conveyor_rx`).

    Values are named by the source's items that they come from, counted from 0 as in notes and
    diagrams, and errors by their type, for a message may hold contents.
    While DEBUG is off nothing is made up.

    >>> import asyncio, logging, sys
    >>> from conveyor_rx import single_task
    >>> from conveyor_rx.events import observe
    >>> logger = logging.Logger("example", logging.DEBUG)
    >>> logger.addHandler(logging.StreamHandler(sys.stdout))
    >>> async def main():
    ...     with observe(LoggingProbe(logger)):
    ...         await single_task(abs)([-1]).collect()
    >>> asyncio.run(main())  # doctest: +ELLIPSIS
    run ..., source: run_started, total 1
    run ..., source: pulled, input 0
    run ..., abs: call_started, input 0, call 0, attempt 1
    run ..., abs: call_ended, input 0, call 0, completed
    run ..., abs: ready, input 0, call 0
    ...
    run ..., output: run_ended, completed
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("conveyor_rx")

    def __call__(self, event: Event) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            run = label(event.run.id, 40)
            details = "".join(f", {detail}" for detail in _details(event))
            self._logger.debug("run %s, %s: %s%s", run, _place(event), event.kind, details)


def _place(event: Event) -> str:
    return label(event.run.stages[event.stage].name, 40)


def _details(event: Event) -> list[str]:
    details: list[str] = []
    if event.kind == "run_started" and event.run.total is not None:
        details.append(f"total {event.run.total}")
    if event.inputs:
        details.append(name_inputs(event.inputs))
    if event.call is not None:
        details.append(f"call {event.call}")
    if event.attempt:
        details.append(f"attempt {event.attempt}")
    if event.error is not None:
        details.append(label(type(event.error).__name__, 60))
    if event.reason:
        details.append(event.reason)
    if event.worker:
        details.append(f"by {label(event.worker, 40)} after {event.queued:.3f} s")
    return details
