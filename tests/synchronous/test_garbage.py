"""What is held, and for how long, while code that is not async reads? S7 of the contract."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from conveyor_rx import iterate
from tests.kit import Boom, Endless, same
from tests.synchronous.kit import double, in_threads, loop_threads, until

pytestmark = in_threads


class Big:
    """An item that can be referred to weakly."""


@pytest.mark.parametrize("how", ["end", "close", "failure"])
def test_everything_is_free_afterwards(how: str) -> None:
    """S7, L9: source, items and results, with the cyclic collector off."""
    seen: list[weakref.ref[Any]] = []

    def bigs() -> Iterator[Big]:
        for n in range(40):
            if how == "failure" and n == 20:
                raise Boom
            big = Big()
            seen.append(weakref.ref(big))
            yield big

    gc.collect()
    gc.disable()
    try:
        results = iterate(same(bigs()))
        try:
            for n, _ in enumerate(results):
                if how == "close" and n == 5:
                    results.close()
        except Boom:
            pass
        del _
        until(lambda: not loop_threads())
        assert len(seen) >= (6 if how == "close" else 20)  # a run reads few items ahead at first
        assert [ref() for ref in seen if ref() is not None] == []
    finally:
        gc.enable()


def test_a_result_is_free_when_it_was_taken() -> None:
    """S7, L9: nothing but the consumer holds what it has got."""
    results = iterate(same(Big() for _ in range(3)))
    refs = [weakref.ref(next(results))]
    assert refs[0]() is None
    refs += [weakref.ref(next(results)), weakref.ref(next(results))]
    assert [ref() for ref in refs] == [None] * 3
    results.close()


def test_many_dropped_runs() -> None:
    """S7, L5: a hundred half-read runs at once; each thread ends."""
    data = [Endless() for _ in range(100)]
    kept = [iterate(double(each)) for each in data]
    assert [next(results) for results in kept] == [0] * 100
    kept.clear()
    until(lambda: not loop_threads())
    assert all(each.closed == 1 for each in data)
