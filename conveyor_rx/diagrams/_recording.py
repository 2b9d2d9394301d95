"""What is kept of a run? Its lanes: the source, each stage, the output.

A `Recording` has `lanes`: `lanes[0]` is the source, `lanes[1:-1]` the stages, `lanes[-1]` the
output. All times are seconds from the start of the run (`run_started` is 0.0). A `Lane` has

    calls     what ran: a `Call` stands in a `slot` (0 is the first; no two calls of a lane share a
              slot at one time, except for those that take no time), has `attempts`, an `outcome`
    marbles   what came out: a `Marble` was `ready` at an instant and `left` at one, the same or a
              later one if it was held; `left` is None while it is held, or if it never left
    losses    what did not: a `Loss` is an item that failed, was skipped, or was dropped
    queue     how many items wait here: steps (instant, number), each valid until the next

Values are known by numbers (`items`), a new one for each marble: the calls of the next lane that
have this number among their `items` work on it. The output's marbles have the numbers of
the last stage's; there `ready` is when the last stage let go of it, `left` when it was consumed.
`inputs` are the numbers of the source's items that something comes from. No value of the user's is
kept, only `label`, one short line; that is not yet escaped for any format.

While a run goes on, ends and times that are not known yet are None, and `outcome` is "".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .._text.labels import label
from ._workers import Workers

__all__ = [
    "Attempt",
    "Call",
    "Lane",
    "LaneKind",
    "Loss",
    "LossKind",
    "Marble",
    "Recording",
    "name_of",
]

LaneKind: TypeAlias = Literal["source", "single_task", "batch_task", "own", "operator", "output"]
LossKind: TypeAlias = Literal["failed", "skipped", "none", "rest"]
"""`none`: its call gave None; `rest`: it was in a rest below `min_size`."""


@dataclass(slots=True)
class Attempt:
    """One attempt of a call; the parts of a batch that is split have attempts of their own."""

    number: int
    """From 1."""
    items: tuple[int, ...]
    """What it is about: of a batch perhaps a part."""
    start: float
    end: float | None = None
    error: str = ""
    """The name of the exception's type, if it failed."""
    timed_out: bool = False
    """Whether it was ended by `timeout` or `total_timeout`."""
    worker: str = ""
    """Who made it, if that was in an executor and is known."""
    queued: float = 0.0
    """Seconds from its start until the worker began."""


@dataclass(slots=True)
class Call:
    """One call of a stage's function, with all its attempts; in between it holds its row."""

    number: int
    items: tuple[int, ...]
    inputs: tuple[int, ...]
    slot: int
    start: float
    end: float | None = None
    outcome: str = ""
    """completed, failed, skipped, dropped or cancelled."""
    cut: str = ""
    """Of a batch, why it was cut: full, weight, wait, window or flush."""
    waits_for: str = ""
    """What its item waited for last, if that was no slot: "key" or "rate"."""
    waited_from: float = 0.0
    """From when on."""
    attempts: list[Attempt] = field(default_factory=list[Attempt])


@dataclass(slots=True)
class Marble:
    """A value that a lane gave."""

    item: int
    inputs: tuple[int, ...]
    label: str
    ready: float
    left: float | None = None
    call: int | None = None
    """The number of the call that made it, if it was made by one."""
    rank: int | None = None
    """It was the one to leave its lane after so many others."""


@dataclass(slots=True)
class Loss:
    """Values that end in a lane."""

    kind: LossKind
    time: float
    items: tuple[int, ...]
    inputs: tuple[int, ...]
    call: int | None = None
    error: str = ""
    """The name of the exception's type, if there was one."""
    has_letter: bool = False
    """Whether a function for dead letters has accepted it."""


