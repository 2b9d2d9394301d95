"""Plain functions that are called in a loop, without places, do what they do one by one (F7, E1).

Each example is run three times: fused, not fused, and watched by a probe, which is not fused.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conveyor_rx import AsyncStream, Pipeline, single_task
from conveyor_rx._engine.calls import inline
from conveyor_rx._engine.calls.fused import FusedEntry
from conveyor_rx.events import observe
from conveyor_rx.testing import LeakError, run
from tests.errors.counted import balances

IS_CI = "CI" in os.environ
EXAMPLES = int(os.environ.get("CONVEYOR_RX_EXAMPLES", "2000" if IS_CI else "200"))
LEFT: ContextVar[Any] = ContextVar("LEFT", default=None)

USUAL = ("number", "number", "number", "text", "none")
UNUSUAL = (
    "list", "generator", "awaitable", "fails", "leaves", "puts back", "drains", "closes", "raises",
)  # fmt: skip
ACTS = st.sampled_from((*USUAL * 3, *UNUSUAL))


@dataclass(frozen=True)
class Row:
    """What the functions of a row do, by stage: with item n what stands at n, again and again."""

    acts: tuple[tuple[str, ...], ...]
    items: int
    source: str
    way: str
    ordered: bool
    on_error: str
    source_fails: bool
    window: int


ROWS = st.builds(
    Row,
    acts=st.lists(st.lists(ACTS, min_size=1, max_size=40).map(tuple), min_size=1, max_size=4).map(
        tuple
    ),
    items=st.integers(0, 60),
    source=st.sampled_from(("range", "list", "dict", "generator")),
    way=st.sampled_from(("collect", "collect", "iterate")),
    ordered=st.booleans(),
    on_error=st.sampled_from(("fail", "skip_item", "retry")),
    source_fails=st.booleans(),
    window=st.sampled_from((1, 2, 1024)),
)


@dataclass
class Seen:
    """What came of a run, and what its calls have seen."""

    calls: list[Any] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    end: Any = None
    stats: Any = None
    watermark: int = -1
    leaks: list[str] = field(default_factory=list)
    fused: int = 0  # items


def _said(error: BaseException) -> Any:
    """Say what an error is; a group is of what failed in a close, in any order."""
    if isinstance(error, BaseExceptionGroup):
        return sorted(map(repr, map(_said, error.exceptions)))
    return type(error), error.args, getattr(error, "__notes__", None)


async def _run(row: Row, seen: Seen) -> None:
    stream: AsyncStream[Any]

    def stage(number: int, acts: tuple[str, ...]) -> Any:
        attempted: set[Any] = set()

        def work(item: Any) -> Any:
            n = int(item)
            act = acts[n % len(acts)]
            assert all(map(balances, stream.stats)), stream.stats
            seen.calls.append(
                (number, item, act, loop.time(), LEFT.get(), stream.stats, stream.watermark)
            )
            if act == "fails" or (act == "raises" and n not in attempted):
                attempted.add(n)
                raise (ValueError if act == "fails" else StopIteration)(n)
            return give(act, n)

        options: dict[str, Any] = {"task_name": f"stage {number}"}
        if row.on_error == "retry":
            options |= {"retry_attempts": 2, "retry_delay": 1, "on_error": "skip_item"}
        else:
            options |= {"on_error": row.on_error}
        return single_task(**options)(work)

    def give(act: str, n: int) -> Any:
        if act == "leaves":
            LEFT.set(n)
        elif act == "puts back":
            LEFT.reset(LEFT.set(n))
        elif act == "drains":
            stream.drain()
        elif act == "closes":
            closing.append(asyncio.ensure_future(stream.aclose()))
            if n % 2:  # at once, not at the next turn of the loop
                stream._reading.reader.close()  # type: ignore[union-attr]
        return {
            "text": str(n),
            "none": None,
            "list": [n, None, n + 1],
            "generator": several(n) if act == "generator" else None,
            "awaitable": later(n) if act == "awaitable" else None,
        }.get(act, n)

    def several(n: int) -> Iterator[int]:
        seen.calls.append(("generates", n, LEFT.get()))
        yield n
        seen.calls.append(("goes on", n, stream.stats))
        yield n + 2

    async def later(n: int) -> int:
        await asyncio.sleep(1)
        return n

    def pulled() -> Iterator[int]:
        for n in range(row.items):
            seen.calls.append(("pulled", n, LEFT.get()))
            yield n
        if row.source_fails:
            raise RuntimeError("the source")

    loop = asyncio.get_running_loop()
    closing: list[asyncio.Future[None]] = []
    sources: dict[str, Any] = {
        "range": range(row.items),
        "list": list(range(row.items)),
        "dict": dict.fromkeys(range(row.items)).keys(),
        "generator": pulled(),
    }
    pipeline: Any = Pipeline().add(*(stage(n, acts) for n, acts in enumerate(row.acts)))
    pipeline = pipeline.with_context(
        max_in_flight=row.window,
        execution_mode="ordered" if row.ordered else "as_completed",
    )
    stream = pipeline(sources[row.source])
    try:
        if row.way == "collect":
            seen.results = await stream.collect()
        else:
            async for result in stream:
                seen.results.append((result, stream.watermark))
    except Exception as error:
        seen.end = _said(error)
    for error in await asyncio.gather(*closing, return_exceptions=True):
        if error is not None:
            seen.end = [seen.end, _said(error)]
    seen.stats, seen.watermark = stream.stats, stream.watermark


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Let the log say nothing of what is skipped: that is a lot."""
    logger = logging.getLogger("conveyor_rx")
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(logging.NOTSET)


