"""The pytest plugin: which loop a test runs on, and what makes it fail."""

import pytest

HEAD = """
import asyncio, pytest
from conveyor_rx.testing import VirtualLoop
"""


def outcomes(pytester: pytest.Pytester, test: str, *options: str) -> dict[str, int]:
    pytester.makepyfile(HEAD + test)
    result = pytester.runpytest(
        "-pconveyor_rx.testing.plugin",
        "--strict-markers",
        "-oasyncio_default_fixture_loop_scope=function",
        *options,
    )
    return result.parseoutcomes()


def test_an_async_test_runs_in_virtual_time(pytester: pytest.Pytester) -> None:
    """With its fixtures and parameters, beside tests that are none of its business."""
    test = """
@pytest.fixture
def number():
    return 1000

@pytest.mark.parametrize("factor", [1, 2])
async def test_async(number, factor):
    await asyncio.sleep(number * factor)
    assert asyncio.get_running_loop().time() == number * factor

class TestMethod:
    async def test_method(self):
        assert isinstance(asyncio.get_running_loop(), VirtualLoop)

def test_sync(number):
    assert number == 1000
"""
    assert outcomes(pytester, test) == {"passed": 4}


def test_a_leak_or_deadlock_fails_the_test(pytester: pytest.Pytester) -> None:
    """The clean check is on."""
    test = """
async def test_task():
    asyncio.create_task(asyncio.sleep(1))

async def test_deadlock():
    await asyncio.Event().wait()
"""
    assert outcomes(pytester, test) == {"failed": 2}


def test_real_time_needs_a_reason(pytester: pytest.Pytester) -> None:
    """A test on a real loop says why; the clean check stays on."""
    test = """
@pytest.mark.real_time("needs a real loop")
async def test_real():
    assert not isinstance(asyncio.get_running_loop(), VirtualLoop)

@pytest.mark.real_time("leaks")
async def test_leak():
    asyncio.create_task(asyncio.sleep(1))

@pytest.mark.real_time
async def test_no_reason():
    pass
"""
    assert outcomes(pytester, test) == {"passed": 1, "failed": 2}


def test_options_of_the_loop(pytester: pytest.Pytester) -> None:
    """The marker's options reach `run`; `--loop-seed` is for tests that set no seed."""
    test = """
@pytest.mark.virtual_time(seed=3, max_steps=100)
async def test_marked():
    assert asyncio.get_running_loop().seed == 3

async def test_unmarked():
    assert asyncio.get_running_loop().seed == 7

@pytest.mark.virtual_time(max_steps=10)
async def test_limit():
    for _ in range(100):
        await asyncio.sleep(1)
"""
    assert outcomes(pytester, test, "--loop-seed=7") == {"passed": 2, "failed": 1}


def test_hypothesis(pytester: pytest.Pytester) -> None:
    """`@given` on an async test: each example is a run of its own."""
    pytest.importorskip("hypothesis")
    test = """
from hypothesis import given, settings, strategies as st

@settings(max_examples=5, database=None)
@given(st.floats(0, 1000))
async def test_given(seconds):
    assert asyncio.get_running_loop().time() == 0.0
    await asyncio.sleep(seconds)

@settings(max_examples=20, database=None)
@given(st.integers(0, 9))
async def test_fails(number):
    assert number < 5
"""
    assert outcomes(pytester, test) == {"passed": 1, "failed": 1}
