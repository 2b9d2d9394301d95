"""What does a stream read? Its data, and the stages or the Rx operators that they go through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from reactivex import Observable

from .plan import Plan

__all__ = ["Origin"]

SHOWN = 8  # stages that a repr names


class Origin:
    """The data of a stream and its plan; of a derived one `behind` says how it was derived."""

    def __init__(self, source: Any, plan: Plan | None = None) -> None:
        self.source: Any = source
        self.plan = plan
        self.behind: tuple[Any, Callable[..., Any]] | None = None  # a stream, and operators

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to run here, only another Observable to pass on."""
        return self.plan is None and isinstance(self.source, Observable)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the stages that are counted."""
        return self.plan.names if self.plan is not None else ()

    @property
    def is_iterator(self) -> bool:
        """Whether the data can be read only once."""
        kind = cast("type[Any]", type(self.source))
        return hasattr(kind, "__next__") or hasattr(kind, "__anext__")

    def __str__(self) -> str:
        """Say what is read, and through which stages; contents of items never appear."""
        from .._text.labels import label

        kind = label(type(self.source).__name__)
        if self.plan is None:
            return kind
        shown = [label(name) for name in self.names[:SHOWN]] + ["…"] * (len(self.names) > SHOWN)
        return f"{kind} | {' | '.join(shown)}" if shown else kind