@dataclass(slots=True, repr=False)
class Lane:
    """What happened in one stage, or at the source or the output.

    The lists are cut at the recorder's bound (see `Recording.is_cut`), the numbers are not.
    """

    name: str
    kind: LaneKind
    options: tuple[str, ...] = ()
    """Such as `concurrency_limit=3`: those that differ from the defaults."""
    slots: int | None = None
    """How many calls may run at once; None: no limit, or no calls."""
    max_size: int | None = 1
    """Items in a full batch; None: its weight says when it is full."""
    calls: list[Call] = field(default_factory=list[Call])
    marbles: list[Marble] = field(default_factory=list[Marble])
    """In the order in which they were ready."""
    losses: list[Loss] = field(default_factory=list[Loss])
    queue: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    ended: float | None = None
    """When it gave its last result, if it came to that."""

    errors: dict[str, int] = field(default_factory=dict[str, int])
    """Attempts that failed, by the name of the exception's type; of many types the first ones."""
    called: int = 0
    """Calls, as far as they have begun."""
    retries: int = 0
    """Attempts that followed a failed one."""
    results: int = 0
    """Marbles that were ready."""
    most_at_once: int = 0
    """The highest number of calls that ran at one time."""
    busy: float = 0.0
    """Seconds in calls, summed over those that have ended."""
    waited: float = 0.0
    """Seconds that items waited before their calls, summed over items."""
    waiters: int = 0
    """How many items those were."""
    waits_for: set[str] = field(default_factory=set[str])
    """What some of them waited for, beside a slot or a batch: "key" or "rate"."""
    held: float = 0.0
    """Seconds that results were held after they were ready, summed over results."""
    holds: int = 0
    """How many results those were."""
    workers: Workers = field(default_factory=Workers)
    first_call: float | None = None
    last_call: float | None = None
    """When the last of the calls that have ended did so."""

    def __repr__(self) -> str:
        counts = f"{self.called:,} calls, {self.results:,} results, {len(self.losses):,} losses"
        return f"<Lane {name_of(self)}: {counts}>"


@dataclass(slots=True, repr=False)
class Recording:
    """One run: what it is, its lanes, and how it went."""

    name: str
    """The stages' names, joined as in the code."""
    lanes: tuple[Lane, ...]
    ordered: bool = True
    total: int | None = None
    """Items that the source was to give, if it had a length."""
    shows_labels: bool = False
    """Whether marbles show their labels, as the user asked for, or the numbers of their inputs."""
    now: float = 0.0
    """The instant that it has come to."""
    ended: float | None = None
    """When the run ended; None while it goes on."""
    drained: float | None = None
    """When it was told to pull nothing more, by `stream.drain`."""
    outcome: str = ""
    """completed, failed or closed."""
    failure: str = ""
    """What it failed with: type and message, one short line."""
    failure_type: str = ""
    """The name of that type alone."""

    pulled: int = 0
    delivered: int = 0
    failed: int = 0
    skipped: int = 0
    dead_lettered: int = 0
    """How many of the skipped items went to a function for dead letters."""
    watermark: int | None = None
    """How many of the source's first items were settled when the run ended."""
    dropped: int = 0
    retries: int = 0
    parts: int = 0
    """Parts of failed batches that were tried by themselves."""
    workers: dict[str, int] = field(default_factory=dict[str, int])
    """Those that have made calls, and their numbers in pictures, from 1."""
    first_result: float | None = None
    last_result: float | None = None
    is_cut: bool = False
    """Whether the recorder's bound was reached, and the lists of lanes end before the run does."""
    last_detail: float = 0.0
    """The instant of the last event whose details are kept."""
    kept: int = 0
    """How many of the source's items have details."""

    def __repr__(self) -> str:
        outcome = self.outcome or "running"
        counts = f"{self.pulled:,} in, {self.delivered:,} out"
        return f"<Recording of {name_of(self)}: {counts}, {outcome}>"

    @property
    def source(self) -> Lane:
        """The first lane."""
        return self.lanes[0]

    @property
    def stages(self) -> tuple[Lane, ...]:
        """The lanes of the stages."""
        return self.lanes[1:-1]

    @property
    def output(self) -> Lane:
        """The last lane."""
        return self.lanes[-1]

    @property
    def span(self) -> float:
        """Seconds that the lists of the lanes cover."""
        return self.last_detail if self.is_cut else self.now


def name_of(one: Lane | Recording) -> str:
    """Give a name that comes from users, as a short text."""
    return label(one.name, 60)
