"""Is each promise of the contract checked? Each number is cited by a test's docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.kit import ROOT

NUMBER = re.compile(r"\b([A-Z])(\d+)(?: to \1?(\d+))?")


def cited() -> Iterator[str]:
    """Give the numbers that docstrings of tests name; "L1 to L3" are three."""
    for path in ROOT.glob("tests/**/test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for letter, first, last in NUMBER.findall(ast.get_docstring(node) or ""):
                    for number in range(int(first), int(last or first) + 1):
                        yield f"{letter}{number}"


def test_each_number_of_the_contract_is_cited() -> None:
    """No promise is without a test that says so."""
    contract = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    promised = re.findall(r"^- ([A-Z]\d+) ", contract, re.MULTILINE)
    assert len(promised) > 40
    assert sorted(set(promised) - set(cited())) == []
