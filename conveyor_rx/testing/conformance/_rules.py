"""Which rules of Reactive Streams carry over to a stage, and which do not?"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Literal, get_args

from ._subject import Subject, Way

__all__ = ["COUNTS", "NOT_CARRIED", "RULES", "Rule", "rule"]

Section = Literal[1, 2, 3]

COUNTS: dict[int, int] = {1: 11, 2: 13, 3: 17}
"""How many rules the sections of the specification have: Publisher, Subscriber, Subscription."""

NOT_CARRIED: dict[str, str] = {
    "2.2": "advice on scheduling: calls are asyncio tasks, plain functions run inline on purpose",
    "2.11": "memory visibility between threads: all signals are given in the thread of one loop",
    "3.1": "demand is an awaitable, no object that could leak: any task may ask, one at a time",
    "3.4": "advice on speed, which virtual time can't see",
    "3.9": "demand is one __anext__: there is no n that could be zero or negative",
    "3.10": "a permission: a result may or may not be there when it is asked for",
    "3.11": "a permission, as 3.10, for the end",
    "3.16": "asking and getting are one await: what it raises is the signal",
}
"""The rules that say nothing about a stage of ours, with the reason."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule: its number in the specification, what it asks of a stage, and the check of it."""

    number: str
    text: str
    check: Callable[[Subject], Awaitable[None]]
    ways: tuple[Way, ...]

    def applies_to(self, subject: Subject) -> bool:
        """Tell whether the rule says anything about this way to consume."""
        return subject.way in self.ways


RULES: list[Rule] = []


def rule(
    number: str, text: str, *, ways: tuple[Way, ...] = get_args(Way)
) -> Callable[[Callable[[Subject], Awaitable[None]]], Callable[[Subject], Awaitable[None]]]:
    """Register a check under the number of its rule, for some ways to consume (default: all)."""

    def register(
        check: Callable[[Subject], Awaitable[None]],
    ) -> Callable[[Subject], Awaitable[None]]:
        RULES.append(Rule(number, text, check, ways))
        return check

    return register
