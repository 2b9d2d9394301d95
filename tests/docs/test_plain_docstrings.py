"""The reference: docstrings in plain text become what Sphinx reads."""

from __future__ import annotations

import runpy
import textwrap
from collections.abc import Callable

import pytest

from tests.kit import ROOT

as_rst: Callable[[list[str]], list[str]] = runpy.run_path(
    str(ROOT / "docs" / "_ext" / "plain_docstrings.py")
)["as_rst"]


def converted(plain: str) -> str:
    return "\n".join(as_rst(textwrap.dedent(plain).splitlines())).strip("\n")


@pytest.mark.parametrize(
    ("plain", "rst"),
    [
        ("Set `a`, not `b_`.", "Set ``a``, not ``b_``."),
        ("All *args and c_ | d.", r"All \*args and c\_ \| d."),
        ("* one\n* two", "* one\n* two"),
        (">>> 1\n1", ">>> 1\n1"),
        ("So:\n\n    >>> 1\n    1", "So:\n\n>>> 1\n1"),
        ("So:\n\n    f(1)\n\n    g(2)", "So:\n\n.. code-block:: python\n\n    f(1)\n\n    g(2)"),
        ("So:\n\n    a b c", "So:\n\n.. code-block:: text\n\n    a b c"),
    ],
)
def test_text_and_code(plain: str, rst: str) -> None:
    """Code is marked as such, and no other character is markup."""
    assert converted(plain) == rst


def test_columns() -> None:
    """Lines in columns are a table, and an indented line goes on with the cell above it."""
    assert converted(
        """\
        ready      a stage has a result, `value`; it may be
                   held
        run_ended  the end
        """
    ) == textwrap.dedent(
        """\
        .. list-table::
           :class: plain

           * - ``ready``
             - a stage has a result, ``value``; it may be held
           * - ``run_ended``
             - the end"""
    )


def test_sections_are_left_to_napoleon() -> None:
    """What is raised is a list, with its names as they stand."""
    assert converted("Raises:\n    TypeError, ValueError: `a` is wrong.").splitlines() == [
        "Raises:",
        "    TypeError, ValueError: ``a`` is wrong.",
    ]
