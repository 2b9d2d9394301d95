"""How do results leave a run that is subscribed to? Straight to the observer."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

from reactivex import abc

from ..._errors.blame import not_an_end
from ..._errors.tracebacks import without_engine
from ..._inputs import Inputs
from ..closing.cancellation import cancellation_of
from ..closing.ending import Ending
from ..run import UNBOUNDED, Run
from ..subscriber import Subscriber

__all__ = ["Push"]

_keepers: set[asyncio.Task[None]] = set()
"""The loop itself holds tasks weakly."""


class Push(Subscriber):
    """The end of a run that pushes to an observer: always open, unless a `Demand` paces it.

    The end is told only when every task of the run has ended.
    """

    size = 0
    limit = UNBOUNDED
    upstream_bit = 0

    def __init__(self, run: Run, observer: abc.ObserverBase[Any]) -> None:
        self.run = run
        self._observer: abc.ObserverBase[Any] | None = observer
        self._error: BaseException | None = None
        self._is_complete = False  # and has failed nowhere
        # By the keeper, while nothing else may: the run pauses until that has begun, and has ended
        # before it tells so. In between what the run waits for holds it, so that it may be
        # forgotten: by a source that never says a word.
        self._held: list[Push] = []
        run.on_crash = self._crashed

    def keep(self) -> None:
        """Let the run go on, unless it has ended, with a task that lasts as long as it does.

        It tells the observer of the end. And a loop that is shut down waits for the tasks that are
        there then, for none that begins later, as those of a run may: so one is there throughout.
        """
        run, loop = self.run, self.run.loop
        run.over = over = loop.create_future()
        if run.closed:
            over.set_result(None)
        held: list[Push] = [self]
        self._held = held
        push = weakref.ref[Push](self, lambda _: _forgotten(loop, over))
        keeper = run.start(_until_the_end(over, run.ending, held, push), "subscription to a stream")
        _keepers.add(keeper)
        keeper.add_done_callback(lambda keeper: _kept(keeper, held))

    def on_next(self, value: Any) -> None:
        if self._observer is not None:
            self._observer.on_next(value)

    def held(self) -> list[Inputs]:
        """Give what the value comes from that the observer may be about to take.

        It is given values in turns only; and nothing else is handed on until it has taken one.
        """
        return [self.run.inputs] if self.run.draining else []

    def on_error(self, error: BaseException) -> None:
        self._has_given_all()
        self._crashed(error)

    def on_completed(self) -> None:
        self._is_complete = True
        self._has_given_all()
        self._end(None)

    def dispose(self) -> None:
        """Tell the observer nothing more, and end the run."""
        self._observer = None
        self.run.within(self._close)

    def give_up(self) -> None:
        """End the run at once; the observer is told so when nothing of it is left."""
        self._end(None)

    def settle(self) -> None:
        """See to it that the observer is told when nothing of the closed run is left."""
        if self.run.is_ended():
            self.tell()
        elif self._observer is not None and self.run.over is None:
            self.keep()
        elif self._observer is not None:
            self._held.append(self)

    def tell(self) -> None:
        """Tell the observer how the run ended, unless that was done."""
        observer, self._observer = self._observer, None
        error, self._error = self._error, None
        if observer is None:
            return
        if not self._is_part:
            error = self.run.failures.outcome(error)
        if error is None and self._is_complete and self.run.watermark is not None:
            self.run.watermark.complete()
        try:
            if error is None:
                observer.on_completed()
            else:
                observer.on_error(error)  # pyright: ignore[reportArgumentType]  # Rx says Exception; a CancelledError passes as well
        except asyncio.CancelledError as raised:
            if raised is not error:  # else: nobody listens, and the loop is being shut down
                raise
        except Exception as raised:  # of the operators behind, which have lost the end
            if not self.run.pass_up(raised if error is None else error):
                raise
        finally:
            del error  # its traceback leads to this frame

    # -- private

    @property
    def _is_part(self) -> bool:
        """Whether there is a run around this one, which waits for it."""
        return self.run.ending.parent is not None

    def _has_given_all(self) -> None:
        if self.run.watermark is not None:
            self.run.watermark.freeze(is_empty=True)

    def _crashed(self, error: BaseException) -> None:
        self._end(without_engine(not_an_end(error)))

    def _close(self) -> None:
        self.run.close()
        if not self._is_part:
            self.run.failures.abandon()

    def _end(self, error: BaseException | None) -> None:
        self.run.close()
        self._error = error
        self.settle()


async def _until_the_end(
    over: asyncio.Future[None], ending: Ending, held: list[Push], push_of: weakref.ref[Push]
) -> None:
    run = held[0].run
    if not run.closed:
        held.clear()
        run.go_on()
        run.schedule()
    del run
    try:
        await over
    except asyncio.CancelledError as error:
        _cancelled(push_of(), error)
        raise
    finally:
        try:
            await ending.wait_for_all()
        finally:
            push = push_of()
            held.clear()
            if push is not None:
                push.tell()


def _kept(keeper: asyncio.Task[None], held: list[Push]) -> None:
    _keepers.discard(keeper)
    if not held:
        return
    push = held.pop()  # it was cancelled before it began, and another one is to wait for the end
    push.run.over = None
    if push.run.closed:
        push.settle()
    else:
        push.run.crash(cancellation_of(keeper))


def _cancelled(push: Push | None, error: asyncio.CancelledError) -> None:
    """End with `error` a run that still goes on, though its keeper was cancelled."""
    if push is not None and not push.run.closed:
        push.run.crash(error)


def _forgotten(loop: asyncio.AbstractEventLoop, over: asyncio.Future[None]) -> None:
    """Let the task end that waits for the end of a run that is no more."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(over.cancel)
