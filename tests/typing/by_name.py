# pyright: strict, reportUnusedExpression=false
"""Side inputs by name: what checkers report, with mypy's deprecated enabled. Nothing is run."""

from __future__ import annotations

from conveyor_rx import AsyncStream, batch_task, single_task


@single_task
async def scale(x: int, factor: float) -> float:
    return x * factor


@single_task
def label(x: int, names: dict[int, str], *, default: str) -> str:
    return names.get(x, default)


@batch_task(max_size=2)
def named(items: list[int], names: list[str]) -> list[str]:
    return [names[item] for item in items]


class Index:
    @single_task
    def tagged(self, x: int, tag: str) -> str:
        return f"{tag}{x}"


async def later_factor() -> float:
    return 2.0


# -- values of the right types, or still to come

scale.with_inputs(factor=2)
scale.with_inputs(factor=2.5)
scale.with_inputs(factor=later_factor())
scale.with_inputs(factor=later_factor)
scale.with_inputs(factor=AsyncStream([2.5]))
label.with_inputs(names={1: "one"}, default="?")
named.with_inputs(names=["a"])
Index().tagged.with_inputs(tag="new")

# -- plain values of the wrong types, and wrong names

scale.with_inputs(factor="2")  # error: str for float
scale.with_inputs(factor=None)  # error: None for float
scale.with_inputs(faktor=2.0)  # error: no such side input
label.with_inputs(names={1: "one"})  # error: lacks default
label.with_inputs(names={1: "one"}, default=3)  # error: int for str
label.with_inputs(names=["one"], default="?")  # error: list for dict
named.with_inputs(names="a")  # error: str for list[str]
Index().tagged.with_inputs(tag=1)  # error: int for str
