"""How does pytest run `async def` tests in virtual time?

Load it in the top `conftest.py`:

    pytest_plugins = ["conveyor_rx.testing.plugin"]

Every `async def test_…` then runs on a `VirtualLoop` and must leave nothing behind. Two markers and
one option change that:

- `@pytest.mark.real_time("why")`: on a real event loop, with the same check.
- `@pytest.mark.virtual_time(seed=…, max_steps=…, on_step=…)`: the options of `run`.
- `pytest --loop-seed=7`: shuffle the ready callbacks of all virtual loops.

`@given` of hypothesis goes on the `async def` itself. Async fixtures are none of its business.

Beside other plugins for async tests it leaves alone what is theirs:

- pytest-asyncio: a test marked `asyncio`, and in its auto mode every test, runs there: in real
  time, with its fixtures and loop scopes. `real_time` on such a test adds the check. One marked
  `virtual_time` runs here all the same; its async fixtures are pytest-asyncio's, in real time.
- anyio: a test marked `anyio`, or with the fixture `anyio_backend`, runs there. `virtual_time` on
  it is refused.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from .._functions.annotations import signature_of
from ._leaks import assert_clean
from ._run import run

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_pyfunc_call",
    "pytest_report_header",
    "pytest_runtest_call",
]

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


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so where pytest-asyncio or anyio takes all async tests."""
    for plugin, but in (("asyncio", ", but for those marked virtual_time"), ("anyio", "")):
        if config.pluginmanager.hasplugin(plugin):
            option = f"{plugin}_mode"
            if (config.getoption(option, None) or config.getini(option)) == "auto":
                return f"conveyor_rx.testing: {option}=auto, so async tests run in real time{but}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Put the check around a `real_time` test that pytest-asyncio runs."""
    if not isinstance(item, pytest.Function):
        return (yield)
    if item.get_closest_marker("virtual_time") is not None and _is_anyio(item):
        raise pytest.UsageError(f"{item.nodeid}: anyio runs it, so virtual_time does nothing")
    if not _is_asyncio(item) or not _is_real_time(item):
        return (yield)
    hypothesis = getattr(item.obj, "hypothesis", None)
    owner, name = (item, "obj") if hypothesis is None else (hypothesis, "inner_test")
    test = getattr(owner, name)
    if not inspect.iscoroutinefunction(test):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, _checked(test))
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test, unless another plugin does; leave any other to pytest."""
    if _is_anothers(pyfuncitem):
        return None
    # hypothesis keeps the function that @given decorates here, for plugins such as this one.
    hypothesis = getattr(pyfuncitem.obj, "hypothesis", None)
    test: Any = pyfuncitem.obj if hypothesis is None else hypothesis.inner_test
    if _is_asyncio(pyfuncitem):  # and it has wrapped the test by now
        test = getattr(test, "__wrapped__", None)
    if not inspect.iscoroutinefunction(test):
        return None
    if hypothesis is not None:
        hypothesis.inner_test = _synchronous(test, pyfuncitem)
        return None
    names = signature_of(test).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}
    _synchronous(test, pyfuncitem)(**arguments)
    return True


def _is_asyncio(item: pytest.Item) -> bool:
    """Tell whether the test is pytest-asyncio's, which marks all of them in its auto mode."""
    return item.get_closest_marker("asyncio") is not None


def _is_real_time(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("real_time")
    if marker is not None and not (marker.args or marker.kwargs.get("reason")):
        raise pytest.UsageError(f"{item.nodeid}: real_time needs a reason")
    return marker is not None


def _is_anyio(item: pytest.Function) -> bool:
    return item.get_closest_marker("anyio") is not None or "anyio_backend" in item.fixturenames


def _is_anothers(item: pytest.Function) -> bool:
    is_virtual = item.get_closest_marker("virtual_time") is not None and not _is_real_time(item)
    return _is_anyio(item) or (_is_asyncio(item) and not is_virtual)


def _synchronous(test: AsyncTest, item: pytest.Function) -> Callable[..., object]:
    """Return `test` as a function that runs it on the loop that its markers ask for."""
    real_time = _is_real_time(item)
    virtual_time = item.get_closest_marker("virtual_time")
    options: dict[str, Any] = {"seed": item.config.getoption("--loop-seed")}
    if virtual_time is not None:
        options |= virtual_time.kwargs

    @functools.wraps(test)
    def call(*args: object, **kwargs: object) -> object:
        if not real_time:
            return run(functools.partial(test, *args, **kwargs), **options)
        with assert_clean(), asyncio.Runner() as runner:
            return runner.run(_checked(test)(*args, **kwargs))

    return call


def _checked(test: AsyncTest) -> AsyncTest:
    @functools.wraps(test)
    async def checked(*args: object, **kwargs: object) -> object:
        async with assert_clean():
            return await test(*args, **kwargs)

    return checked
