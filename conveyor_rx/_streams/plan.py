"""What does a stream run its source through? Stages, and the settings of its runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .._engine.graph.chain import Chain
from .._engine.graph.sketch import Sketch
from ..context import ExecutionMode, PipelineContext

__all__ = ["Plan"]


class Plan(NamedTuple):
    """The stages and the context of one stream."""

    connects: tuple[Callable[[Chain | Sketch], None], ...]
    """What adds each stage to the chain of a run, or to a sketch of it."""
    names: tuple[str, ...]
    """The names of the stages that are counted."""
    context: PipelineContext

    def connect(self, chain: Chain | Sketch) -> None:
        """Add the stages to the chain of a run, or to a sketch of it."""
        for connect in self.connects:
            connect(chain)

    def with_mode(self, mode: ExecutionMode) -> Plan:
        """Return the plan in another execution mode."""
        return self._replace(context=self.context.replace(execution_mode=mode))
