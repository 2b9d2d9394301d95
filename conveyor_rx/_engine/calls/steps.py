"""What is a call of a plain generator function, while it goes on? The work for a place."""

from __future__ import annotations

from collections.abc import Generator
from contextvars import Context
from typing import Any

from ..place import DEAD, Place
from .caller import Caller, Stepping

__all__ = ["NOTHING", "Steps"]

NOTHING: Any = object()


class Steps:
    """One call. For the line it waits as a future does, and has a name as a task has."""

    __slots__ = (
        "context",
        "delivered",
        "generator",
        "is_at_work",
        "is_parked",
        "place",
        "stage",
        "stepping",
        "value",
    )

    def __init__(
        self,
        stepping: Stepping,
        stage: Caller,
        place: Place,
        generator: Generator[Any],
        context: Context,
    ) -> None:
        self.stepping = stepping
        self.stage = stage
        self.place = place
        self.generator = generator
        self.context = context
        self.value: Any = NOTHING  # that has no room yet
        self.delivered = False  # it has put out something
        self.is_at_work = False
        self.is_parked = False

    def get_name(self) -> str:
        return self.stage.name

    def done(self) -> bool:
        return self.place.state == DEAD

    def set_result(self, result: None, /) -> None:
        """Take note that there is room."""
        self.stepping.found_room(self.stage, self)

    def cancel(self) -> None:
        """Close the generator, unless it is at work further up the stack, and looks itself."""
        if not self.is_at_work:
            self.stepping.abandon(self.stage, self)
