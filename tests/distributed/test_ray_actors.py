"""What becomes of those who wait for an actor when Ray is shut down? Here with a Ray of our own."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from conveyor_rx.distributed import _ray_actors
from conveyor_rx.distributed._ray_actors import Actor, Actors


class RayError(Exception):
    pass


class RayTaskError(RayError):
    pass


class GetTimeoutError(RayError):
    pass


class TimedOutInTheTask(RayTaskError, GetTimeoutError):
    pass


class Ray:
    """As much of Ray as `Actors` uses; `get` gives, or raises, one answer after the other."""

    exceptions = SimpleNamespace(
        RayError=RayError, RayTaskError=RayTaskError, GetTimeoutError=GetTimeoutError
    )

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.session = "job"

    def get(self, sent: Any, timeout: float) -> Any:
        answer = self.answers.pop(0)
        if answer == "is shut down":
            self.session = ""
            raise GetTimeoutError
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def is_initialized(self) -> bool:
        return self.session != ""

    def get_runtime_context(self) -> Any:
        return SimpleNamespace(get_node_id=lambda: "node", get_job_id=lambda: self.session)

    def kill(self, handle: Any) -> None:
        pass


def actors(*answers: Any) -> Actors:
    return Actors(Ray(*answers), lambda: None, 1)


def test_a_result_that_takes_long() -> None:
    """X3: who waits looks now and then, and goes on waiting."""
    assert actors(GetTimeoutError(), GetTimeoutError(), 7).get("sent") == 7


def test_a_wait_that_ray_has_missed() -> None:
    """X3: it ends with the next look."""
    with pytest.raises(BrokenExecutor, match="shut down"):
        actors(GetTimeoutError(), "is shut down").get("sent")


def test_a_timeout_of_a_task_is_a_result() -> None:
    """X3: it is raised, and not taken for that of a look."""
    with pytest.raises(TimedOutInTheTask):
        actors(TimedOutInTheTask()).get("sent")


def test_a_thread_that_ray_ends() -> None:
    """X3: nothing more is asked of Ray, though it still looks alive."""
    some = actors(SystemExit())
    with pytest.raises(BrokenExecutor, match="shut down"):
        some.get("sent")
    with pytest.raises(BrokenExecutor, match="shut down"):
        some.take(lambda: True)


def test_a_thread_that_ray_ends_while_it_asks_after_an_actor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """X3: it gets an error that can be passed on to who waits for the call."""
    monkeypatch.setattr(_ray_actors, "FRESH", -1.0)  # so each actor is asked for
    some = actors(SystemExit())
    ready = SimpleNamespace(remote=lambda: "sent")
    some.give_back(Actor(SimpleNamespace(__ray_ready__=ready)))
    with pytest.raises(BrokenExecutor, match="shut down"):
        some.take(lambda: True)
