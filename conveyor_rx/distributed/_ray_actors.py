"""Which actor makes the next call? One that is ready and free; else one more is started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, LifoQueue
from typing import Any

from .._workers.errors import WorkerLostError

__all__ = ["Actor", "Actors"]

FRESH = 0.05  # seconds after a call in which an actor is taken to be alive
LOOK = 1.0  # seconds between two looks whether Ray is still there, or an actor still wanted
NO_SESSION = "", ""


@dataclass(eq=False)
class Actor:
    """An actor, and when it was last known to be alive, by the clock of `time.monotonic`."""

    handle: Any
    seen: float = field(default_factory=time.monotonic)


class Actors:
    """Up to `limit` actors, each started when it is first needed, and again when it has died.

    At most `limit` threads may be between `take` and `give_back` or `drop`. So whoever finds no
    free actor has started one, or there is one for it that is still to become free or ready. A
    start that fails is passed on in the same queue, to one of those who wait.
    """

    def __init__(self, ray: Any, start: Callable[[], Any], limit: int) -> None:
        self._ray = ray
        self._start = start
        self._limit = limit
        self._session: tuple[str, str] | None = self._current_session()
        self._lock = threading.Lock()
        self._all: set[Actor] = set()
        self._free: LifoQueue[Actor | WorkerLostError] = LifoQueue()  # bound: `limit`

    def take(self, is_wanted: Callable[[], bool]) -> Actor | None:
        """Return an actor that makes no call now; wait until there is one, or none is wanted.

        Raises:
            WorkerLostError: an actor has ended before it was ready.
            BrokenExecutor: Ray has been shut down.
        """
        while is_wanted():
            self.check_session()
            try:
                actor = self._free.get_nowait()
            except Empty:
                self._start_another()
                actor = self._wait(is_wanted)
            if isinstance(actor, WorkerLostError):
                self.check_session()  # which ends those that were about to start
                raise actor
            if actor is None or self._is_alive(actor):
                return actor
            self.drop(actor)
        return None

    def give_back(self, actor: Actor) -> None:
        """Have `actor` make other calls: it has made its own."""
        actor.seen = time.monotonic()
        self._free.put(actor)

    def drop(self, actor: Actor) -> None:
        """End `actor`, or what is left of it; another may be started for it."""
        with self._lock:
            self._all.discard(actor)
        self._kill(actor)

    def end(self) -> None:
        """End all actors."""
        with self._lock:
            actors = list(self._all)
            self._all.clear()
        for actor in actors:
            self._kill(actor)

    def get(self, sent: Any) -> Any:
        """Wait for what an actor gives.

        When Ray is shut down it ends the threads that wait. It may miss one that begins to wait at
        that moment, and looks alive for a while yet; so nothing is asked of it after that.

        Raises:
            RayError: as `ray.get`.
            BrokenExecutor: Ray has been shut down.
        """
        errors = self._ray.exceptions
        while True:
            try:
                return self._ray.get(sent, timeout=LOOK)
            except errors.RayTaskError:  # it may be a GetTimeoutError as well, of the task's own
                raise
            except errors.GetTimeoutError:
                self.check_session()
            except SystemExit as error:  # so Ray ends the threads
                self._session = NO_SESSION
                raise BrokenExecutor("Ray has been shut down in the middle of a call") from error

    def check_session(self) -> None:
        """Raise a BrokenExecutor if Ray has been shut down since the start."""
        # Before each call: where Ray isn't initialized, a call of an actor's would initialize it.
        if self._current_session() != self._session:
            raise BrokenExecutor("Ray has been shut down since this executor was made")

    def _start_another(self) -> None:
        with self._lock:
            if len(self._all) == self._limit:
                return
            actor = Actor(self._start())
            ready = actor.handle.__ray_ready__.remote().future()
            self._all.add(actor)
        # Ray calls back on a thread of its own, which a put in a queue doesn't hold up.
        ready.add_done_callback(partial(self._ready, actor))

    def _ready(self, actor: Actor, ready: Future[Any]) -> None:
        error = ready.exception()
        if error is None:
            self.give_back(actor)
            return
        with self._lock:
            self._all.discard(actor)
        failure = WorkerLostError(f"an actor of Ray has ended before it was ready: {error}")
        failure.__cause__ = error
        self._free.put(failure)

    def _wait(self, is_wanted: Callable[[], bool]) -> Actor | WorkerLostError | None:
        while is_wanted():
            try:
                return self._free.get(timeout=LOOK)
            except Empty:
                self.check_session()  # for Ray tells nobody who waits for the start of an actor
        return None

    def _is_alive(self, actor: Actor) -> bool:
        """Ask an actor that has not been heard of for a while, so that no call is lost with it."""
        if time.monotonic() - actor.seen < FRESH:
            return True
        try:
            self.get(actor.handle.__ray_ready__.remote())
        except self._ray.exceptions.RayError:
            return False
        return True

    def _current_session(self) -> tuple[str, str] | None:
        if not self._ray.is_initialized():
            return None
        context = self._ray.get_runtime_context()
        return context.get_node_id(), context.get_job_id()

    def _kill(self, actor: Actor) -> None:
        if self._current_session() != self._session:
            return  # Ray has ended it
        try:
            self._ray.kill(actor.handle)
        except self._ray.exceptions.RayError:  # it has ended by itself
            pass
