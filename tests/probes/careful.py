"""What does a probe raise? The engine would detach it, and go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conveyor_rx.events import Event

__all__ = ["Careful"]


@dataclass
class Careful:
    """Passes events on, and keeps what is raised."""

    probe: Any
    raised: list[Exception] = field(default_factory=list[Exception])

    def __call__(self, event: Event) -> None:
        try:
            self.probe(event)
        except Exception as error:
            self.raised.append(error)
