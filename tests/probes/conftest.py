"""Tests of what is drawn run as in a terminal of the common kind, and leave it as it was."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from conveyor_rx.events import observing


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever the tests are run in, it is a terminal of the common kind."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    streams = sys.stdout, sys.stderr
    threads = threading.active_count()
    yield
    assert (sys.stdout, sys.stderr) == streams
    assert threading.active_count() == threads
    assert observing() == ()
