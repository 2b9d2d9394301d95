"""The rules of Reactive Streams, as checks that any stage must pass.

Reactive Streams (https://www.reactive-streams.org) says in 41 numbered rules what publishers,
subscribers and subscriptions owe each other, and its TCK is how implementations prove that they
keep them. This is the same for a stage of yours. A demand is one `__anext__` (`collect` and
`subscribe` ask for everything), a cancellation is `aclose()` or `dispose()`. The rules that say
nothing about a stage are listed in `NOT_CARRIED`, each with its reason.

`conformance` puts the stage at the first, middle and last position of a pipeline, in both modes,
consumed by `async for`, `collect` and `subscribe`, and gives a list of checks. Each is called
without arguments, runs in virtual time and raises AssertionError (if something is left behind a
LeakError, which is one), or Deadlock if nothing moves any more. So it needs no plugin:

    import pytest
    from conveyor_rx.testing.conformance import conformance

    @pytest.mark.parametrize("check", conformance(Pairs, gives=pairs), ids=str)
    def test_pairs_conform(check):
        check()

A whole example, without pytest:

    >>> from conveyor_rx import BaseTask
    >>> class Differences(BaseTask):
    ...     async def process(self, items):
    ...         last = None
    ...         async for item in items:
    ...             if last is not None:
    ...                 yield item - last
    ...             last = item
    >>> def differences(items):
    ...     return [later - earlier for earlier, later in zip(items, items[1:])]
    >>> checks = conformance(Differences, gives=differences, holds=1, positions=["middle"])
    >>> for check in checks:
    ...     check()
    >>> len(checks)
    166
    >>> print(checks[-1], checks[-1].rule.text)
    3.17-middle-as_completed-subscribe Who asks for everything gets everything, in one go.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable
from typing import Any, get_args

from ...pipeline import Stage
from .._run import run
from . import _publisher, _subscriber, _subscription
from ._rules import COUNTS, NOT_CARRIED, RULES, Rule
from ._subject import Broken, Mode, Position, Subject, Way

__all__ = ["COUNTS", "NOT_CARRIED", "RULES", "Broken", "Check", "Rule", "conformance"]

assert all((_publisher, _subscriber, _subscription))  # importing them registers their rules


@dataclasses.dataclass(frozen=True)
class Check:
    """One rule for one stage in one place; call it to run it."""

    rule: Rule
    subject: Subject

    def __str__(self) -> str:
        subject = self.subject
        return f"{self.rule.number}-{subject.position}-{subject.mode}-{subject.way}"

    def __call__(self) -> None:
        """Run the check in virtual time.

        Raises:
            AssertionError: the rule is broken; LeakError (one of these) if something is left.
            Deadlock: nothing moves any more.
        """
        run(lambda: self.rule.check(self.subject))


def conformance(
    stage: Callable[[], Stage[Any, Any]],
    *,
    gives: Callable[[list[Any]], Iterable[Any]] = list,
    item: Callable[[int], Any] = lambda number: number,
    holds: int = 0,
    failing: Callable[[Exception], Stage[Any, Any]] | None = None,
    positions: Iterable[Position] = get_args(Position),
    modes: Iterable[Mode] = get_args(Mode),
    ways: Iterable[Way] = get_args(Way),
) -> list[Check]:
    """Return the checks of all rules for a stage, in all places.

    * `stage` makes it; it is called for every run. A task class without arguments is one.
    * `gives` is the model: what a list of items gives, in order. By default the stage passes its
      items on. It must give something for 100 items.
    * `item` makes the item of a number (0, 1, 2…); by default it is the number.
    * `holds` is how many items the stage may keep back until it sees more of them, or the end: for
      batches of five, four.
    * `failing` makes the stage so that it fails with the given exception at some item or other;
      without it only failures of the source and of neighbours are checked.
    * `positions`, `modes` and `ways` select places.
    """
    subjects = [
        Subject(
            stage=stage,
            gives=lambda items: list(gives(items)),
            item=item,
            holds=holds,
            failing=failing,
            position=position,
            mode=mode,
            way=way,
        )
        for position, mode, way in itertools.product(positions, modes, ways)
    ]
    return [
        Check(rule, subject) for rule in RULES for subject in subjects if rule.applies_to(subject)
    ]
