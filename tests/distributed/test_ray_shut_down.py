"""What becomes of `RayExecutor` when Ray is shut down under it, or the program ends?"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx.distributed import RayExecutor, _ray_actors
from conveyor_rx.testing import assert_clean
from tests.kit import ROOT

from . import work
from .ray_cluster import ray_cluster
from .waiting import until

pytestmark = pytest.mark.real_time("actors are processes")


def test_ray_is_shut_down(tmp_path: Path) -> None:
    """X3: what runs, waits, has no actor yet or comes later fails; nothing hangs or starts anew."""
    with assert_clean():
        with ray_cluster() as ray:
            executor = RayExecutor(1)
            without_room = RayExecutor(1, actor_options={"num_cpus": 50})
            futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(3)]
            futures.append(without_room.submit(work.double, 1))
            until(lambda: work.begun(tmp_path))
            ray.shutdown()
            check_broken(futures[:1], None)  # Ray says that its actor has died, or nothing
            check_broken(futures[1:])
            check_broken([executor.submit(work.double, 1), without_room.submit(work.double, 1)])
            assert not ray.is_initialized()
        with ray_cluster(cpus=1):  # another one: it has none of their actors
            check_broken([executor.submit(work.double, 1), without_room.submit(work.double, 1)])
            executor.shutdown()
            without_room.shutdown()
            with RayExecutor() as executor:
                assert executor.submit(work.double, 1).result() == 2


def test_a_wait_looks_whether_ray_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """X3: a call that takes longer than a look ends as ever."""
    monkeypatch.setattr(_ray_actors, "LOOK", 0.1)
    with ray_cluster(cpus=1), RayExecutor(1) as executor:
        assert executor.submit(work.nap_and_process_id, 1.0).result() > 0


def check_broken(futures: list[Any], text: str | None = "Ray has been shut down since") -> None:
    for future in futures:
        with pytest.raises(BrokenExecutor, match=text):
            future.result(timeout=30)


PROGRAM = """
import os, sys, time
from pathlib import Path
from conveyor_rx.distributed import RayExecutor
from tests.distributed import work
from tests.distributed.ray_cluster import ray_cluster

def in_main(folder):
    return work.log(folder, 1)

with ray_cluster():
    executor = RayExecutor(2)
    executor.submit(in_main, Path(sys.argv[1])).result()
    {last}
"""


@pytest.mark.parametrize(
    ("last", "code"),
    [("sys.exit(3)", 3), ("executor.submit(time.sleep, 60); time.sleep(0.2)", 0)],
    ids=["not shut down", "while a call runs"],
)
def test_the_program_ends(tmp_path: Path, last: str, code: int) -> None:
    """X2, X3: with a function of `__main__`; it ends with its own exit code, and says nothing."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(last=last), tmp_path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=55,
    )
    assert done.returncode == code, done.stderr
    assert work.begun(tmp_path) == [1]
    assert "Error" not in done.stderr
    assert time.monotonic() - begin < 50  # and so not after the sleep
