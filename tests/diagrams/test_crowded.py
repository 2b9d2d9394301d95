"""What if there is more than a picture can hold? It shows a part, soon, and says so."""

from __future__ import annotations

import asyncio
from itertools import count
from time import process_time
from typing import Any
from xml.etree import ElementTree

import pytest
from reactivex import operators as ops

from conveyor_rx import single_task
from conveyor_rx.diagrams import MarbleDiagram, draw, record
from conveyor_rx.diagrams._colours import APART


async def work(number: int) -> int:
    await asyncio.sleep(0.05 + number * 7919 % 101 / 500)
    return number


def texts(diagram: MarbleDiagram) -> str:
    """Give all that is written in the picture."""
    return "\n".join(ElementTree.fromstring(diagram.svg()).itertext())


@pytest.mark.real_time("it is about how long drawing takes")
@pytest.mark.no_cover  # which makes it several times as slow
async def test_a_thousand_items_are_drawn_in_less_than_a_third_of_a_second() -> None:
    """In each form; the best of three, since other programs run as well."""
    with record() as recorder:
        await single_task(asyncio.sleep, concurrency_limit=64)([0.0] * 1000).collect()
    diagram = MarbleDiagram(recorder)
    forms: list[Any] = [diagram.svg, diagram.text, diagram.html, diagram._repr_mimebundle_]
    for form in forms:
        took: list[float] = []
        for _ in range(3):
            start = process_time()
            form()
            took.append(process_time() - start)
        assert min(took) < 0.3


async def test_of_many_items_each_so_manieth_is_a_marble_and_that_is_said() -> None:
    """The others are ticks; the legend explains them."""
    written = texts(await draw(single_task(work, concurrency_limit=64)(range(1000))))
    assert "1,000 items: every 50th is a marble with its arrows, the others are ticks" in written
    assert "a result each" in written
    assert "from the first input to the last" in written


async def test_calls_that_are_too_many_for_rows_are_an_area_with_their_number() -> None:
    """Not to be taken for what waits."""
    written = texts(await draw(single_task(work)(range(300))))
    assert "up to 300 calls at once" in written
    assert "how many calls are in flight" in written
    assert "items waiting" not in written


async def test_what_is_pulled_ahead_thins_nothing_out() -> None:
    """Of an endless source a thousand items wait: those that come to a call are drawn in full."""
    with record() as recorder:
        async with single_task(work, concurrency_limit=2)(count()) as stream:
            async for number in stream:
                if number == 7:
                    break
    diagram = MarbleDiagram(recorder)
    assert recorder.run.pulled > 1000
    assert "every" not in texts(diagram)
    assert all(f'"{colour}"' in diagram.svg() for colour in APART[:8])


async def test_a_name_that_is_a_little_long_is_written_smaller() -> None:
    """One that is too long for that is cut; the pointer shows it whole."""
    name = "a_function_with_a_name_as_long_as_this_one"
    chain = single_task(work, task_name=name) | ops.buffer_with_count(2)
    lines = texts(await draw(chain(range(4)))).split("\n")
    assert lines.count("ops.buffer_with_count") == 2  # the heading and the box
    assert any(line.startswith("a_function") and line.endswith("…") for line in lines)
    assert name in lines


@pytest.mark.parametrize("wide", ["m" * 40, "日本語の名前が続く"])
async def test_a_wide_marble_alone_is_no_pile(wide: str) -> None:
    """Nothing says that it was at one instant with others."""
    with record(labels=lambda _: wide) as recorder:
        await single_task(work)([1]).collect()
    assert "at one instant" not in texts(MarbleDiagram(recorder))
