"""What should limits do? At each moment at which anything may change, all that wait are tried."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.limits.programs import BACK_OFF, MAXIMUM, Attempt, Correction, Kind, Log, Program

__all__ = ["expected"]


def expected(case: Program) -> Log:
    """Say who is granted or withdraws when."""
    return _Model(case).run()


class _Limit:
    """One limit: what counts now, listed."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.size = kind.n
        self.starts: list[list[int]] = []  # when, who, what is left of its cost, what it was
        self.next = self.paused = -(10**9)
        self.out: list[int] = []  # who has a permit
        self.saw_it_full: set[int] = set()
        self.before_the_cut: set[int] = set()
        self.successes = 0

    def has_room(self, cost: int, now: int) -> bool:
        if not self.kind.per:
            return len(self.out) < self.size
        used = sum(each for time, _, each, _ in self.starts if time > now - self.kind.per)
        return used + cost <= self.kind.n and now >= max(self.next, self.paused)

    def start(self, who: int, cost: int, now: int) -> None:
        if self.kind.per:
            self.starts.append([now, who, cost, cost])
            if self.kind.name == "smooth":
                later = max(self.next, now) + cost * self.kind.per // self.kind.n
                self.next = min(later, now + self.kind.per)
        else:
            self.out.append(who)
            self.look()

    def look(self) -> None:
        if len(self.out) >= self.size:
            self.saw_it_full |= {*self.out}

    def refund(self, who: int) -> None:
        if who in self.out:
            self.out.remove(who)
        for entry in self.starts:
            if entry[1] == who:
                entry[2] = 0
                if self.kind.name == "smooth" and entry is self.starts[-1]:
                    self.next -= entry[3] * self.kind.per // self.kind.n

    def end(self, who: int, how: str) -> None:
        if who not in self.out:
            return
        if self.kind.name == "adaptive":
            self.learn(who, how)
        self.out.remove(who)

    def learn(self, who: int, how: str) -> None:
        if how == "release" and who in self.saw_it_full and self.size < MAXIMUM:
            self.successes += 1
            if self.successes == self.size:
                self.size, self.successes = self.size + 1, 0
        elif how == "fail" and who not in self.before_the_cut:
            self.size, self.successes = max(1, math.floor(self.size * BACK_OFF)), 0
            self.before_the_cut |= {*self.out}
            self.look()

    def correct(self, correction: Correction) -> None:
        now, amount = correction.time, correction.amount
        if correction.what == "pause":
            self.paused = max(self.paused, now + amount)
        elif amount > 0:
            self.start(-1, amount, now)
        else:
            for entry in self.starts:
                if entry[0] > now - self.kind.per:
                    taken = min(-amount, entry[2])
                    entry[2] -= taken
                    amount += taken

    def moments(self) -> Iterator[int]:
        yield from (time + self.kind.per for time, *_ in self.starts)
        yield from (self.next, self.paused)


class _Model:
    def __init__(self, case: Program) -> None:
        self.limits = [_Limit(kind) for kind in case.kinds]
        self.attempts = case.attempts
        self.waiting: list[int] = []  # in the order in which they have come
        self.log: Log = []
        # What is to happen: when, and then in this order, what, to whom.
        self.events: list[tuple[int, str, object]] = []
        self.events += [
            (attempt.time, "come", number) for number, attempt in enumerate(case.attempts)
        ]
        self.events += [(correction.time, "correct", correction) for correction in case.corrections]

    def run(self) -> Log:
        while self.events:
            self.events.sort(key=lambda event: event[:2])
            now, what, about = self.events.pop(0)
            getattr(self, f"_{what}")(about, now)
            self._grant(now)
            self._come_again(now)
        return self.log

    def _come_again(self, now: int) -> None:
        """Have a look at each moment at which time alone may have made room."""
        if self.waiting:
            later = [time for limit in self.limits for time in limit.moments() if time > now]
            if later:
                self.events.append((min(later), "look", None))

    def _grant(self, now: int) -> None:
        taken: set[int] = set()  # limits at which somebody stands who is older
        for number in list(self.waiting):
            attempt = self.attempts[number]
            uses = [self.limits[index] for index in attempt.limits]
            costs = dict(zip(uses, attempt.costs, strict=True))
            if not taken & {*attempt.limits} and all(
                limit.has_room(cost, now) for limit, cost in costs.items()
            ):
                self.waiting.remove(number)
                self._begin(number, attempt, now)
            else:
                taken |= {*attempt.limits}

    def _begin(self, number: int, attempt: Attempt, now: int) -> None:
        self.log.append((now, "granted", number))
        for index, cost in zip(attempt.limits, attempt.costs, strict=True):
            self.limits[index].start(number, cost, now)
        self.events.append((now + attempt.hold, "end", number))

    def _come(self, number: int, now: int) -> None:
        self.waiting.append(number)
        patience = self.attempts[number].patience
        if patience is not None:
            self.events.append((now + patience, "give_up", number))

    def _give_up(self, number: int, now: int) -> None:
        if number in self.waiting:
            self.waiting.remove(number)
            self.log.append((now, "withdrawn", number))

    def _end(self, number: int, now: int) -> None:
        attempt = self.attempts[number]
        for index in attempt.limits:
            if attempt.end == "refund":
                self.limits[index].refund(number)
            else:
                self.limits[index].end(number, attempt.end)

    def _correct(self, correction: Correction, now: int) -> None:
        self.limits[correction.limit].correct(correction)

    def _look(self, nothing: None, now: int) -> None:
        pass
