"""Which items of the source may count as settled in a random pipeline? The model, with lineage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.random_pipelines.plans import Plan, Spec, _halves, model

__all__ = ["Settled", "lineage"]

Value = tuple[int, frozenset[int]]  # and which items of the source it comes from


def lineage(plan: Plan) -> tuple[list[Value], int]:
    """Do as `model`; give the results with what they come from, and the first item that is lost."""
    values: list[Value] = [(n, frozenset({n})) for n in range(plan.items)]
    lost, has_failed = {plan.items}, False
    for spec in plan.stages:
        given: list[Value] = []
        size = spec.max_size if spec.is_batch else 1
        rest = len(values) % size
        if rest and (rest < spec.min_size or has_failed):
            if has_failed:
                lost.update(*(inputs for _, inputs in values[-rest:]))
            values = values[:-rest]
        for start in range(0, len(values), size):
            unit = values[start : start + size]
            bad = [n for n, _ in unit if spec.fails(n) and not spec.transient]
            if bad and spec.on_error == "fail":
                has_failed = True
                lost.update(*(inputs for _, inputs in values[start:]))
                break
            if bad and spec.on_error == "skip_item":
                numbers = iter(unit)
                for good in _halves([n for n, _ in unit], bad):
                    given += _outputs(spec, _next_of(good, numbers))
            elif not bad:
                given += _outputs(spec, unit)
        values = given
    return values, min(lost)


def _next_of(good: list[int], values: Iterator[Value]) -> list[Value]:
    """Give the next of `values` that are `good`: halves keep their order."""
    return [next(value for value in values if value[0] == n) for n in good]


def _outputs(spec: Spec, unit: list[Value]) -> list[Value]:
    if spec.kind == "list batch":
        return [(spec.of_batch([n])[0], inputs) for n, inputs in unit]
    whence = frozenset[int]().union(*(inputs for _, inputs in unit))
    numbers = [n for n, _ in unit]
    outputs = spec.of_batch(numbers) if spec.is_batch else spec.outputs(numbers[0])
    return [(n, whence) for n in outputs]


class Settled:
    """Watches the watermark of one run: it never falls, and all below it is settled."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._last = 0
        is_cut_short = plan.drained is not None and any(spec.is_batch for spec in plan.stages)
        # (A drain cuts other batches; `test_drained.py` looks at those.)
        self._is_known = not is_cut_short and not any(spec.is_measured for spec in plan.stages)
        if not self._is_known:  # of batches by weight and key, the lineage is not told here
            self._results, self._lost = list[Value](), plan.items
            return
        self._results, self._lost = lineage(plan)
        assert plan.ordered is False or [n for n, _ in self._results] == model(plan)[0]
        if not plan.ordered:
            self._results, _ = lineage(plan.without_failures())
        # As completed, it is chance which items are in a batch.
        self._is_known = plan.ordered or not any(spec.is_batch for spec in plan.stages)

    def look(self, mark: int, handled: list[int]) -> None:
        """Check it, while the consumer is done with the results in `handled`."""
        assert self._last <= mark <= self._plan.items, f"{mark}, after {self._last}"
        self._last = mark
        if not self._is_known:
            return
        assert mark <= self._lost, f"{mark}, though {self._lost} is lost"
        needed = [n for n, inputs in self._results if min(inputs) < mark]
        if self._plan.ordered:
            assert len(needed) <= len(handled), f"{mark}, when {len(handled)} were dealt with"
        else:
            assert Counter(needed) <= Counter(handled), f"{mark}, when {handled} were dealt with"

    def look_at_end(self, mark: int, end: str | None) -> None:
        """Check that it says no less than is so, now that all results have been dealt with."""
        is_opaque = not all(spec.is_task for spec in self._plan.stages)
        if end is None:
            assert mark == self._plan.items
        elif self._plan.way == "collect":
            assert mark == 0
        elif not is_opaque and self._is_known and (end == "source" or self._plan.ordered):
            assert mark == (self._plan.items if end == "source" else self._lost)
