"""How do events become a recording? A probe that keeps little, and no value of the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .._text.labels import label, terminal
from ..events import Event, RunInfo
from ._recording import Recording, name_of
from ._run_recorder import RunRecorder
from ._words import counted, summary

__all__ = ["Labels", "Recorder"]

SHOWN = 10  # runs that a recorder names
Labels: TypeAlias = Callable[[Any], object]
"""From a value to what its marble shows: a text, or any object with a `repr`."""


class Recorder:
    """A probe that records runs, to be drawn by `MarbleDiagram`.

    Of each value only a short label is kept; `labels` chooses what it shows, and then marbles show
    it in place of the numbers of the source's items that they come from. The details of the first
    `max_items` items of the source are kept, and of at most `max_runs` runs, inner ones included;
    beyond that is only counted, and diagrams say so. A recorder may be read at any time, also while
    its runs go on.

    Raises:
        ValueError: `max_items` or `max_runs` is less than 1.

    >>> import asyncio
    >>> from conveyor_rx.events import observe
    >>> recorder = Recorder()
    >>> async def main():
    ...     with observe(recorder):
    ...         await single_task(str, task_name="text")([1, 2]).collect()
    >>> asyncio.run(main())
    >>> recorder.run.name, recorder.run.pulled, recorder.run.delivered
    ('text', 2, 2)
    >>> recorder.run
    <Recording of text: 2 in, 2 out, completed>
    """

    def __init__(
        self, *, labels: Labels | None = None, max_items: int = 10_000, max_runs: int = 100
    ) -> None:
        for name, number in (("max_items", max_items), ("max_runs", max_runs)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, not {number}")
        self._labels = labels
        self._max_items = max_items
        self._max_runs = max_runs
        self._runs: list[Recording] = []
        self._going_on: dict[int, tuple[RunInfo, RunRecorder | None]] = {}
        self._last_run: RunInfo | None = None
        self._last: RunRecorder | None = None
        self._uncounted = 0

    def __repr__(self) -> str:
        if not self._runs:
            return "<Recorder of no run yet: a run begins when its stream is first read>"
        runs = counted(len(self._runs) + self._uncounted, "run")
        lines = [f"<Recorder of {runs}, MarbleDiagram(recorder) draws the first>"]
        lines += [f"  {name_of(run)}: {terminal(summary(run))}" for run in self._runs[:SHOWN]]
        left_out = len(self._runs) + self._uncounted - SHOWN
        return "\n".join(lines if left_out <= 0 else [*lines, f"  and {left_out:,} more"])

    def __call__(self, event: Event) -> None:
        """Take note of `event`."""
        run, kind = event.run, event.kind
        if run is not self._last_run:  # most events are of the run of the one before
            # The run is kept beside its recorder: as long as it lives, its id is nobody else's.
            known = self._going_on.get(id(run)) or self._begin(event)
            self._last_run, self._last = known
        if self._last is not None:
            self._last.take(event, kind)
        if kind == "run_ended":
            del self._going_on[id(run)]
            self._last_run = self._last = None

    @property
    def runs(self) -> tuple[Recording, ...]:
        """The runs that were recorded, in the order in which they began."""
        return tuple(self._runs)

    @property
    def run(self) -> Recording:
        """The run that began first; runs within its stages come later.

        Raises:
            LookupError: no run has begun.
        """
        if not self._runs:
            raise LookupError(
                "no run has been recorded: a run begins when its stream is first read"
            )
        return self._runs[0]

    @property
    def unrecorded_runs(self) -> int:
        """How many runs began beyond `max_runs`; nothing else is known of them."""
        return self._uncounted

    def come_to(self, time: float) -> None:
        """Let the first run have come to `time`, of its loop's clock, if it goes on."""
        for _, recorder in self._going_on.values():
            if recorder is not None and recorder.recording is self._runs[0]:
                recorder.come_to(time)

    def _begin(self, event: Event) -> tuple[RunInfo, RunRecorder | None]:
        recorder = None
        if len(self._runs) < self._max_runs:
            has_labels = self._labels is not None
            label_of = self._label if has_labels else label
            recorder = RunRecorder(event, label_of, self._max_items, has_labels)
            self._runs.append(recorder.recording)
        else:
            self._uncounted += 1
        begun = self._going_on[id(event.run)] = (event.run, recorder)
        return begun

    def _label(self, value: Any) -> str:
        assert self._labels is not None
        try:
            return label(self._labels(value))
        except Exception:  # a picture is no reason to lose the recording
            return f"<{label(type(value).__name__)}>"
