"""Where does Dask run in the tests? A scheduler and workers, each a process of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit import ROOT

from .waiting import until

distributed: Any = pytest.importorskip(
    "distributed", reason="Dask, the extra `dask`, is not installed"
)

LOCAL = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


class DaskCluster:
    """A scheduler, workers of one thread each, and clients."""

    def __init__(self, folder: Path, worker_options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.scheduler_file = folder / "scheduler.json"
        self.worker_options = ("--no-nanny", "--memory-limit", "0", *worker_options)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._names = (f"worker-{number}" for number in itertools.count())
        self._clients: list[Any] = []

    @contextmanager
    def running(self, workers: int) -> Generator[DaskCluster]:
        self.scheduler = self._start("scheduler", *LOCAL, "--port", "0")
        try:
            for _ in range(workers):
                self.start_worker()
            until(lambda: self.scheduler_file.exists() and self.scheduler_file.read_text())
            yield self
        finally:
            for client in self._clients:
                client.close()
            for process in (*self.workers.values(), self.scheduler):
                process.kill()
            for process in (*self.workers.values(), self.scheduler):
                process.wait()
                assert process.stdin is not None
                process.stdin.close()

    def start_worker(self) -> str:
        """Start one more; give its name."""
        name = next(self._names)
        here = ("--local-directory", str(self.folder), "--name", name)
        one = ("--nworkers", "1", "--nthreads", "1", "--death-timeout", "60")
        self.workers[name] = self._start("worker", *LOCAL, *one, *here, *self.worker_options)
        return name

    def client(self, **options: Any) -> Any:
        """Give a client that knows of all workers that run; it is closed at the end."""
        options = {"set_as_default": False, "scheduler_file": str(self.scheduler_file)} | options
        client = distributed.Client(**options)
        self._clients.append(client)
        client.wait_for_workers(self.count(), timeout=30)
        return client

    def count(self) -> int:
        return sum(process.poll() is None for process in self.workers.values())

    def kill(self, process: int) -> None:
        """Kill the worker with this process id."""
        (found,) = (each for each in self.workers.values() if each.pid == process)
        found.kill()
        found.wait()

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.distributed.until_the_end_of_input"),
                    f"distributed.cli.dask_{kind}",
                    *("--scheduler-file", str(self.scheduler_file), *options),
                ],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )


@contextmanager
def dask_cluster(folder: Path, workers: int = 2, *worker_options: str) -> Generator[DaskCluster]:
    with DaskCluster(folder, worker_options).running(workers) as cluster:
        yield cluster
