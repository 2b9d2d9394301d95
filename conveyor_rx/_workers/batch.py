"""What is a call that a worker is to make? It waits, is sent with others, and is answered once."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextvars import Context
from typing import Any, NamedTuple

__all__ = ["Answer", "Batch", "Job"]


class Answer(NamedTuple):
    """What has become of a call: its result, or why there is none."""

    value: Any = None
    """Its result, or, with `is_packed`, what `perform` said of it."""
    error: BaseException | None = None
    is_packed: bool = False
    worker: str = ""
    """Who was at it; "" if nobody can tell, or nobody was."""
    began: float | None = None
    """When the worker began with the batch, by the monotonic clock; None if it can't be told."""


class Job:
    """A call that a task of a run waits for."""

    __slots__ = ("answered", "batch", "context", "item", "made", "parcel", "size")

    def __init__(
        self,
        item: Any,
        size: int,
        context: Context | None,
        parcel: bytes,
        answered: asyncio.Future[Answer],
        made: float,
    ) -> None:
        self.item = item
        self.size = size  # the number of its items
        self.context = context  # in which threads call
        self.parcel = parcel  # the item, pickled, if no thread of this process makes the call
        self.answered = answered
        self.made = made
        self.batch: Batch | None = None  # with which it was sent

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for its answer."""
        return not self.answered.done()

    def answer(self, answer: Answer) -> None:
        """Wake the task that waits for the call, if there is one still."""
        if not self.answered.done():
            self.answered.set_result(answer)


class Batch:
    """Calls of one stage in one run that go to a worker in one submission."""

    __slots__ = ("answers", "began", "crew", "future", "jobs", "number", "worker")

    def __init__(self, crew: Any, jobs: list[Job]) -> None:
        self.crew = crew
        self.jobs = jobs
        self.number = 0  # in its lane, from when it is sent
        self.future: Future[Any] | None = None  # likewise
        self.answers: list[Answer] = []  # of threads, while the pool has not taken them
        self.began: float | None = None  # seconds, of the monotonic clock, as far as is known here
        self.worker = ""  # that is at it, as far as is known before there is an answer
        for job in jobs:
            job.batch = self

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for the answer of one of its calls."""
        return any(job.is_wanted for job in self.jobs)

    @property
    def size(self) -> int:
        """The number of its items that anybody waits for."""
        return sum(job.size for job in self.jobs if job.is_wanted)

    def let_go(self) -> None:
        """Let go of its calls, which are answered, or sent again."""
        for job in self.jobs:
            job.batch = None
        self.jobs = []
        self.answers = []
        self.future = None
