"""What failed while a run was being closed, and who is told? Who waits for the end, else the loop.

There is nothing to raise such a failure from when it happens: the call was cancelled, the source
was cut off. So it is kept for the end of the run.
"""

from __future__ import annotations

import asyncio
from typing import cast

from ..._errors.blame import add_note, not_an_end
from .ending import innermost, living

__all__ = ["Failures"]

KEPT = 100  # what fails beyond that, as in an endless row of inner runs, the loop is told at once


class Failures:
    """The failures in the clean-up of one run, and of the runs inside it, until somebody is told.

    At the end: nothing else is raised, then they are, a single one as it is, several as an
    ExceptionGroup. An exception is raised: it gets a note that names them. A cancellation is
    raised, or nobody waits: the loop's exception handler is told of each; or the run around, if
    that is what is being closed.
    """

    __slots__ = ("__weakref__", "_found", "_is_abandoned", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._found: list[tuple[Exception, str]] = []
        self._is_abandoned = False

    def __del__(self) -> None:
        self.report()

    def add(self, error: BaseException, where: str) -> None:
        """Take note of a failure; cancellations and the ends of the process are none."""
        if not issubclass(type(error), Exception) or any(
            error is other for other, _ in self._found
        ):
            return
        self._found.append((cast("Exception", error), where))
        if self._is_abandoned or len(self._found) > KEPT:
            self._tell(*self._found.pop())

    def abandon(self) -> None:
        """Tell the loop, now and later: nobody waits for the end."""
        self._is_abandoned = True
        self.report()

    def report(self) -> None:
        """Tell the loop of what was found so far."""
        found, self._found = self._found, []
        for error, where in found:
            self._tell(error, where)

    def outcome(self, error: BaseException | None) -> BaseException | None:
        """Return what is to be raised at the end: `error`, or what was found if there is none."""
        self._found = [found for found in self._found if found[0] is not error]
        if not self._found:
            return error
        if error is None:
            found, self._found = self._found, []
            errors = [failure for failure, _ in found]
            if len(errors) == 1:
                return not_an_end(errors[0])
            return ExceptionGroup("failures while a run was being closed", errors)
        if issubclass(type(error), Exception) and add_note(error, self._note()):
            self._found = []
        else:
            self._pass_on()
        return error

    # -- private

    def _pass_on(self) -> None:
        """Leave what was found to the run in which the current code is, if that is closing too."""
        around = living(innermost.get())
        failures: Failures | None = around.failures() if around and around.closed else None
        if failures is not None and failures is not self:
            found, self._found = self._found, []
            for error, where in found:
                failures.add(error, where)
        else:
            self.report()

    def _note(self) -> str:
        names = [f"{type(failure).__name__} {where}" for failure, where in self._found]
        listed = ", ".join(list(dict.fromkeys(names))[:3])
        more = f" ({len(names)} in all)" if len(names) > 1 else ""
        return f"while the run was being closed, there was raised as well: {listed}{more}"

    def _tell(self, error: Exception, where: str) -> None:
        message = f"a failure while a run was being closed, {where}, and nobody to raise it to"
        self._loop.call_exception_handler({"message": message, "exception": error})
