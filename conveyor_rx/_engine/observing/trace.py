"""Which value is it, and where does it come from? What `Inputs` are in a run that is observed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast, overload

from ..._inputs import Inputs

__all__ = ["Trace", "Traces", "trace_of"]


class Trace(Sequence[int]):
    """The numbers of the source's items that a value comes from, and its own number.

    It stands where a plain run has the number of one item, and goes the same ways.
    """

    __slots__ = ("call", "inputs", "items")

    def __init__(
        self, items: tuple[int, ...], inputs: tuple[int, ...], call: int | None = None
    ) -> None:
        self.items = items  # its number
        self.inputs = inputs
        self.call = call  # the number of the call that made it

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[int]:
        return iter(self.inputs)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        return self.inputs[index]


class Traces(list[Trace]):
    """Those of the values of a batch."""

    __slots__ = ("inputs", "items")

    call = None

    def __init__(self, inputs: Sequence[Inputs]) -> None:
        traces = cast("Sequence[Trace]", inputs)  # in a run that is observed
        super().__init__(traces)
        self.items = tuple([item for trace in traces for item in trace.items])
        self.inputs = tuple({number: None for trace in traces for number in trace.inputs})


def trace_of(inputs: Inputs) -> Trace | Traces:
    """Give what is known of a value, or of the values of a part of a batch."""
    if isinstance(inputs, Trace | Traces):
        return inputs
    if inputs is None:  # of a timer, for example
        return Trace((), ())
    return Trace((), (inputs,)) if isinstance(inputs, int) else Traces(inputs)
