"""What becomes of the calls of `RayExecutor` when an actor dies? At each point of its life."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import pytest

from conveyor_rx import WorkerLostError
from conveyor_rx.distributed import RayExecutor
from conveyor_rx.testing import assert_clean

from . import work
from .waiting import is_alive, until

pytestmark = [pytest.mark.real_time("actors are processes"), pytest.mark.usefixtures("ray")]


@pytest.fixture
def executor() -> Iterator[RayExecutor]:
    with assert_clean(), RayExecutor(2) as executor:
        yield executor


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    until(lambda: not is_alive(process))


def warm(executor: RayExecutor) -> set[int]:
    """Have both actors start; give their processes."""
    found: set[int] = set()
    while len(found) < 2:
        wait([executor.submit(time.sleep, 0.05) for _ in range(2)])
        found |= set(executor.map(work.nap_and_process_id, [0.05] * 2))
    return found


@pytest.mark.parametrize("way", ["SIGKILL", "os._exit"])
def test_in_a_call(executor: RayExecutor, tmp_path: Path, way: str) -> None:
    """X6: the call fails, and says so; all others are made, each once."""
    futures: list[Future[Any]] = [executor.submit(work.log_and_work, tmp_path, n) for n in range(9)]
    dead = executor.submit(work.die, tmp_path, 9, way)
    futures += [executor.submit(work.log_and_work, tmp_path, n) for n in range(10, 30)]
    with pytest.raises(WorkerLostError, match="died in the middle of a call of die"):
        dead.result()
    assert [future.result() for future in futures] == [2 * n for n in range(30) if n != 9]
    assert sorted(work.begun(tmp_path)) == list(range(30))


def test_each_call_kills_its_actor(executor: RayExecutor, tmp_path: Path) -> None:
    """X6: actors are replaced as often as they die; each call is made once, and fails."""
    futures = [executor.submit(work.die, tmp_path, n, "os._exit") for n in range(8)]
    assert all(isinstance(future.exception(), WorkerLostError) for future in futures)
    assert sorted(work.begun(tmp_path)) == list(range(8))
    assert executor.submit(work.double, 4).result() == 8


def test_while_it_is_idle(executor: RayExecutor, tmp_path: Path) -> None:
    """X6: no call notices."""
    for process in warm(executor):
        kill(process)
    time.sleep(0.1)  # an actor that has made a call just now is taken to be alive
    futures = [executor.submit(work.log_and_work, tmp_path, n) for n in range(6)]
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8, 10]
    assert sorted(work.begun(tmp_path)) == list(range(6))


def test_all_at_once(executor: RayExecutor, tmp_path: Path) -> None:
    """X6: the calls that were running fail, and no other."""
    warm(executor)
    futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(5)]
    until(lambda: len(work.begun(tmp_path)) == 2)
    for process in work.processes(tmp_path):
        kill(process)
    (tmp_path / "go").touch()
    assert [type(future.exception()) for future in futures[:2]] == [WorkerLostError] * 2
    assert [future.result() for future in futures[2:]] == [4, 6, 8]
    assert sorted(work.begun(tmp_path)) == list(range(5))


def test_before_it_is_ready(
    executor: RayExecutor, tmp_path: Path, ray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X6: one call fails for each start that fails; then others are started."""
    start = executor._actors._start
    handles: list[Any] = []

    def start_and_kill() -> Any:
        handles.append(start())
        if len(handles) == 1:
            ray.kill(handles[0])
        return handles[-1]

    monkeypatch.setattr(executor._actors, "_start", start_and_kill)
    futures = [executor.submit(work.log_and_work, tmp_path, n) for n in range(6)]
    errors = [future.exception() for future in futures]
    (error,) = filter(None, errors)
    assert isinstance(error, WorkerLostError)
    assert "before it was ready" in str(error)
    assert sorted(work.begun(tmp_path)) == [n for n in range(6) if errors[n] is None]


def test_actors_that_cannot_start(ray: Any) -> None:
    """X6: calls fail with what Ray says of it; nobody waits for ever."""
    options = {"runtime_env": {"conda": "no_such_environment"}}
    with assert_clean(), RayExecutor(2, actor_options=options) as executor:
        futures = [executor.submit(work.double, n) for n in range(3)]
        for future in futures:
            with pytest.raises(WorkerLostError, match="before it was ready"):
                future.result(timeout=60)


def test_an_actor_that_exits(executor: RayExecutor) -> None:
    """X6: a function may end its actor as Ray has it; then it has given no result."""
    with pytest.raises(WorkerLostError, match="exit_actor"):
        executor.submit(work.exit_quietly).result()
    assert executor.submit(work.double, 4).result() == 8


def test_after_shutdown(tmp_path: Path) -> None:
    """X3, X6: calls that wait are made by another actor, which is killed afterwards."""
    with assert_clean():
        executor = RayExecutor(1)
        futures = [executor.submit(work.log_and_wait, tmp_path, n) for n in range(3)]
        until(lambda: work.begun(tmp_path))
        executor.shutdown(wait=False)
        (first,) = work.processes(tmp_path)
        kill(first)
        (tmp_path / "go").touch()
        assert isinstance(futures[0].exception(), WorkerLostError)
        assert [future.result() for future in futures[1:]] == [2, 4]
        until(lambda: not any(map(is_alive, work.processes(tmp_path))))


def test_at_random_moments(executor: RayExecutor, tmp_path: Path) -> None:
    """X6: each call is made at most once; it gives its result, or tells that its actor has died."""
    chance = random.Random(16)
    futures = [executor.submit(work.log_and_work, tmp_path, n, 0.02) for n in range(60)]
    kills = 0
    while not all(future.done() for future in futures):
        time.sleep(chance.uniform(0.05, 0.4))
        alive = [each for each in work.processes(tmp_path) if is_alive(each)]
        if alive:
            kill(chance.choice(alive))
            kills += 1
    failed = [n for n, future in enumerate(futures) if future.exception() is not None]
    assert all(isinstance(futures[n].exception(), WorkerLostError) for n in failed)
    assert len(failed) <= kills
    assert all(futures[n].result() == 2 * n for n in range(60) if n not in failed)
    begun = work.begun(tmp_path)
    assert len(begun) == len(set(begun))
    assert set(begun) >= {n for n in range(60) if n not in failed}


def test_a_large_result_of_an_actor_that_is_gone(executor: RayExecutor) -> None:
    """X6: what was given stays, whatever becomes of the actor."""
    future = executor.submit(work.large, 5_000_000)
    wait([future])
    for process in warm(executor):
        kill(process)
    assert len(future.result()) == 5_000_000
