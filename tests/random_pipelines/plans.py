"""What should a random pipeline give? Plans drawn by Hypothesis, and a sequential model.

`random_stages.py` makes real pipelines of them, `run_random.py` runs these and checks them, and
`scenarios.py` counts what occurs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

__all__ = ["BATCHES", "GENERATORS", "KINDS", "SOURCES", "WAYS", "Plan", "Spec", "model", "plans"]

GENERATORS = ("generator", "async generator")
LATENT = ("async", "async generator", "batch", "list batch", "side input")  # kinds that take time
BATCHES = ("batch", "list batch")
UNCOUNTED = ("rx", "own")  # no tasks: without error options of ours, and without calls
SINGLE = ("sync", "list", "filter", "async", "generator", "async generator", "side input")
KINDS = ("sync", "list", "lazy", "filter", "generator", *LATENT, *UNCOUNTED)
SOURCES = ("sync", "async", "observable")
WAYS = ("async for", "collect", "subscribe")
BUFFER = 16  # results that wait for who iterates


@dataclass(frozen=True)
class Spec:
    """One stage: what it does to an item is a pure function of item and salt."""

    kind: str
    salt: int
    limit: int | None = None
    latency: float = 0.0
    failing: int = 0  # of 100 items, how many fail
    transient: bool = False  # fail at the first attempt only
    on_error: str = "fail"
    attempts: int = 1
    min_size: int = 1
    max_size: int = 1
    max_wait: float | None = None  # where it changes nothing of what comes out
    max_weight: float | None = None  # of a batch
    refused: int = 0  # of 100 items, how many have no weight; they are skipped
    groups: int = 0  # how many keys there are, if batches are of one key
    timeout: float | None = None  # of calls for single items
    total: float | None = None  # seconds for all attempts at one, where none is transient
    budget: int | None = None  # how many items may be skipped
    rate: tuple[int, float] | None = None  # how many attempts may start in how many seconds
    keys: int | None = None  # how many there are, if calls for equal ones follow each other

    @property
    def delay(self) -> float:
        """How many seconds there are between two attempts: none in every other stage."""
        return 0.5 if self.salt % 2 else 0.0

    def luck(self, item: int) -> int:
        """Give a number of 0 to 99 that depends on item and salt."""
        return hash((item, self.salt)) % 100

    def weight(self, item: int) -> int:
        return -1 if self.luck(item) < self.refused else item % 4

    def key(self, item: int) -> int:
        return item % self.groups

    def fails(self, item: int) -> bool:
        seconds = min(each for each in (self.timeout, self.total, 1e9) if each is not None)
        return self.seconds(item) > seconds or self.luck(item) < self.failing

    def seconds(self, item: int) -> float:
        """Say how long the call for an item takes."""
        return self.latency * (1 + self.luck(item) % 7)

    def outputs(self, item: int) -> list[int]:
        """Give what the stage makes of one item that does not fail."""
        if self.kind in (*GENERATORS, "list", "lazy"):
            return [item * 3 + n for n in range(self.luck(item) % 4)]
        if self.kind == "filter":
            return [item] if self.luck(item) % 3 else []
        return [item + self.salt]

    def of_batch(self, batch: list[int]) -> list[int]:
        return [n + self.salt for n in batch] if self.kind == "list batch" else [sum(batch)]

    @property
    def letter(self) -> float | None:
        """How many seconds its function for dead letters takes; None if it has none."""
        return (self.salt % 4) * 0.2 if self.is_task and self.salt % 2 else None

    @property
    def is_batch(self) -> bool:
        return self.kind in BATCHES

    @property
    def is_measured(self) -> bool:
        return self.max_weight is not None

    @property
    def is_task(self) -> bool:
        return self.kind not in UNCOUNTED

    @property
    def at_once(self) -> int | None:
        """How many calls may run at once; None if there is no limit."""
        return self.limit or (1 if self.is_batch else None)

    @property
    def is_sequential(self) -> bool:
        """Whether a call keeps its slot while it waits for its next attempt."""
        return self.at_once == 1 or self.kind in GENERATORS or self.keys is not None

    def key_of(self, item: int) -> int:
        return item % (self.keys or 1)


@dataclass(frozen=True)
class Plan:
    """A whole run: the stages, the data and how they are run."""

    stages: tuple[Spec, ...]
    items: int
    source: str
    source_fails: bool
    ordered: bool
    window: int | None
    parallelism: int | None
    way: str
    pause: float  # seconds that the consumer takes for a result, if it iterates
    seed: int | None  # shuffles the ready callbacks
    drained: float | None = None  # seconds after which nothing more is pulled

    @property
    def kinds(self) -> set[str]:
        return {spec.kind for spec in self.stages}

    def without_failures(self) -> Plan:
        """Return the plan in which nothing fails the run: it is skipped instead."""
        calm = tuple(replace(spec, on_error="skip_batch", budget=None) for spec in self.stages)
        return replace(self, stages=calm, source_fails=False)

    def as_far_as(self, pulled: int, end: str | None) -> Plan:
        """Return the plan that the run comes to when it is drained after `pulled` items."""
        if self.drained is None:
            return self
        return replace(self, items=pulled, source_fails=self.source_fails and end == "source")

    @property
    def most_in_flight(self) -> int | None:
        """How many items may stand in windows, open batches and the output buffer (F2).

        None if there is no bound: the whole output of `collect` and `subscribe` may be, and an
        Observable asks nobody.
        """
        if self.window is None or self.source == "observable" or self.way != "async for":
            return None
        most, factor, room, is_open = BUFFER, 0, self.window, False
        most += self.source == "async"  # what was being pulled while outputs took the room
        for spec in self.stages:
            if not spec.is_task:  # it closes a segment, and takes what it asks for
                most += factor * room + (spec.kind == "own")
                factor, is_open = 0, False
                continue
            in_order = spec.limit == 1 or spec.kind in GENERATORS or spec.is_batch or spec.keys
            if in_order or not is_open:
                most, factor, room, is_open = most + factor * room, 1, self.window, True
            if spec.is_measured:
                most += self.window  # the open ones
                room += self.window  # those that came in at the gate
            elif spec.is_batch:
                most += spec.max_size - 1  # the open one
                room += spec.max_size - 1  # one that came in at the gate
            if spec.kind in (*GENERATORS, "lazy"):
                most += 1  # the head of a line never waits
            if spec.kind == "list":
                factor = 3 * factor  # a short list is put out in one go
        return most + factor * room


Result = tuple[list[int], str | None]  # outputs, and what ended them: "source", "call" or nothing


def model(plan: Plan) -> Result:
    """Say what the run gives in ordered mode: one stage after the other, one item at a time."""
    items, end = list(range(plan.items)), "source" if plan.source_fails else None
    for spec in plan.stages:
        given: list[int] = []
        items = [item for item in items if spec.luck(item) >= spec.refused]
        size = spec.max_size if spec.is_batch else 1
        rest = len(items) % size
        if rest and (rest < spec.min_size or end == "call"):
            items = items[: len(items) - rest]
        for unit in (items[n : n + size] for n in range(0, len(items), size)):
            bad = [n for n in unit if spec.fails(n) and not spec.transient]
            if bad and spec.on_error == "fail":
                end = "call"
                break
            if bad and spec.on_error == "skip_item":
                for good in _halves(unit, bad):
                    given += spec.of_batch(good)
            elif not bad:
                given += spec.of_batch(unit) if spec.is_batch else spec.outputs(unit[0])
        items = given
    return items, end


def _halves(batch: list[int], bad: list[int]) -> Iterator[list[int]]:
    if not any(n in bad for n in batch):
        yield batch
    elif len(batch) > 1:
        yield from _halves(batch[: len(batch) // 2], bad)
        yield from _halves(batch[len(batch) // 2 :], bad)


# Made once: making a strategy takes longer than drawing from it.
_KIND = st.sampled_from(KINDS)
_SALT = st.integers(1, 50)
_LIMIT = st.sampled_from([None, None, None, *range(1, 17), 1, 2, 2, 3, 3, 4])
_LATENCY = st.sampled_from([0.0, 0.1, 1.0])
_FAILING = st.sampled_from([0, 0, 3, 3, 15])
_ON_ERROR = st.sampled_from(["fail", "fail", "skip_item", "skip_batch"])
_ATTEMPTS = st.sampled_from([(1, False), (1, False), (2, False), (2, True)])
_MAX_SIZE = st.integers(1, 8)
_MIN_SIZES = [st.integers(1, most) for most in range(1, 9)]
_STAGES = st.integers(1, 6)
_ITEMS = st.sampled_from([0, 0, *range(41)])
_SOURCE = st.sampled_from(SOURCES)
_SOURCE_FAILS = st.sampled_from([False, False, False, True])
_ORDERED = st.sampled_from([True, True, False, False, False])
_WINDOW = st.sampled_from([None, None, None, *range(1, 33), *range(1, 9)])
_PARALLELISM = st.sampled_from([None, None, *range(1, 9)])
_WAY = st.sampled_from(["async for", *WAYS])
_PAUSE = st.sampled_from([0.0, 0.5])
_DRAINED = st.sampled_from([*[None] * 5, 0.0, 0.05, 0.35, 1.15])
_SEED = st.sampled_from([None, *range(8)])
_RATE = st.sampled_from([*[None] * 12, (1, 0.25), (3, 1.0), (5, 0.5)])
_KEYS = st.sampled_from([*[None] * 12, 1, 2, 3, 5])
_BUDGET = st.sampled_from([*[None] * 6, 0, 1, 3])

THEMES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # What one stage and the plan are like, for what is rare among plans at large.
    "busy": (
        {"kind": "async", "limit": 2, "latency": 1.0, "failing": 0, "keys": None, "rate": None},
        {"items": 30, "window": None, "parallelism": None},
    ),
    "capped": (
        {"kind": "async", "limit": None, "latency": 1.0, "failing": 0},
        {"items": 30, "window": None, "parallelism": 3},
    ),
    "halving": (
        {"kind": "list batch", "failing": 15, "transient": False, "on_error": "skip_item"}
        | {"min_size": 1, "max_size": 4},
        {"items": 25},
    ),
    "batches in time": (
        {"kind": "list batch", "failing": 0, "latency": 1.0}
        | {"min_size": 1, "max_size": 5, "max_wait": 0.5},
        {"items": 30, "source_fails": False},
    ),
    "batches by weight": (
        {"kind": "list batch", "failing": 0, "latency": 1.0, "min_size": 1, "max_size": 5}
        | {"max_weight": 5.0, "refused": 8},
        {"items": 30, "source_fails": False},
    ),
    "batches by key": (
        {"kind": "list batch", "failing": 0, "latency": 1.0, "min_size": 1, "max_size": 5}
        | {"max_weight": 9.0, "refused": 3, "groups": 3, "max_wait": 1.5},
        {"items": 30, "source_fails": False},
    ),
    "late calls": (
        {"kind": "async", "latency": 1.0, "timeout": 4.5, "failing": 0}
        | {"transient": False, "on_error": "skip_item"},
        {"items": 30},
    ),
    "late retries": (
        {"kind": "async", "latency": 1.0, "total": 4.5, "failing": 15, "attempts": 2}
        | {"transient": False, "on_error": "skip_item", "budget": None},
        {"items": 30},
    ),
    "budget": (
        {"kind": "async", "latency": 1.0, "failing": 15, "attempts": 1, "budget": 2}
        | {"transient": False, "on_error": "skip_item"},
        {"items": 40, "source_fails": False, "drained": None},
    ),
    "budget of batches": (
        {"kind": "list batch", "failing": 15, "attempts": 1, "budget": 2, "limit": 3}
        | {"transient": False, "on_error": "skip_item", "min_size": 1, "max_size": 4},
        {"items": 40, "source_fails": False, "drained": None},
    ),
    "keys": (
        {"kind": "async", "keys": 3, "latency": 1.0, "failing": 3, "on_error": "skip_item"},
        {"items": 30},
    ),
    "rates": (
        {"kind": "async", "rate": (3, 2.0), "latency": 1.0, "failing": 15, "attempts": 2}
        | {"transient": True, "on_error": "skip_item"},
        {"items": 30},
    ),
    "drained": (
        {"kind": "async", "limit": 3, "latency": 0.1, "failing": 0},
        {"items": 40, "window": 5, "drained": 0.75, "source_fails": False},
    ),
    "short rest": ({"kind": "batch", "min_size": 4, "max_size": 5, "failing": 0}, {"items": 23}),
    "late failure": (
        {"kind": "async", "limit": 6, "latency": 1.0, "failing": 5}
        | {"transient": False, "on_error": "fail"},
        {"items": 40, "source_fails": False, "way": "async for"},
    ),
}
_THEME = st.sampled_from([*[None] * 6, *THEMES, "batches by key", "late failure"])


def _spec(draw: st.DrawFn) -> Spec:
    """Draw a stage; what means nothing for its kind is not drawn."""
    kind = draw(_KIND)
    options: dict[str, Any] = {}
    if kind not in UNCOUNTED:
        options["limit"] = draw(_LIMIT)
        options["failing"] = draw(_FAILING)
    if kind in LATENT:
        options["latency"] = draw(_LATENCY)
    if options.get("failing"):
        options["on_error"] = draw(_ON_ERROR)
        if options["on_error"] != "fail":
            options["budget"] = draw(_BUDGET)
        options["attempts"], options["transient"] = draw(_ATTEMPTS)
    if kind in SINGLE:
        options["keys"] = draw(_KEYS)
    if kind not in UNCOUNTED:
        options["rate"] = draw(_RATE)
    if kind in BATCHES:
        options["max_size"] = draw(_MAX_SIZE)
        options["min_size"] = draw(_MIN_SIZES[options["max_size"] - 1])
    return Spec(kind, draw(_SALT), **options)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan."""
    stages = [_spec(draw) for _ in range(draw(_STAGES))]
    plan = Plan(
        stages=tuple(stages),
        items=draw(_ITEMS),
        source=draw(_SOURCE),
        source_fails=draw(_SOURCE_FAILS),
        ordered=draw(_ORDERED),
        window=draw(_WINDOW),
        parallelism=draw(_PARALLELISM),
        way=draw(_WAY),
        pause=draw(_PAUSE),
        seed=draw(_SEED),
    )
    theme = draw(_THEME)
    if theme is None:
        return replace(plan, drained=draw(_DRAINED))
    of_stage, of_plan = THEMES[theme]
    place = draw(st.integers(0, len(stages) - 1))
    # So that the run gets there:
    stages = [replace(spec, on_error="skip_item", budget=None) for spec in stages]
    stages[place] = replace(stages[place], **of_stage)
    return replace(plan, stages=tuple(stages), **of_plan)
