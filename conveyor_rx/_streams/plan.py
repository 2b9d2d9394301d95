"""What does a stream run its source through? Stages, and the settings of its runs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..context import ExecutionMode, PipelineContext

if TYPE_CHECKING:
    from .._engine.graph.chain import Chain
    from .._engine.graph.sketch import Sketch

__all__ = ["Plan"]


class Plan:
    """The stages and the context of one stream; nothing about it changes.

    It is made of `parts`. Each of `connects` adds a stage to the chain of a run, or to a sketch of
    it; `names` are those of the stages that are counted.
    """

    __slots__ = ("connects", "context", "names", "parts")

    def __init__(
        self,
        parts: tuple[object, ...],
        connects: tuple[Callable[[Chain | Sketch], None], ...],
        names: tuple[str, ...],
        context: PipelineContext,
    ) -> None:
        self.parts = parts
        self.connects = connects
        self.names = names
        self.context = context

    def connect(self, chain: Chain | Sketch) -> None:
        """Add the stages to the chain of a run, or to a sketch of it."""
        for connect in self.connects:
            connect(chain)

    def is_of(self, parts: Sequence[object]) -> bool:
        """Tell whether it was made of these very parts."""
        return len(parts) == len(self.parts) and all(map(operator.is_, parts, self.parts))

    def with_context(self, context: PipelineContext) -> Plan:
        """Return the plan with another context."""
        return Plan(self.parts, self.connects, self.names, context)

    def with_mode(self, mode: ExecutionMode) -> Plan:
        """Return the plan in another execution mode."""
        return self.with_context(self.context.replace(execution_mode=mode))
