"""How many calls of a task run at once? In words, for its `repr`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .._text.at_once import calls_at_once
from ..context import PipelineContext
from .plain_limits import one_at_a_time

if TYPE_CHECKING:
    from .._limits.shared import SharedLimit
    from ..workers import Workers

__all__ = ["at_once"]


def at_once(
    function: Callable[..., Any],
    limit: int | None,
    workers: Workers[Any] | None,
    shared: Sequence[SharedLimit],
) -> str:
    """Say it for a task of `function`; `shared` are the limits that others may use as well."""
    usual = PipelineContext()
    bounds = usual.max_parallelism, usual.max_in_flight
    if workers is None:
        text = calls_at_once(1 if one_at_a_time(function) else limit, *bounds)
    else:
        limit = workers.at_once(limit)
        text = f"{calls_at_once(limit, *bounds)} in {workers.title}"
        if limit is None:
            text = f"as many calls at once as {workers.title} makes"
    return ", ".join([text, *(f"{type(each).__name__} of {each.title}" for each in shared)])
