"""The pytest plugin beside pytest-asyncio and anyio: whose test is it, and on which loop?"""

from __future__ import annotations

import asyncio

import pytest

from conveyor_rx.testing import VirtualLoop

HEAD = """
import asyncio, time
import anyio, pytest, pytest_asyncio
from conveyor_rx import single_task
from conveyor_rx.testing import VirtualLoop, assert_clean

def is_virtual():
    return isinstance(asyncio.get_running_loop(), VirtualLoop)

@single_task
async def double(item):
    await asyncio.sleep(0.001)
    return item * 2
"""


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(HEAD + test)
    return pytester.runpytest(
        "-pconveyor_rx.testing.plugin",
        "--strict-markers",
        "-Werror",
        "-oasyncio_default_fixture_loop_scope=function",
        *options,
    )


STRICT = """
async def test_unmarked():
    assert is_virtual()
    await asyncio.sleep(3000)

@pytest.mark.asyncio
async def test_marked():
    assert not is_virtual()
    assert await double([1, 2]).collect() == [2, 4]

@pytest_asyncio.fixture
async def loop_of_the_fixture():
    yield asyncio.get_running_loop()

@pytest.mark.asyncio
async def test_fixture(loop_of_the_fixture):
    assert asyncio.get_running_loop() is loop_of_the_fixture

async def test_fixture_of_a_virtual_test(loop_of_the_fixture):
    assert is_virtual() and not isinstance(loop_of_the_fixture, VirtualLoop)
    await asyncio.sleep(3000)

@pytest.mark.asyncio
class TestClass:
    async def test_method(self):
        assert not is_virtual()

    @pytest.mark.virtual_time
    async def test_virtual_method(self, loop_of_the_fixture):
        assert is_virtual()
        await asyncio.sleep(3000)
"""

AUTO = """
async def test_unmarked():
    assert not is_virtual()
    start = time.perf_counter()
    await asyncio.sleep(0.05)
    assert time.perf_counter() - start > 0.04
    assert await double([1, 2]).collect() == [2, 4]

@pytest.fixture
async def loop_of_the_fixture():
    return asyncio.get_running_loop()

async def test_fixture(loop_of_the_fixture):
    assert asyncio.get_running_loop() is loop_of_the_fixture

@pytest.mark.virtual_time
async def test_virtual(loop_of_the_fixture):
    assert is_virtual()
    await asyncio.sleep(3000)

@pytest.mark.virtual_time(seed=3)
@pytest.mark.parametrize("number", [1, 2])
async def test_options(number):
    assert asyncio.get_running_loop().seed == 3

@pytest.mark.virtual_time
async def test_that_leaks():
    asyncio.create_task(asyncio.sleep(1))
"""

SCOPES = """
loops = set()

@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def background():
    task = asyncio.create_task(asyncio.sleep(1000))
    yield task
    task.cancel()

@pytest.mark.parametrize("number", range(3))
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.real_time("its fixture lives as long as the module")
async def test_one_loop_for_the_module(background, number):
    loops.add(asyncio.get_running_loop())
    assert not background.done()
    assert await double([1, 2]).collect() == [2, 4]

@pytest.mark.asyncio(loop_scope="module")
async def test_it_was_one():
    assert loops == {asyncio.get_running_loop()}

@pytest.mark.asyncio
async def test_another_one():
    assert asyncio.get_running_loop() not in loops

async def test_virtual():
    assert is_virtual()
"""

REAL_TIME = """
@pytest.mark.asyncio
@pytest.mark.real_time("on pytest-asyncio, with the check")
async def test_clean():
    assert not is_virtual()
    async with double(range(9)) as stream:
        assert await anext(stream) == 0

@pytest.mark.asyncio
@pytest.mark.real_time("on pytest-asyncio, with the check")
async def test_that_leaks():
    asyncio.create_task(asyncio.sleep(1))

@pytest.mark.asyncio
@pytest.mark.real_time
async def test_without_a_reason():
    pass

@pytest.mark.asyncio
async def test_without_the_check():
    asyncio.create_task(asyncio.sleep(1))
"""

ANYIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
async def anyios_loop(anyio_backend):
    return asyncio.get_running_loop()

@pytest.mark.anyio
async def test_marked(anyios_loop):
    assert asyncio.get_running_loop() is anyios_loop
    assert not is_virtual()
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.001)
    assert await double([1, 2]).collect() == [2, 4]

async def test_backend(anyio_backend):
    assert not is_virtual()

async def test_unmarked():
    assert is_virtual()

async def test_its_scopes_in_virtual_time():
    with anyio.move_on_after(5):
        await anyio.sleep(3000)
    assert asyncio.get_running_loop().time() == 5.0

@pytest.mark.virtual_time
async def test_refused(anyio_backend):
    pass
"""

HYPOTHESIS = """
from hypothesis import given, settings, strategies as st

@pytest.mark.asyncio
@settings(max_examples=3, database=None)
@given(st.integers(0, 9))
async def test_marked(number):
    assert not is_virtual()
    assert await double([number]).collect() == [number * 2]

@pytest.mark.asyncio
@pytest.mark.real_time("with the check")
@settings(max_examples=3, database=None)
@given(st.integers(0, 9))
async def test_that_leaks(number):
    asyncio.create_task(asyncio.sleep(1))

@pytest.mark.asyncio
@pytest.mark.virtual_time
@settings(max_examples=3, database=None)
@given(st.integers(0, 9))
async def test_virtual(number):
    assert is_virtual()
    await asyncio.sleep(3000)
"""


@pytest.mark.parametrize(
    ("test", "options", "outcomes"),
    [
        pytest.param(STRICT, ["--asyncio-mode=strict"], {"passed": 6}, id="strict"),
        pytest.param(AUTO, ["--asyncio-mode=auto"], {"passed": 5, "failed": 1}, id="auto"),
        pytest.param(SCOPES, [], {"passed": 6}, id="loop scopes"),
        pytest.param(REAL_TIME, [], {"passed": 2, "failed": 2}, id="real time"),
        pytest.param(ANYIO, [], {"passed": 4, "failed": 1}, id="anyio"),
        pytest.param(HYPOTHESIS, [], {"passed": 2, "failed": 1}, id="hypothesis"),
    ],
)
def test_each_test_runs_where_its_markers_say(
    pytester: pytest.Pytester, test: str, options: list[str], outcomes: dict[str, int]
) -> None:
    """What is marked for another plugin is that one's; pytest-asyncio may give way."""
    assert run(pytester, test, *options).parseoutcomes() == outcomes


@pytest.mark.parametrize("mode", ["asyncio", "anyio"])
def test_an_auto_mode_is_told_of(pytester: pytest.Pytester, mode: str) -> None:
    """In it no test runs in virtual time of itself, and the head of the report says so."""
    test = "async def test_sleep():\n    assert not is_virtual()\n"
    result = run(pytester, test, f"--{mode}-mode=auto", "-k", "asyncio or not trio")
    result.stdout.fnmatch_lines([f"*{mode}_mode=auto, so async tests run in real time*"])
    assert "failed" not in result.parseoutcomes()


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_order_of_the_plugins_does_not_matter(pytester: pytest.Pytester, order: str) -> None:
    """Loaded by `-p` before the others, or by the conftest behind them."""
    pytester.makepyfile(HEAD + STRICT)
    if order == "after":
        pytester.makeconftest('pytest_plugins = ["conveyor_rx.testing.plugin"]')
    early = ["-pconveyor_rx.testing.plugin"] if order == "before" else []
    result = pytester.runpytest(*early, "-oasyncio_default_fixture_loop_scope=function")
    assert result.parseoutcomes() == {"passed": 6}


@pytest.mark.real_time("it is about which loop such a test runs on")
async def test_the_tests_in_real_time_run_on_pytest_asyncio(request: pytest.FixtureRequest) -> None:
    """Those of this suite do."""
    assert type(request.node).__module__ == "pytest_asyncio.plugin"
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)
