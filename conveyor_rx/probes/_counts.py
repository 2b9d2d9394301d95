"""How far is a pipeline? The numbers that a progress view shows of it and its stages."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["PipelineCount", "StageCount"]

_WINDOW = 10.0  # seconds over which a rate is taken
_LEAST = 0.01  # seconds, below which a rate says nothing
_GRAIN = 0.5  # seconds between the samples that are kept for that


@dataclass(slots=True)
class StageCount:
    """What one stage has done; all numbers are items, those of `results` are outputs."""

    name: str
    makes_calls: bool
    arrived: int = 0
    done: int = 0
    """Given to a call that succeeded, dropped ones included."""
    failed: int = 0
    skipped: int = 0
    running: int = 0
    waiting: int = 0
    results: int = 0
    unended: int = 0
    """Runs in which the stage has not given its last result."""
    expected: int | None = None
    """Items that will have arrived at the end."""
    is_exact: bool = False
    """Whether `expected` is known; else it is drawn from what the stages before have done."""
    _began: float | None = None
    _ended: float = 0.0
    _samples: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    @property
    def settled(self) -> int:
        """How many items it is through with."""
        return self.ended if self.makes_calls else self.arrived

    @property
    def ended(self) -> int:
        """How many items its calls are through with, whatever became of them."""
        return self.done + self.failed + self.skipped

    @property
    def progress(self) -> int:
        """What a rate is taken of: an operator's results, for nobody knows what became of items."""
        return self.ended if self.makes_calls else self.results

    def begin(self, now: float) -> None:
        """Note that the stage is at work."""
        if self._began is None:
            self._began = now
            self._samples.append((now, self.progress))

    def tick(self, now: float) -> None:
        """Note that the stage has got on."""
        self.begin(now)
        self._ended = now
        if now - self._samples[-1][0] >= _GRAIN:
            self._samples.append((now, self.progress))
            self._forget(now)

    def rate(self, now: float | None) -> float | None:
        """Return items a second, of late; without `now` over the whole time."""
        if self._began is None:
            return None
        if now is None:
            since, before, now = self._began, 0, self._ended
        else:
            self._forget(now)
            since, before = self._samples[0]
        return (self.progress - before) / (now - since) if now - since >= _LEAST else None

    def _forget(self, now: float) -> None:
        while len(self._samples) > 1 and now - self._samples[1][0] > _WINDOW:
            self._samples.popleft()


@dataclass(slots=True)
class PipelineCount:
    """What the runs of one pipeline have done together."""

    name: str
    stages: list[StageCount]
    began: float
    now: float
    """The time of the last event."""
    total: int | None = 0
    """Items that the sources will give, if all of them have a length."""
    pulled: int = 0
    runs: int = 0
    active: int = 0
    unended: int = 0
    """Runs whose source may still give items."""
    outcome: str = ""
    """Of the run that ended last: "completed", "closed", or the type of its error."""

    def begin(self, total: int | None) -> None:
        """Note that a run begins, whose source will give `total` items."""
        self.runs += 1
        self.active += 1
        self.unended += 1
        for stage in self.stages:
            stage.unended += 1
        if self.total is not None:
            self.total = None if total is None else self.total + total

    def end(self, outcome: str) -> None:
        """Note that a run has ended."""
        self.active -= 1
        self.outcome = outcome

    def left(self, now: float) -> float | None:
        """Estimate the seconds until all is done: by the stage that needs longest, as it goes now.

        None while nobody can tell: a length is unknown, or the first calls of a stage still run.
        """
        paces = [(stage.expected, stage.settled, stage.rate(now)) for stage in self.stages]
        if any(stage.running and not stage.settled for stage in self.stages):
            return None
        if self.unended:  # what its source gives in bursts is not known to be slow
            paces.append((self.total, self.pulled, None))
        since_begin = max(now - self.began, _LEAST)
        times = [
            (expected - settled) / (speed or settled / since_begin)
            for expected, settled, speed in paces
            if expected is not None and settled
        ]
        return max(times, default=None)

    def expect(self) -> None:
        """Bring up to date what each stage expects."""
        total: int | None = self.pulled
        if self.unended:
            total = None if self.total is None else max(self.total, self.pulled)
        is_exact = total is not None
        for stage in self.stages:
            stage.expected, stage.is_exact = total, is_exact
            is_exact = not stage.unended
            if is_exact:
                total = stage.results
            elif total is not None:
                total = round(total * stage.results / stage.settled) if stage.settled else None
