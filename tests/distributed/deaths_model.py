"""What must come of a random program whose workers die? What a sequential model says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from conveyor_rx import Failure

from .deaths import Order, Plan, Refused

__all__ = ["Blame", "Outcome", "check"]

NOTE = re.compile(r"in task '.*', (?:batch of )?inputs? (\d+)(?: (?:to|and) (\d+))?, attempt (\d+)")


@dataclass(frozen=True)
class Blame:
    """What is known of calls that fail though they have not ended their worker."""

    patience: int = 1  # deaths that make one attempt
    of_others: bool = False  # what waits in a worker that dies may fail with it
    of_all: bool = False  # the first death ends all workers, for good


@dataclass
class Outcome:
    results: list[int] = field(default_factory=list[int])
    letters: list[Failure] = field(default_factory=list[Failure])  # for items that are skipped
    error: Exception | None = None
    begun: Counter[int] = field(default_factory=Counter[int])  # how often, by order


def check(plan: Plan, blame: Blame, outcome: Outcome, deaths: int) -> None:
    """Compare with the model; `deaths` is how many there may have been."""
    fates, most = model(plan, blame.patience)
    others_fail = (blame.of_others or plan.chunk > 1) and deaths >= plan.attempts * blame.patience
    must = may = {n for n, fate in enumerate(fates) if fate.failed}
    if blame.of_all and plan.deaths:
        must = {n for n, unit in enumerate(plan.units) if any(o.deaths or o.fails for o in unit)}
        others_fail = True
    if others_fail:
        may = set(range(len(fates)))
    failed = _skipped(plan, outcome) if plan.skips else _raised(plan, outcome)
    assert failed <= may
    if outcome.error is None:
        assert must <= failed
    elif plan.ordered:
        assert not must & set(range(min(failed)))
    if deaths == 0 or (not blame.of_others and not blame.of_all and plan.chunk == 1):
        _check_exactly(plan, outcome, fates, most)
    else:
        assert all(found <= most[number] + deaths for number, found in outcome.begun.items())


def _skipped(plan: Plan, outcome: Outcome) -> set[int]:
    """Check that each item has its results, or a letter; give the units with letters."""
    skipped = [failure.item.number for failure in outcome.letters]
    assert outcome.error is None
    assert len(skipped) == len(set(skipped))
    _compare(plan, outcome, (order for order in plan.orders if order.number not in skipped))
    return {number // plan.size for number in skipped}


def _raised(plan: Plan, outcome: Outcome) -> set[int]:
    """Check that results are those before the failure, if there is one; give its unit."""
    error = outcome.error
    if error is None:
        _compare(plan, outcome, plan.orders)
        return set()
    unit, _ = _named(plan, error)
    if plan.ordered:
        is_behind = plan.of == "shards" and isinstance(error, Refused)
        _compare(plan, outcome, chain.from_iterable(plan.units[: unit + is_behind]))
    else:
        assert Counter(outcome.results) <= Counter(_results(plan.orders))
    return {unit}


def _compare(plan: Plan, outcome: Outcome, orders: Iterable[Order]) -> None:
    results = outcome.results if plan.ordered else sorted(outcome.results)
    assert results == _results(orders)


def _results(orders: Iterable[Order]) -> list[int]:
    return [result for order in orders for result in order.results]


def _named(plan: Plan, error: Exception) -> tuple[int, int]:
    """Give the unit that an error names, and the attempt."""
    (note,) = error.__notes__
    found = NOTE.fullmatch(note)
    assert found, note
    first, last, attempt = int(found[1]), int(found[2] or found[1]), int(found[3])
    unit = plan.units[first // plan.size]
    assert (first, last) == (unit[0].number, unit[-1].number)
    return first // plan.size, attempt


def _check_exactly(plan: Plan, outcome: Outcome, fates: list[Fate], begun: Counter[int]) -> None:
    """Check what is so where nobody is blamed for others."""
    if outcome.error is None:
        assert outcome.begun == begun
        failed = [order.number for fate in fates for unit in fate.failed for order in unit]
        assert sorted(failure.item.number for failure in outcome.letters) == failed
    else:
        assert outcome.begun <= begun
        unit, attempt = _named(plan, outcome.error)
        fate, kind = fates[unit], type(outcome.error).__name__
        let_out = plan.of == "shards" and kind == "Refused"
        assert (kind, attempt) == (fate.error, 1 if let_out else fate.attempt)


# -- the model


@dataclass
class Fate:
    """What becomes of a unit."""

    failed: list[tuple[Order, ...]] = field(default_factory=list[tuple[Order, ...]])
    error: str = ""  # of the last one that fails
    attempt: int = 0  # likewise


def model(plan: Plan, patience: int = 1) -> tuple[list[Fate], Counter[int]]:
    """Tell the fate of each unit, and how often calls begin with each order, if all are made.

    `patience` is how many deaths make one attempt.
    """
    begun: Counter[int] = Counter()
    fates = [Fate() for _ in plan.units]
    for unit, fate in zip(plan.units, fates, strict=True):
        _settle(plan, unit, fate, begun, patience)
    return fates, begun


def _settle(
    plan: Plan, unit: tuple[Order, ...], fate: Fate, begun: Counter[int], patience: int
) -> None:
    error, attempt = "", 0
    for call in range(plan.attempts * patience):
        attempt = call // patience + 1
        error = _called(unit, begun)
        if error != "WorkerLostError":
            break
    if error and plan.skips and len(unit) > 1:
        half = len(unit) // 2
        _settle(plan, unit[:half], fate, begun, patience)
        _settle(plan, unit[half:], fate, begun, patience)
    elif error:
        fate.failed.append(unit)
        fate.error, fate.attempt = error, attempt


def _called(unit: tuple[Order, ...], begun: Counter[int]) -> str:
    for order in unit:
        begun[order.number] += 1
        if begun[order.number] <= order.deaths:
            return "WorkerLostError"
        if order.fails:
            return "Refused"
    return ""
