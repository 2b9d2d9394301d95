"""Are the tests of limits any good? Limits broken on purpose, which the model finds out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conveyor_rx import AdaptiveLimit, Limit, RateLimit
from conveyor_rx._limits.log import Log
from conveyor_rx._limits.request import Request
from conveyor_rx._limits.shared import SharedLimit
from conveyor_rx.testing import LeakError, run
from tests.limits.model import expected
from tests.limits.programs import found, program

Patch = Callable[[pytest.MonkeyPatch], None]
BROKEN: dict[str, Patch] = {}
PROGRAMS = 150


def broken(patch: Patch) -> Patch:
    BROKEN[patch.__name__] = patch
    return patch


# -- the queue


@broken
def light_ones_overtake(patch: pytest.MonkeyPatch) -> None:
    def could_go(self: Request, now: float) -> bool:
        return all(limit._has_room(cost, now) for limit, cost in self._asked)

    patch.setattr(Request, "could_go", could_go)


@broken
def who_is_first_in_one_queue_goes(patch: pytest.MonkeyPatch) -> None:
    def could_go(self: Request, now: float) -> bool:
        return any(limit._is_next(self) for limit, _ in self._asked) and all(
            limit._has_room(cost, now) for limit, cost in self._asked
        )

    patch.setattr(Request, "could_go", could_go)


@broken
def one_limit_is_asked_for_all(patch: pytest.MonkeyPatch) -> None:
    def could_go(self: Request, now: float) -> bool:
        limit, cost = self._asked[0]
        return limit._is_next(self) and limit._has_room(cost, now)

    patch.setattr(Request, "could_go", could_go)


@broken
def who_withdraws_wakes_nobody(patch: pytest.MonkeyPatch) -> None:
    leave = Request._leave

    def silent(self: Request, now: float) -> None:
        if self._state.name == "NEW":  # it has withdrawn
            for limit, _ in self._asked:
                limit._queue.pop(self, None)
        else:
            leave(self, now)

    patch.setattr(Request, "_leave", silent)


@broken
def who_is_granted_wakes_nobody(patch: pytest.MonkeyPatch) -> None:
    leave = Request._leave

    def silent(self: Request, now: float) -> None:
        if self._wake is None:
            leave(self, now)
        else:
            for limit, _ in self._asked:
                limit._queue.pop(self, None)

    patch.setattr(Request, "_leave", silent)


@broken
def the_end_of_a_call_wakes_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Request, "_look_after", lambda self, now: None)


@broken
def the_first_is_woken_though_others_have_no_room(patch: pytest.MonkeyPatch) -> None:
    look = SharedLimit._look_once

    def hasty(self: SharedLimit, now: float) -> None:
        for request in list(self._queue)[:1]:
            if self._has_room(self._queue[request], now) and not request.is_woken:
                request.is_woken = True
                request.wake()
        look(self, now)

    patch.setattr(SharedLimit, "_look_once", hasty)


@broken
def a_look_within_a_look_is_lost(patch: pytest.MonkeyPatch) -> None:
    look = SharedLimit._look

    def forgetful(self: SharedLimit, now: float) -> None:
        if not self._is_looking:
            look(self, now)

    patch.setattr(SharedLimit, "_look", forgetful)


# -- rates


@broken
def the_window_begins_anew_each_period(patch: pytest.MonkeyPatch) -> None:
    add = Log.add

    def in_periods(self: Log, now: float, cost: float) -> float:
        end = add(self, now, cost)
        self._ends[-1] = (now // self._span + 1) * self._span
        return end

    patch.setattr(Log, "add", in_periods)


@broken
def a_call_counts_half_as_long(patch: pytest.MonkeyPatch) -> None:
    init = Log.__init__
    patch.setattr(Log, "__init__", lambda self, span: init(self, span / 2))


@broken
def the_timer_waits_for_a_whole_period(patch: pytest.MonkeyPatch) -> None:
    falls_to = Log.falls_to
    patch.setattr(Log, "falls_to", lambda self, most: falls_to(self, -1))


@broken
def no_starts_are_spaced(patch: pytest.MonkeyPatch) -> None:
    _after_init(patch, RateLimit, lambda limit: setattr(limit, "_spacing", 0.0))


@broken
def a_refund_stays_in_the_log(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Log, "take_back", lambda self, end, cost: None)


@broken
def debt_is_forgiven(patch: pytest.MonkeyPatch) -> None:
    charge = RateLimit.charge

    def lenient(self: RateLimit[Any], amount: float) -> None:
        charge(self, min(amount, max(0.0, self._n - self._log.used)))

    patch.setattr(RateLimit, "charge", lenient)


@broken
def what_is_given_back_is_the_newest(patch: pytest.MonkeyPatch) -> None:
    take_off = Log.take_off

    def off_the_newest(self: Log, amount: float) -> None:
        self._costs.reverse()
        take_off(self, amount)
        self._costs.reverse()

    patch.setattr(Log, "take_off", off_the_newest)


@broken
def a_charge_is_no_reason_to_look(patch: pytest.MonkeyPatch) -> None:
    charge = RateLimit.charge

    def silent(self: RateLimit[Any], amount: float) -> None:
        self._is_looking = True
        charge(self, amount)
        self._is_looking = self._looks_again = False

    patch.setattr(RateLimit, "charge", silent)


@broken
def the_latest_pause_wins(patch: pytest.MonkeyPatch) -> None:
    pause = RateLimit.pause

    def replace(self: RateLimit[Any], seconds: float) -> None:
        self._paused_until = -1.0
        pause(self, seconds)

    patch.setattr(RateLimit, "pause", replace)


# -- permits


@broken
def a_permit_too_many(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Limit, "_has_room", lambda self, cost, now: self._out <= self._size)


@broken
def each_failure_cuts(patch: pytest.MonkeyPatch) -> None:
    def learn(self: AdaptiveLimit, ticket: float, error: BaseException | None) -> None:
        self._succeeded(ticket) if error is None else self._cut()

    patch.setattr(AdaptiveLimit, "_learn", learn)


@broken
def it_grows_though_nobody_needs_it(patch: pytest.MonkeyPatch) -> None:
    succeeded = AdaptiveLimit._succeeded
    patch.setattr(AdaptiveLimit, "_succeeded", lambda self, ticket: succeeded(self, -1))


@broken
def only_calls_that_end_while_it_is_full_count(patch: pytest.MonkeyPatch) -> None:
    succeeded = AdaptiveLimit._succeeded

    def late(self: AdaptiveLimit, ticket: float) -> None:
        if self._out >= self._size:
            succeeded(self, ticket)

    patch.setattr(AdaptiveLimit, "_succeeded", late)


@broken
def a_cut_leads_to_nothing(patch: pytest.MonkeyPatch) -> None:
    _after_init(patch, AdaptiveLimit, lambda limit: setattr(limit, "_minimum", 0))


@broken
def successes_before_a_cut_count(patch: pytest.MonkeyPatch) -> None:
    cut = AdaptiveLimit._cut

    def keeping(self: AdaptiveLimit) -> None:
        successes = self._successes
        cut(self)
        self._successes = successes

    patch.setattr(AdaptiveLimit, "_cut", keeping)


def _after_init(patch: pytest.MonkeyPatch, kind: type[Any], change: Callable[[Any], None]) -> None:
    init = kind.__init__

    def changed(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        change(self)

    patch.setattr(kind, "__init__", changed)


def is_found_out() -> bool:
    """Tell whether a random program shows it."""
    for seed in range(PROGRAMS):
        case = program(seed)
        for at_once in (True, False):
            try:
                log = run(lambda case=case, at_once=at_once: found(case, at_once))
            except (AssertionError, LeakError):
                return True
            if sorted(log) != sorted(expected(case)):
                return True
    return False


@pytest.mark.no_cover
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R1, R2, R3, R5, R6, R7: the model differs from what breaks one of them."""
    BROKEN[name](monkeypatch)
    assert is_found_out()
