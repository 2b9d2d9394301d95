"""How are calls made if there is a time limit for all attempts at one? Each attempt in its task."""

from __future__ import annotations

from ..place import Place
from .attempts import Attempts
from .attempts_in_tasks import begin, begins, go_on
from .caller import Caller, Launch

__all__ = ["InAttempts"]


class InAttempts(Launch):
    """The calls of one function of any kind, the slow way from the first attempt on."""

    __slots__ = ()

    def start(self, stage: Caller, place: Place) -> None:
        begin(stage, place, _call(stage, place))


async def _call(stage: Caller, place: Place) -> None:
    attempts = Attempts(stage, place)
    try:
        if not begins(stage, place):
            return
        await go_on(stage, place, attempts)
    except BaseException as error:
        stage.run.break_off(error)
        return
    attempts.raise_end()
