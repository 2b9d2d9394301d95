"""How many items went where? The numbers of each stage of a run, and a table of them."""

from __future__ import annotations

from typing import Any, NamedTuple, SupportsIndex, cast, overload

from ._text.columns import columns, fill
from ._text.labels import label

__all__ = ["StageStats", "Stats"]


class StageStats(NamedTuple):
    """What one stage has done so far; all numbers are items, for a batch task too.

    `in_ == completed + failed + skipped + dropped + cancelled + running + waiting` at any time, and
    at the end of a run nothing runs or waits.
    """

    stage: str
    in_: int = 0
    """Items that came in."""
    out: int = 0
    """Outputs that the stage gave; a list or generator gives many for one item, a batch one."""
    completed: int = 0
    """Items whose call succeeded."""
    failed: int = 0
    """Items whose call failed the run."""
    retried: int = 0
    """Attempts that were followed by another."""
    timed_out: int = 0
    """Attempts that were ended by `timeout` or `total_timeout`, and failed with TimeoutError."""
    skipped: int = 0
    """Items given up by `skip_item` or `skip_batch`."""
    dead_lettered: int = 0
    """How many of these a function for dead letters has accepted."""
    dropped: int = 0
    """Items whose call gave None, and the rest of a batch below `min_size`."""
    dropped_outputs: int = 0
    """Nones in lists and generators."""
    cancelled: int = 0
    """Items let go when the run ended early."""
    running: int = 0
    """Items whose calls go on."""
    waiting: int = 0
    """Items that wait; the numbers from here on say for what, and it is their sum."""
    waiting_for_slot: int = 0
    """For a free slot, of the stage or of all."""
    waiting_for_batch: int = 0
    """For their batch to be cut."""
    waiting_for_key: int = 0
    """For the end of a call with an equal key."""
    waiting_for_rate: int = 0
    """For a `RateLimit`, at a first attempt or a later one."""
    waiting_for_retry: int = 0
    """For the instant of their next attempt, without a slot."""
    waiting_for_room: int = 0
    """For room in the window, in the middle of their outputs."""
    waiting_for_worker: int = 0
    """For a worker of their executor, as far as it is known who has begun."""

    def as_dict(self) -> dict[str, str | int]:
        """Return the numbers by name; `in_` is called `in`."""
        return {name.rstrip("_"): value for name, value in self._asdict().items()}


class Stats(tuple[StageStats, ...]):
    """What each stage of a run has done, in their order; shown as a table.

    `stats[0]` is that of the first stage, `stats["fetch"]` that of the stage of this name.
    """

    __slots__ = ()

    @overload
    def __getitem__(self, key: str | SupportsIndex) -> StageStats: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[StageStats, ...]: ...
    def __getitem__(self, key: Any) -> Any:
        """Return the numbers of one stage.

        Raises:
            KeyError: no stage has this name, or several have.
        """
        if not isinstance(key, str):
            return cast("Any", super()).__getitem__(key)
        found = [stats for stats in self if stats.stage == key]
        if len(found) != 1:
            names = ", ".join(repr(label(stats.stage)) for stats in self)
            what = "several stages have" if found else "no stage has"
            raise KeyError(f"{what} the name {key!r}; the stages are {names or 'none'}")
        return found[0]

    def __repr__(self) -> str:
        """Draw a table: a line a stage, and a column for each number that is not 0 everywhere."""
        shown = [
            name
            for name in StageStats._fields[1:]
            if name in ("in_", "out") or any(getattr(stats, name) for stats in self)
        ]
        head = ["stage", *(name.rstrip("_").replace("_", " ") for name in shown)]
        rows = [[label(s.stage), *(str(getattr(s, name)) for name in shown)] for s in self]
        widths = [max(map(columns, column)) for column in zip(head, *rows, strict=True)]
        return "\n".join(
            "  ".join(
                [
                    fill(first, widths[0]),
                    *(each.rjust(w) for each, w in zip(rest, widths[1:], strict=True)),
                ]
            )
            for first, *rest in (head, *rows)
        )
