"""How do the tests run on event loops of another kind?

    pytest --loops eager      asyncio's eager task factory, on each loop (Python 3.12 and newer)
    pytest --loops debug      asyncio's debug mode, on each loop
    pytest --loops uvloop     uvloop where time is real; virtual time has its own loop

What is then skipped, and why, is in `EXCEPTIONS`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from conveyor_rx.testing import VirtualLoop

__all__ = ["LOOPS", "loops_of"]

LOOPS = ("eager", "debug", "uvloop")
Loop = asyncio.AbstractEventLoop
EXCEPTIONS = {
    ("eager", "test_cancelled_before_the_first_step"): "there is no moment before it",
    ("uvloop", "test_a_block_in_a_real_loop_sees_each_leak"): "uvloop hides its async generators",
}


def _make_eager(loop: Loop) -> None:
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]


def _make_debug(loop: Loop) -> None:
    loop.set_debug(True)


@contextmanager
def loops_of(kind: str) -> Iterator[None]:
    """Make the loops that are made in the block, real and virtual ones, of another kind."""
    with pytest.MonkeyPatch.context() as patch:
        if kind == "uvloop":
            uvloop: Any = pytest.importorskip("uvloop")
            patch.setattr(asyncio.events, "new_event_loop", uvloop.new_event_loop)
        else:
            if kind == "eager" and sys.version_info < (3, 12):
                pytest.skip("there is no eager task factory before Python 3.12")
            prepare = {"eager": _make_eager, "debug": _make_debug}[kind]
            _prepare_virtual(patch, prepare)
            _prepare_real(patch, prepare)
        yield


def _prepare_virtual(patch: pytest.MonkeyPatch, prepare: Callable[[Loop], None]) -> None:
    init = VirtualLoop.__init__

    def prepared(self: VirtualLoop, **options: Any) -> None:
        init(self, **options)
        prepare(self)

    patch.setattr(VirtualLoop, "__init__", prepared)


def _prepare_real(patch: pytest.MonkeyPatch, prepare: Callable[[Loop], None]) -> None:
    make = asyncio.events.new_event_loop

    def prepared() -> Loop:
        loop = make()
        prepare(loop)
        return loop

    patch.setattr(asyncio.events, "new_event_loop", prepared)  # what asyncio.Runner calls


# -- the option


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--loops", choices=LOOPS, help="run the tests on event loops of another kind")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kind = config.getoption("--loops")
    for item in items:
        reason = EXCEPTIONS.get((kind, item.name.partition("[")[0]))
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """pytest-asyncio makes its loops here."""
    with _loops_for(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _loops_for(item):
        return (yield)


@contextmanager
def _loops_for(item: pytest.Item) -> Iterator[None]:
    kind = item.config.getoption("--loops")
    if kind is None:
        yield
        return
    with loops_of(kind):
        yield
