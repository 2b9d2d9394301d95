"""Does the driver of the mutation tests tell the living from the dead?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import mutation
from tests.mutation import IMPORT, TIME_OUT, Tree, all_tests
from tests.mutation_mutants import Mutant, Position, is_executed, positions, sample

ROOT = Path(__file__).parent.parent
MODULE = Path("conveyor_rx/operators/_buffer.py")
ORIGINAL = (ROOT / MODULE).read_text(encoding="utf-8")
TESTS = [
    "test_batches.py::test_a_batch_is_a_list_of_its_own",
    "test_batches.py::test_a_rest_below_min_size_is_dropped_with_a_warning",
]
needs_limits = pytest.mark.skipif(sys.platform == "win32", reason="process groups, memory limits")


def mutant(old: str, new: str) -> Mutant:
    assert ORIGINAL.count(old) == 1
    return Mutant(Position(MODULE, 1, "by hand", 0), ORIGINAL, ORIGINAL.replace(old, new))


def test_what_is_never_executed_is_left_out() -> None:
    """Annotations, overloads, decorators, `*` in signatures and bad Python make no mutants."""
    source = """
from typing import overload
@property
def f(a: int | None, *, b: int = 1) -> int | str:
    x: int | None = a
    return x + b
@overload
def g(a: int | str) -> None: ...
Alias = dict[int, int | str]
"""
    for old, new in (
        ("a: int | None", "a: int + None"),
        ("-> int | str", "-> int ** str"),
        ("x: int | None", "x: int - None"),
        ("*, b", "/, b"),
        ("@property", ""),
        ("a: int | str", "a: int & str"),
        ("dict[int, int | str]", "dict[int, int + str]"),
        ("return x + b", "return x + + * b"),
        ("return x + b", "return x is 1"),
    ):
        assert not is_executed(source, source.replace(old, new)), new
    for old, new in (("x + b", "x - b"), ("b: int = 1", "b: int = 2"), ("= a", "= not a")):
        assert is_executed(source, source.replace(old, new)), new


@needs_limits
def test_dead_and_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant is killed by the first test that fails or hangs; what changes nothing survives.

    Whatever pytest it is that runs this: its options are not for the tests of a mutant.
    """
    monkeypatch.setenv("PYTEST_ADDOPTS", "--cov --cov-report=term --cov-fail-under=100")
    tree = Tree(tmp_path / "tree")
    plugin = tmp_path / "tree/tests/mutation_plugin.py"
    text = plugin.read_text(encoding="utf-8")
    plugin.write_text(text.replace("SECONDS = 30.0", "SECONDS = 3.0"), encoding="utf-8")

    dead = tree.try_(mutant(">= self._max_size", "> self._max_size"), TESTS)
    assert dead.killer is not None
    assert dead.killer.startswith("tests/test_batches.py::")
    hung = tree.try_(mutant("self._batch.append(value)", "while True: pass"), TESTS)
    assert hung.killer == TIME_OUT
    alive = tree.try_(mutant("(self._batch) >= self", "(self._batch) == self"), TESTS)
    assert alive.killer is None
    assert (tmp_path / "tree" / MODULE).read_text(encoding="utf-8") == ORIGINAL
    assert (ROOT / MODULE).read_text(encoding="utf-8") == ORIGINAL

    said: list[str] = []
    monkeypatch.setattr(mutation, "LEAST", 0.7)
    assert not mutation._conclude([dead, hung, alive], 1.0, said.append)
    assert mutation._conclude([dead, hung, hung, alive], 1.0, said.append)
    assert "+        if len(self._batch) == self._max_size:" in said[0]
    assert "2 of 3 killed: 66.7%, 1 of them by the time-out" in said[1]


@needs_limits
def test_a_killer_is_a_test_or_the_import(tmp_path: Path) -> None:
    """A test that ends pytest with itself has a name, too; an end without a test is an error."""
    tree = Tree(tmp_path / "tree")
    for end in ("raise KeyboardInterrupt", "import os; os._exit(3)"):
        dead = tree.try_(mutant("self._batch.append(value)", end), TESTS)
        assert dead.killer == f"tests/{TESTS[0]}"
    dead = tree.try_(mutant("class _Buffer(Subscriber):", "class _Buffer(0):"), TESTS)
    assert dead.killer == IMPORT
    with pytest.raises(RuntimeError, match=r"none has failed(.|\n)*no tests ran"):
        tree.first_failure(["no_such_file.py"])


def test_all_files_of_tests_are_run_or_left_out_by_name() -> None:
    """The lists name files that there are, and each is run once."""
    tests = all_tests()
    assert len(set(tests)) == len(tests)
    named = [*mutation.FIRST, *mutation.LAST, *mutation.NOT_RUN]
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []
    assert not set(tests) & set(mutation.NOT_RUN)


def test_a_sample_is_drawn_by_its_seed() -> None:
    """The same seed draws the same mutants, each of which differs from the file in one place."""
    pytest.importorskip("cosmic_ray", reason="pip install cosmic-ray")
    population = positions(ROOT, [MODULE])
    drawn = sample(ROOT, population, 5, 1)
    assert [str(each) for each in drawn] == [str(each) for each in sample(ROOT, population, 5, 1)]
    assert len({each.text for each in drawn}) == 5
    assert all(each.diff.count("\n+") == 1 for each in drawn)
