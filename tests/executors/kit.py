"""What do the tests of executors share?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conveyor_rx import Workers

in_real_time = pytest.mark.real_time("workers are real threads and processes")


@contextmanager
def started(kind: str, number: int = 2, **options: object) -> Iterator[Workers[None]]:
    """Give workers that live for many tests."""
    with Workers(kind, number, **options) as workers:  # type: ignore[call-overload]
        yield workers
