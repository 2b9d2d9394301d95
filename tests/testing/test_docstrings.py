"""The examples in the docstrings run, and print what they say."""

import asyncio
import doctest

import pytest

import conveyor_rx.testing
from conveyor_rx.testing import _loop, _record, _run, _source, _task


@pytest.mark.parametrize("module", [_loop, _record, _run, _source, _task])
def test_the_examples_run(module: object) -> None:
    """What a user copies from a docstring works."""
    names = {name: getattr(conveyor_rx.testing, name) for name in conveyor_rx.testing.__all__}
    result = doctest.testmod(module, extraglobs=names | {"asyncio": asyncio})
    assert result.failed == 0
    assert result.attempted > 0
