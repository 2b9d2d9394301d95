"""`run`: what it takes, and what it says of a failure."""

import asyncio
import functools

import pytest

from conveyor_rx.testing import run


async def double(number: int) -> int:
    await asyncio.sleep(number)
    return 2 * number


def test_it_takes_a_coroutine_or_a_function() -> None:
    """A coroutine, or a function that gives one."""
    assert run(double(2)) == 4
    assert run(functools.partial(double, 3)) == 6


def test_a_failure_names_the_seed() -> None:
    """A failing seed can be replayed."""

    async def main() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine") as caught:
        run(main, seed=42)
    assert caught.value.__notes__ == ["virtual loop: seed=42"]
