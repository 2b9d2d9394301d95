"""Does the driver of the mutation tests tell the living from the dead?"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.kit import ROOT
from tests.long import mutation
from tests.long.mutation import IMPORT, NOT_RUN, TIME_OUT, Tree, all_tests
from tests.long.mutation_lines import MANY, Seen, choose, first_and_more, lines_to_run, load
from tests.long.mutation_mutants import Mutant, Position, is_executed, positions, sample

MODULE = Path("conveyor_rx/_engine/batches/batches.py")
ORIGINAL = (ROOT / MODULE).read_text(encoding="utf-8")
TESTS = [
    "tests/batches/test_batches.py::test_a_batch_is_a_list_of_its_own",
    "tests/batches/test_batches.py::test_a_rest_below_min_size_is_dropped_with_a_warning[2-7-1-ordered]",
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
    plugin = tmp_path / "tree/tests/long/mutation_plugin.py"
    text = plugin.read_text(encoding="utf-8")
    plugin.write_text(text.replace("SECONDS = 30.0", "SECONDS = 3.0"), encoding="utf-8")

    dead = tree.try_(mutant("dropped += size", "dropped -= size"), TESTS)
    assert dead.killer is not None
    assert dead.killer.startswith("tests/batches/test_batches.py::")
    hung = tree.try_(mutant("items.append(value)", "while True: pass"), TESTS)
    assert hung.killer == TIME_OUT
    alive = tree.try_(mutant("if len(items) >= self", "if len(items) == self"), TESTS)
    assert alive.killer is None
    assert (tmp_path / "tree" / MODULE).read_text(encoding="utf-8") == ORIGINAL
    assert (ROOT / MODULE).read_text(encoding="utf-8") == ORIGINAL

    said: list[str] = []
    monkeypatch.setattr(mutation, "LEAST", 0.7)
    assert not mutation._conclude([dead, hung, alive], 1.0, said.append)
    assert mutation._conclude([dead, hung, hung, alive], 1.0, said.append)
    assert "+        if len(items) == self._asked_at:" in said[0]
    assert "2 of 3 killed: 66.7%, 1 of them by the time-out" in said[1]


@needs_limits
def test_a_killer_is_a_test_or_the_import(tmp_path: Path) -> None:
    """A test that ends pytest with itself has a name, too; an end without a test is an error."""
    tree = Tree(tmp_path / "tree")
    for end in ("raise KeyboardInterrupt", "import os; os._exit(3)"):
        dead = tree.try_(mutant("items.append(value)", end), TESTS)
        assert dead.killer == TESTS[0]
    dead = tree.try_(mutant("class Batches(Subscriber):", "class Batches(0):"), TESTS)
    assert dead.killer == IMPORT
    with pytest.raises(RuntimeError, match=r"none has failed(.|\n)*no tests ran"):
        tree.first_failure(["tests/no_such_file.py"])


def test_the_lines_of_a_change() -> None:
    """A line stands for its statement, or for the head of it; outside functions it always runs."""
    source = """
import os
class A:
    b = 1
    def f(self, c=2):
        if (
            c
            > 1
        ):
            return [
                c,
            ]
        try:
            c()
        except ValueError:
            return 1
"""
    for line, lines in {2: None, 4: None, 5: None, 8: range(6, 10), 11: range(10, 13)}.items():
        assert lines_to_run(source, line) == lines, line
    assert lines_to_run(source, 14) == range(14, 15)
    assert lines_to_run(source, 15) == range(15, 16)


def test_a_few_tests_are_chosen() -> None:
    """Those that run the lines: the cheapest of each kind, then others, at most so many of each."""
    many = [Seen(f"many[1-{n}]", 2.0, {"file": 1 << 3}) for n in range(100)]
    slow, cheap = Seen("slow", 3.0, {"file": 0b1111}), Seen("cheap", 1.0, {"file": 1 << 2})
    chosen = choose([*many, slow, cheap], "file", range(3, 4))
    assert chosen == [many[0], slow, *many[10::10]]
    assert choose([slow, cheap], "file", None) == [cheap, slow]
    assert choose([slow, cheap], "another file", range(3)) == []


def test_few_files_come_first() -> None:
    """First a few seconds of tests, from the files that have most; then others, within limits."""
    often = [Seen(f"{name}::{n}", 1.0) for n in range(3) for name in "abc"]
    rare, long = Seen("d::1", 2.0), Seen("d::2", MANY)
    first, more = first_and_more([rare, *often, long])
    assert first == [each.test for each in often[:5]]
    assert more == ["d::1", *(each.test for each in often[5:])]


@needs_limits
@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in Python 3.12")
def test_the_lines_that_a_test_runs_are_recorded(tmp_path: Path) -> None:
    """Only a test that sees the rest of a batch runs the line that drops it."""
    tree = Tree(tmp_path / "tree")
    assert tree.first_failure(TESTS, tmp_path / "lines") is None
    seen = load(tmp_path / "lines")
    assert [each.test for each in seen] == TESTS
    (line,) = [n for n, text in enumerate(ORIGINAL.splitlines(), 1) if "dropped += " in text]
    assert choose(seen, MODULE.as_posix(), range(line, line + 1)) == seen[1:]
    (line,) = [n for n, text in enumerate(ORIGINAL.splitlines(), 1) if "in_ += 1" in text]
    assert len(choose(seen, MODULE.as_posix(), range(line, line + 1))) == 2


def test_files_of_tests_are_run_or_left_out_by_name() -> None:
    """The list names files that there are."""
    assert [name for name in NOT_RUN if not [*(ROOT / "tests").rglob(name)]] == []
    tests = all_tests()
    assert "tests/test_order.py" in tests
    assert "tests/faults/test_cancels.py" in tests
    assert not any(f"/{name}" in test for test in tests for name in NOT_RUN)


def test_a_sample_is_drawn_by_its_seed() -> None:
    """The same seed draws the same mutants, each of which differs from the file in one place."""
    pytest.importorskip("cosmic_ray", reason="pip install cosmic-ray")
    population = positions(ROOT, [MODULE])
    drawn = sample(ROOT, population, 5, 1)
    assert [str(each) for each in drawn] == [str(each) for each in sample(ROOT, population, 5, 1)]
    assert len({each.text for each in drawn}) == 5
    assert all(each.diff.count("\n+") == 1 for each in drawn)
