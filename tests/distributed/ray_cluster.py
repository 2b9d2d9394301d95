"""Where does Ray run in the tests? In processes of its own, on this machine, offline."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

# Ray reads them when it is imported: it sends nothing home, and writes no token into the home.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
ray: Any = pytest.importorskip("ray", reason="Ray, the extra `ray`, is not installed")


@contextmanager
def ray_cluster(cpus: int = 2) -> Generator[Any]:
    """Start Ray, and end it. Where the tests are killed, its processes end by themselves."""
    # Not pytest's folder: Ray has sockets in it, whose paths may have some 100 characters.
    folder = tempfile.mkdtemp(prefix="ray-")
    try:
        ray.init(
            num_cpus=cpus,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            object_store_memory=80 * 2**20,  # bytes, near the least that Ray takes
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        yield ray
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
