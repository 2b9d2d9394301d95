"""Tests of this folder leave no thread behind, and no error passes by unseen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conveyor_rx.testing import assert_clean


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    with assert_clean():
        yield
