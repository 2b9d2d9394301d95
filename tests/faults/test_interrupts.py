"""Ctrl-C ends a process at once and cleanly: here a few times, in the long run 200 times."""

from __future__ import annotations

import sys

import pytest

from tests.faults.interrupts import interrupt


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to one process there")
@pytest.mark.parametrize("number", range(6))
def test_ctrl_c_at_a_random_moment(number: int) -> None:
    """L5, L7, E8: in real time, for the signal comes to a real process; once and twice."""
    interrupt(number)
