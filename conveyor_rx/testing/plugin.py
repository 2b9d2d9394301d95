"""How does pytest run `async def` tests in virtual time?

Load it in the top `conftest.py`:

    pytest_plugins = ["conveyor_rx.testing.plugin"]

Every `async def test_…` then runs on a `VirtualLoop` and must leave nothing behind. Two markers and
one option change that:

- `@pytest.mark.real_time("why")`: on a real event loop, with the same check.
- `@pytest.mark.virtual_time(seed=…, max_steps=…, on_step=…)`: the options of `run`.
- `pytest --loop-seed=7`: shuffle the ready callbacks of all virtual loops.

`@given` of hypothesis goes on the `async def` itself. Async fixtures are none of its business.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from .._annotations import signature_of
from ._leaks import assert_clean
from ._run import run

__all__ = ["pytest_addoption", "pytest_configure", "pytest_pyfunc_call"]

AsyncTest = Callable[..., Coroutine[Any, Any, object]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--loop-seed`."""
    parser.addoption(
        "--loop-seed",
        type=int,
        default=None,
        help="shuffle the ready callbacks of virtual loops with this seed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line(
        "markers", "real_time(reason): run this async test on a real event loop, and say why"
    )
    config.addinivalue_line(
        "markers", "virtual_time(**options): options of conveyor_rx.testing.run for this async test"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test; leave any other to pytest."""
    # hypothesis keeps the function that @given decorates here, for plugins such as this one.
    hypothesis = getattr(pyfuncitem.obj, "hypothesis", None)
    inner = getattr(hypothesis, "inner_test", None)
    if hypothesis is not None and inspect.iscoroutinefunction(inner):
        hypothesis.inner_test = _synchronous(inner, pyfuncitem)
        return None
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = signature_of(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}
    _synchronous(pyfuncitem.obj, pyfuncitem)(**arguments)
    return True


def _synchronous(test: AsyncTest, item: pytest.Function) -> Callable[..., object]:
    """Return `test` as a function that runs it on the loop that its markers ask for."""
    real_time = item.get_closest_marker("real_time")
    virtual_time = item.get_closest_marker("virtual_time")
    options: dict[str, Any] = {"seed": item.config.getoption("--loop-seed")}
    if virtual_time is not None:
        options |= virtual_time.kwargs
    if real_time is not None and not (real_time.args or real_time.kwargs.get("reason")):
        raise pytest.UsageError(f"{item.nodeid}: real_time needs a reason")

    @functools.wraps(test)
    def call(*args: object, **kwargs: object) -> object:
        if real_time is not None:
            return _run_in_real_time(functools.partial(test, *args, **kwargs))
        return run(functools.partial(test, *args, **kwargs), **options)

    return call


def _run_in_real_time(test: AsyncTest) -> object:
    async def main() -> object:
        async with assert_clean():
            return await test()

    with assert_clean(), asyncio.Runner() as runner:
        return runner.run(main())
