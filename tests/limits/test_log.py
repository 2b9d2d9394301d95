"""How much has started within the last seconds? The log alone; what it is for is in R1."""

from __future__ import annotations

import pytest

from conveyor_rx._limits.log import GRAIN, LONGEST, Log


def test_entries_that_are_close_become_one_when_there_are_too_many() -> None:
    """R1: at most so many entries, however small the costs; and nothing ends too early."""
    log = Log(10.0)
    for number in range(3 * LONGEST):
        log.add(number * 1e-4, 1.0)
    assert len(log._ends) <= LONGEST
    assert log.used == log.used_at(0.0) == 3 * LONGEST
    most_late = 10.0 * GRAIN
    for now in (10.0, 11.5, 15.9):
        ended = log.used_at(0.0) - log.used_at(now)
        should_have = now / 1e-4 - 10.0 / 1e-4
        assert should_have - most_late / 1e-4 - 2 <= ended <= should_have + 2


def test_it_falls_when_the_oldest_entries_end() -> None:
    """R1: the moment at which no more than so much is used; the last one, if none is exact."""
    log = Log(10.0)
    for now in (0.0, 1.0, 2.0, 3.0):
        log.add(now, 2.0)
    assert [log.falls_to(most) for most in (6, 5, 4, 0.5, 0)] == [10.0, 11.0, 11.0, 13.0, 13.0]
    assert log.falls_to(-1e-12) == 13.0  # as if rounding had left so much


@pytest.mark.parametrize("back", [1.0, 2.0, 5.0])
def test_what_is_taken_back_is_never_below_nothing(back: float) -> None:
    """R5: of one entry as much as is there; the others stay."""
    log = Log(10.0)
    ends = [log.add(now, 2.0) for now in (0.0, 1.0, 2.0)]
    log.take_back(ends[1], back)
    assert log.used == 6.0 - min(back, 2.0)
    log.take_back(11.5, 1.0)  # there is none of this end
    assert log.used == 6.0 - min(back, 2.0)
