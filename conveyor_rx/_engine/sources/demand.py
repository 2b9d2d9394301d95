"""What paces a stream that is read inside of an Observable? How much of it waits in the run."""

from __future__ import annotations

import weakref
from contextvars import ContextVar

from ..run import Run
from ..turns.trampoline import Gate

__all__ = ["Demand", "demand"]


class Demand:
    """How many arrivals from an Observable wait in a run: the gate of AsyncStreams inside of it.

    So back-pressure reaches through Rx operators, which know none.
    """

    limit = 16

    def __init__(self) -> None:
        self._inner: weakref.WeakSet[_InnerGate] = weakref.WeakSet()
        self.size = 0

    def gate_for(self, run: Run) -> Gate:
        """Give the gate that paces `run`."""
        gate = _InnerGate(self, run)
        self._inner.add(gate)
        return gate

    def resize(self, size: int) -> None:
        """Note how many arrivals wait."""
        opened = size < self.limit <= self.size
        self.size = size
        if opened:
            for gate in list(self._inner):
                gate.opened()


class _InnerGate:
    limit = Demand.limit

    def __init__(self, demand: Demand, run: Run) -> None:
        self._demand = demand
        self._run = run
        self.upstream_bit = 0

    @property
    def size(self) -> int:
        return self._demand.size

    def opened(self) -> None:
        self._run.ready |= self.upstream_bit
        self._run.drain_within()


demand: ContextVar[Demand | None] = ContextVar("conveyor_rx_demand", default=None)
"""Set while a run subscribes to an Observable: what an AsyncStream inside of it is paced by."""
