"""The example of clusters: on each it runs as a user runs it, and prints what its page says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import ROOT

pytestmark = pytest.mark.real_time("workers are processes")

EXAMPLE = ROOT / "examples" / "on_a_cluster.py"


@pytest.mark.parametrize("package", ["distributed", "ray"])
def test_example(package: str, tmp_path: Path) -> None:
    """Issue 16: one command, with real output."""
    pytest.importorskip(package, reason=f"{package} is not installed")
    done = subprocess.run(
        [sys.executable, EXAMPLE, *(["--ray"] if package == "ray" else [])],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
        timeout=300,
    )
    assert done.returncode == 0
    page = (ROOT / "docs" / "examples.md").read_text()
    assert f"```text\n{done.stdout}```" in page
