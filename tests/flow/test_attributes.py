"""Are the objects that each item passes fast to read? Those of few attributes are."""

import asyncio
import gc
from typing import Any

from conveyor_rx import single_task
from conveyor_rx._engine.calls.flat_map import FlatMap
from conveyor_rx._engine.line.entry import Entry
from conveyor_rx._engine.line.line import Line
from tests.kit import in_both_modes, same

FEW = 30
"""CPython's SHARED_KEYS_MAX_SIZE: an object with more attributes has a dict of its own."""


@single_task
async def suspends(item: int) -> int:
    await asyncio.sleep(0)
    return item


@in_both_modes
async def test_operators_have_few_attributes(mode: Any) -> None:
    """No operator of a run that is under way has more attributes than are fast to read."""
    async with (same | suspends).with_context(execution_mode=mode)(range(100)) as stream:
        await anext(stream)
        kinds = FlatMap, Line, Entry
        operators = [each for each in gc.get_objects() if issubclass(type(each), kinds)]
        assert len(operators) >= 4
        assert {type(each): len(vars(each)) for each in operators if len(vars(each)) > FEW} == {}