def _seen(row: Row, how: str) -> Seen:
    seen = Seen()
    take = FusedEntry.take

    def counted(self: FusedEntry, items: Iterator[Any], source: Any, most: int) -> bool:
        before = source.given
        is_over = take(self, items, source, most)
        seen.fused += source.given - before
        return is_over

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline, "LOOKS", 1)
        patch.setattr(FusedEntry, "reads", how == "fused")
        patch.setattr(FusedEntry, "take", counted)
        with observe(lambda event: None) if how == "observed" else nullcontext():
            try:
                run(lambda: _run(row, seen), seed=1)
            except LeakError as leak:  # a failure that nobody hears of, after a close
                seen.leaks = sorted(str(leak).splitlines())
    return seen


@pytest.mark.no_cover
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=IS_CI,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(ROWS)
def test_fused_or_not_the_same_calls_are_made_at_the_same_instants(row: Row) -> None:
    """P1, E1, V1, V2, W1, W3: what calls see is the same, too: counters, watermark, context."""
    fused, single, observed = (_seen(row, how) for how in ("fused", "single", "observed"))
    assert not single.fused
    assert not observed.fused
    fused.fused = 0
    assert fused.calls == single.calls
    assert fused == single
    assert [call[:4] for call in fused.calls] == [call[:4] for call in observed.calls]
    assert (fused.results, fused.end, fused.stats, fused.leaks) == (
        observed.results,
        observed.end,
        observed.stats,
        observed.leaks,
    )


@pytest.mark.parametrize("source", ["range", "list", "dict", "generator"])
def test_most_items_of_a_plain_row_need_no_place(source: str) -> None:
    """They are called in a loop, but for the first ones, which are timed (F7)."""
    acts = (("number", "text", "none"), ("number",))
    row = Row(acts, 600, source, "collect", True, "fail", source_fails=False, window=1024)
    seen = _seen(row, "fused")
    assert seen.fused > 590
    assert len(seen.results) == 400


def test_a_function_that_becomes_slow_lets_the_loop_have_its_turn() -> None:
    """F7: at most 16 calls follow each other directly."""
    time = 0.0
    gaps: list[float] = []

    def work(item: int) -> int:
        nonlocal time
        time += 0.003 if item > 300 else 0
        return item

    async def main() -> None:
        asyncio.get_running_loop().work_clock = lambda: time  # type: ignore[attr-defined]
        reading = asyncio.ensure_future(
            (single_task(work) | single_task(work))(range(400)).collect()
        )
        while not reading.done():
            before = time
            await asyncio.sleep(0)
            gaps.append(time - before)
        assert len(await reading) == 400

    run(main)
    assert 0 < max(gaps) <= 16 * 0.003 + 0.005
