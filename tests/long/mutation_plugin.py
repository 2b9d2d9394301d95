"""What does pytest do otherwise where the engine is a mutant? `-p tests.long.mutation_plugin`.

A test that hangs ends the process, one that fills the memory fails, and Hypothesis does not make
smaller what fails, which may take minutes. Variables of the environment name files:

    RUNNING_TEST   tells the test that is being run, for when it takes pytest down with it
    CHOSEN_TESTS   the names of those to run, in this order; all if there are none
    RECORD_LINES   here go the lines that each test runs, if it is given
"""

from __future__ import annotations

import faulthandler
import os
import resource
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.long.mutation import ROOT, mutated_files
from tests.long.mutation_lines import Recorder

__all__ = ["SECONDS"]

SECONDS = 30.0  # for one test; the slowest takes 5 or so
SECONDS_RECORDED = 150.0  # with its lines
_RUNNING = Path(os.environ["RUNNING_TEST"])
_CHOSEN = Path(os.environ["CHOSEN_TESTS"]).read_text(encoding="utf-8").splitlines()
_RECORD = os.environ["RECORD_LINES"]
_recorder: Recorder | None = None
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
    seconds = SECONDS_RECORDED if _recorder else SECONDS
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)
    try:
        with _recorder.record(item.nodeid) if _recorder else nullcontext():
            result = yield
    finally:
        faulthandler.cancel_dump_traceback_later()
    _RUNNING.write_text("", encoding="utf-8")
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the chosen ones in their order."""
    if _CHOSEN:
        named = {item.nodeid: item for item in items}
        items[:] = [named[name] for name in _CHOSEN]


def pytest_collection_finish() -> None:
    """Begin to note lines when everything is imported."""
    global _recorder
    if _RECORD:
        files = [each.as_posix() for each in mutated_files()]
        _recorder = Recorder(ROOT, files)


def pytest_sessionfinish() -> None:
    """Write down what was noted."""
    if _recorder:
        _recorder.save(Path(_RECORD))
