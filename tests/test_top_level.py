"""What is reachable from the top, and imported only when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import conveyor_rx

LATER = {
    "collect": "conveyor_rx.synchronous",
    "draw": "conveyor_rx.diagrams",
    "iterate": "conveyor_rx.synchronous",
    "observe": "conveyor_rx.events",
    "progress": "conveyor_rx.probes.progress",
    "record": "conveyor_rx.diagrams",
}


@pytest.mark.parametrize("name", LATER)
def test_reachable_from_the_top(name: str) -> None:
    """Issue 14, section 5: they are the same as in their modules, and `dir` names them."""
    assert getattr(conveyor_rx, name) is getattr(import_module(LATER[name]), name)
    assert name in dir(conveyor_rx)


def test_not_imported_before() -> None:
    """Issue 14, section 5: the import of the package does not pay for them."""
    program = (
        "import sys, conveyor_rx; "
        "names = ('conveyor_rx.diagrams', 'conveyor_rx.probes', 'conveyor_rx.synchronous'); "
        "print([n for n in names if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_no_other_names() -> None:
    """Issue 14, section 5: another name is an AttributeError that says which."""
    with pytest.raises(AttributeError, match="no attribute 'drawn'"):
        conveyor_rx.drawn  # type: ignore[attr-defined]  # noqa: B018
