"""What becomes of None? V1 of the contract."""

from __future__ import annotations

from typing import Any

import pytest

from conveyor_rx import SingleTask
from tests.kit import in_both_modes
from tests.values.giving import GIVING, LAZY, giving, yielding


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
async def test_none_is_dropped(kind: str, mode: str) -> None:
    """V1: None is no output; the others come as if it had not been there."""
    task = giving(kind, lambda n: n if n % 3 == 1 else None).with_execution_mode(mode)
    assert await task(range(10)).collect() == [1, 4, 7]


@in_both_modes
@pytest.mark.parametrize("kind", GIVING)
async def test_none_in_a_list_is_dropped(kind: str, mode: str) -> None:
    """V1: None is no output inside of a list either."""
    task = giving(kind, lambda n: [None, n, None, None, -n, None]).with_execution_mode(mode)
    assert await task([1, 2]).collect() == [1, -1, 2, -2]


@in_both_modes
@pytest.mark.parametrize("kind", LAZY)
async def test_none_from_a_generator_is_dropped(kind: str, mode: str) -> None:
    """V1: None that is yielded is no output."""
    task = yielding(kind, lambda n: [None, n, None, None, -n, None])
    got = await task.with_execution_mode(mode)([1, 2]).collect()
    assert (got if mode == "ordered" else sorted(got, key=abs)) in ([1, -1, 2, -2], [-1, 1, -2, 2])


async def test_none_reaches_no_later_stage() -> None:
    """V1: the next stage is never called with None."""
    seen: list[Any] = []
    drop = SingleTask[int, Any](lambda n: n if n % 2 else None)
    await (drop | SingleTask(seen.append))(range(6)).collect()
    assert seen == [1, 3, 5]


async def test_none_in_the_data_is_an_item() -> None:
    """V1: outputs are dropped, not data: the first task gets the Nones of its source."""
    task = SingleTask[Any, Any](lambda item: ("got", item))
    assert await task([1, None, 2]).collect() == [("got", 1), ("got", None), ("got", 2)]
    assert await task(None).collect() == [("got", None)]


@pytest.mark.parametrize("kind", GIVING)
async def test_falsy_values_are_outputs(kind: str) -> None:
    """V1: only None is dropped: zero, False, and empty values of all kinds are results."""
    falsy = [0, 0.0, False, "", b"", (), {}, set(), frozenset(), range(0)]
    got = await giving(kind, lambda item: item)(falsy).collect()
    assert got == falsy
    assert [type(value) for value in got] == [type(value) for value in falsy]
