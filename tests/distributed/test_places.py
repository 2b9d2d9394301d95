"""What may a user name as the place where calls run? What needs neither Dask nor Ray."""

from __future__ import annotations

import sys
import tomllib
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from conveyor_rx import Workers
from conveyor_rx.distributed import RayExecutor
from conveyor_rx.distributed._places import number_of, workers_on
from tests.kit import ROOT


def test_an_executor_is_taken_as_it_is() -> None:
    """S5: any executor will do."""
    with ThreadPoolExecutor(3) as executor:
        workers = workers_on(executor)
        assert workers.kind is executor
        assert number_of(workers) == 3


def test_workers_are_taken_as_they_are() -> None:
    """S5: and their kind by its name."""
    workers = Workers("processes", 5)
    assert workers_on(workers) is workers
    assert number_of(workers) == 5
    assert workers_on("threads").kind == "threads"


KINDS = ("None", "text", "number", "other client", "module", "class")


class Client:
    """Not Dask's."""

    def get_executor(self) -> Executor:
        raise AssertionError


@pytest.mark.parametrize("on", [None, "dask", 2, Client(), sys, ThreadPoolExecutor], ids=KINDS)
def test_other_things_are_refused(on: Any) -> None:
    """S5: the error names what was given, and what may be."""
    with pytest.raises(TypeError, match=r"on must be a Client of dask.*, not ") as caught:
        workers_on(on)
    assert repr(on) in str(caught.value)


def test_ray_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """S5: the error names the extra, and what it installs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    requirement = extras["ray"][0].partition(";")[0]
    monkeypatch.setitem(sys.modules, "ray", None)
    for make in (RayExecutor, lambda: workers_on("ray")):
        with pytest.raises(ImportError, match="needs Ray, the extra `ray`") as caught:
            make()
        assert str(caught.value).endswith(f"pip install '{requirement}'")
