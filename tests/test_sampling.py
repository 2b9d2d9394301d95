"""What is in the sample of a test with many cases? Something of all, and always the same."""

from __future__ import annotations

import importlib.util
import itertools

import pytest

from tests.kit import ROOT
from tests.sampling import FAMILY, ONE_IN, sample

CASES = ["-".join(parts) for parts in itertools.product("abcdefghij", "xyz", "123456789", "pq")]
HEAD = """
    import pytest
    @pytest.mark.parametrize("n", range(100))
    @pytest.mark.parametrize("m", range(2))
    def test_many(n, m): pass
    def test_alone(): pass
    def test_of_steps(one_in): assert one_in in (1, 10)
"""


def test_each_part_of_the_names_is_in_the_sample() -> None:
    """Each kind, place and mode is there; beside them one case in so many."""
    chosen = sample(CASES)
    assert {part for case in chosen for part in case.split("-")} == {*"abcdefghijxyz123456789pq"}
    assert len(CASES) / ONE_IN / 2 < len(chosen) < len(CASES) / ONE_IN * 2


def test_a_sample_does_not_depend_on_the_order() -> None:
    """Each process draws the same."""
    assert sample(CASES) == sample(CASES[::-1])


def test_a_small_family_is_whole() -> None:
    """What has few cases is not sampled."""
    assert sample(CASES[:FAMILY]) == set(CASES[:FAMILY])


def test_the_sample_and_the_rest_are_the_whole(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left out of both; what takes steps runs in both; a named file runs whole."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(test_some=HEAD)

    def passed(*arguments: str) -> int:
        options = "-p tests.sampling -p no:cacheprovider -p no:asyncio".split()
        return pytester.runpytest_subprocess(*options, *arguments).parseoutcomes()["passed"]

    sampled, rest = passed(), passed("--rest")
    assert 100 <= sampled < 150
    assert passed("--whole") == passed("test_some.py") == 202
    assert sampled + rest == 202 + 1
    if importlib.util.find_spec("xdist"):  # whose processes are told what the first one was
        assert passed("-n2") == sampled
