"""Which ways are there to use limits? Random programs, and what the library makes of them.

Times are whole microseconds here, and costs whole tenths, so that a model can be exact.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from conveyor_rx import AdaptiveLimit, Limit, RateLimit
from conveyor_rx._limits.shared import SharedLimit
from tests.kit import Boom
from tests.limits.kit import Caller, is_idle

MICRO = 1e-6
MAXIMUM = 5  # of adaptive limits
BACK_OFF = 0.7
Log = list[tuple[int, str, int]]  # when, what, to which attempt


class Kind(NamedTuple):
    """One limit."""

    name: str  # rate, smooth, limit, adaptive
    n: int  # tenths, or permits at the start
    per: int = 0


class Attempt(NamedTuple):
    """It asks, may give up, and ends."""

    time: int
    limits: tuple[int, ...]
    costs: tuple[int, ...]
    patience: int | None  # after which it withdraws
    hold: int
    end: str  # release, fail, cancel, refund


class Correction(NamedTuple):
    """A charge (tenths) or a pause (microseconds) of a rate."""

    time: int
    limit: int
    what: str
    amount: int


class Program(NamedTuple):
    kinds: list[Kind]
    attempts: list[Attempt]
    corrections: list[Correction]


def program(seed: int) -> Program:
    chance = random.Random(seed)
    pace = chance.choice([1_000, 100_000, 1_000_000])  # between two attempts
    kinds = [_kind(chance, pace) for _ in range(chance.randint(1, 4))]
    rates = [index for index, kind in enumerate(kinds) if kind.per]
    attempts: list[Attempt] = []
    time = 0
    for _ in range(chance.randint(1, 40)):
        time += chance.randrange(1, 2 * pace) if chance.random() < 0.8 else 1
        some = [index for index in range(len(kinds)) if chance.random() < 0.6] or [0]
        chance.shuffle(some)
        costs = tuple(_cost(chance, kinds[index]) for index in some)
        patience = chance.randrange(10 * pace) if chance.random() < 0.3 else None
        hold = chance.randrange(1, chance.choice([2, 20]) * pace)
        end = chance.choice(["release", "release", "release", "fail", "cancel", "refund"])
        attempts.append(Attempt(time, tuple(some), costs, patience, hold, end))
    corrections = [
        _correction(chance, chance.choice(rates), kinds, time)
        for _ in range(chance.choice([0, 0, 5]) if rates else 0)
    ]
    return Program(kinds, attempts, sorted(corrections))


def _kind(chance: random.Random, pace: int) -> Kind:
    name = chance.choice(["rate", "rate", "smooth", "limit", "adaptive"])
    if name in ("limit", "adaptive"):
        return Kind(name, chance.randint(1, 4))
    n = chance.randint(10, 60)
    return Kind(name, n, n * chance.randint(1, 10 * pace // n))  # whole microseconds a tenth


def _cost(chance: random.Random, kind: Kind) -> int:
    return chance.choice([0, 1, 10, chance.randint(0, kind.n), kind.n]) if kind.per else 1


def _correction(chance: random.Random, limit: int, kinds: list[Kind], end: int) -> Correction:
    time, kind = chance.randrange(end + 1), kinds[limit]
    if chance.random() < 0.3:
        return Correction(time, limit, "pause", chance.randrange(3 * kind.per))
    return Correction(time, limit, "charge", chance.randint(-kind.n, 2 * kind.n))


# -- the library


async def found(case: Program, at_once: bool) -> Log:
    """Say what the library does; `at_once`: whoever is woken takes within that call."""
    loop = asyncio.get_running_loop()
    limits = [_made(index, kind) for index, kind in enumerate(case.kinds)]
    log: Log = []
    micros: Callable[[], int] = lambda: round(loop.time() / MICRO)  # noqa: E731

    class One(Caller):
        def __init__(self, number: int, attempt: Attempt) -> None:
            self.number, self.attempt = number, attempt
            item = dict(zip(attempt.limits, attempt.costs, strict=True))
            super().__init__([limits[index] for index in attempt.limits], item, at_once=at_once)
            if attempt.patience is not None:
                loop.call_later(attempt.patience * MICRO, self.give_up)

        def ask(self) -> bool:
            if super().ask():
                log.append((micros(), "granted", self.number))
                loop.call_later(self.attempt.hold * MICRO, self.end)
            return self.granted is not None

        def give_up(self) -> None:
            if self.granted is None:
                log.append((micros(), "withdrawn", self.number))
                self.request.withdraw()
                self.request.withdraw()

        def end(self) -> None:
            how = self.attempt.end
            if how == "refund":
                self.request.refund()
                self.request.withdraw()
            else:
                error = Boom() if how == "fail" else None
                self.request.release(error, cancelled=how == "cancel")

    def correct(correction: Correction) -> None:
        limit: Any = limits[correction.limit]
        if correction.what == "pause":
            limit.pause(correction.amount * MICRO)
        else:
            limit.charge(correction.amount / 10)

    for number, attempt in enumerate(case.attempts):
        loop.call_at(attempt.time * MICRO, lambda one=(number, attempt): One(*one).ask())
    for correction in case.corrections:
        loop.call_at(correction.time * MICRO, correct, correction)
    await asyncio.sleep(1e6)
    assert all(is_idle(limit) for limit in limits)
    return log


def _made(index: int, kind: Kind) -> SharedLimit:
    if kind.name == "limit":
        return Limit(kind.n)
    if kind.name == "adaptive":
        return AdaptiveLimit(kind.n, 1, MAXIMUM, BACK_OFF)

    def cost(item: dict[int, int]) -> float:
        return item[index] / 10

    return RateLimit(kind.n / 10, kind.per * MICRO, cost=cost, smooth=kind.name == "smooth")
