"""What pictures and reprs say of stages whose calls workers make."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conveyor_rx import BatchTask, SingleTask, Workers
from tests.executors import functions as f

POOL = ThreadPoolExecutor(1)  # no thread is started


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (SingleTask(f.double, executor=Workers("processes", 2)), "up to 2 calls at once"),
        (SingleTask(f.double, executor=Workers("processes", 1)), "one call at a time in 1 process"),
        (
            SingleTask(f.double, executor=Workers("threads", 3, chunk=9)),
            "up to 3 calls at once in 3 threads",
        ),
        (
            SingleTask(f.double, executor=Workers("threads", 3), concurrency_limit=2),
            "up to 2 calls at once in 3 threads",
        ),
        (SingleTask(f.double, executor=POOL), "as many calls at once as ThreadPoolExecutor makes"),
        (
            BatchTask(f.all_doubled, max_size=2, executor=POOL, concurrency_limit=5),
            "2 a batch, up to 5 calls at once in ThreadPoolExecutor",
        ),
    ],
)
def test_repr_says_how_many_calls_run_at_once(task: Any, expected: str) -> None:
    """X4: as many as there are workers, and not as many as may have been sent."""
    assert expected in repr(task)


@pytest.mark.parametrize(
    ("task", "options"),
    [
        (SingleTask(f.double, executor=Workers("processes", 2)), ["executor=2 processes"]),
        (SingleTask(f.double, executor=POOL), ["executor=ThreadPoolExecutor"]),
        (
            SingleTask(f.double, executor=Workers("threads", 1), concurrency_limit=9),
            ["concurrency_limit=9", "executor=1 thread"],
        ),
        (
            BatchTask(f.all_doubled, max_size=2, executor=Workers("processes", 2)),
            ["max_size=2", "executor=2 processes"],
        ),
        (
            BatchTask(f.all_doubled, max_size=2, executor=POOL, concurrency_limit=1),
            ["max_size=2", "concurrency_limit=1", "executor=ThreadPoolExecutor"],
        ),
    ],
)
def test_pictures_show_the_executor(task: Any, options: list[str]) -> None:
    """X1: a card has the options that were given, and no limit that the workers have by nature."""
    picture = task._repr_mimebundle_()["text/plain"]
    card = picture.splitlines()[3:-1]
    assert [line.split("│")[1].strip() for line in card] == options
