"""What does pytest do otherwise where the engine is a mutant? `-p tests.mutation_plugin`.

A test that hangs ends the process, one that fills the memory fails, and Hypothesis does not make
smaller what fails, which may take minutes. The file in `RUNNING_TEST` names the test that is being
run, for when it takes pytest down with it. Of the conformance suite, which checks each rule in each
place, mode and way for each kind, one check in seven is run.
"""

from __future__ import annotations

import faulthandler
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

__all__ = ["SECONDS"]

SECONDS = 30.0  # for one test; the slowest takes 5 or so
_CONFORMANCE = "conformance/test_conformance.py"
_ONE_IN = 7  # prime to the numbers of kinds, places, modes and ways, so that none is left out
_RUNNING = Path(os.environ["RUNNING_TEST"])
_STDERR = os.dup(2)  # before pytest captures it
_MOST_MEMORY = 4 << 30  # bytes

settings.register_profile(
    "mutants", phases=[Phase.explicit, Phase.generate], database=None, report_multiple_bugs=False
)
settings.load_profile("mutants")
resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End the process, with a traceback, where a test takes too long."""
    _RUNNING.write_text(item.nodeid, encoding="utf-8")
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=_STDERR)
    try:
        result = yield
    finally:
        faulthandler.cancel_dump_traceback_later()
    _RUNNING.write_text("", encoding="utf-8")
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out most of the conformance suite."""
    many = [item for item in items if item.path.as_posix().endswith(_CONFORMANCE)]
    dropped = {id(item) for number, item in enumerate(many) if number % _ONE_IN}
    items[:] = [item for item in items if id(item) not in dropped]
