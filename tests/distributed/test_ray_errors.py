"""Which exceptions do calls of `RayExecutor` raise? The function's own, as far as they travel."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from conveyor_rx.distributed import RayExecutor

from . import work

pytestmark = pytest.mark.real_time("actors are processes")


def test_exceptions_are_what_the_function_has_raised(shared: RayExecutor) -> None:
    """X: `result` raises the exception itself, with its notes; its cause is the traceback there."""
    error = ValueError("bad", 7)
    error.add_note("a note")
    future = shared.submit(work.fail, error)
    with pytest.raises(ValueError, match="bad") as caught:
        future.result()
    assert type(caught.value) is ValueError
    assert caught.value.args == ("bad", 7)
    assert caught.value.__notes__ == ["a note"]
    assert "in fail" in str(caught.value.__cause__)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_exceptions_that_end_programs(shared: RayExecutor, kind: type[BaseException]) -> None:
    """X: as from a process of concurrent.futures, they go to the caller and end no actor."""
    process = shared.submit(work.process_id).result()
    assert type(shared.submit(work.fail_by, kind.__name__).exception()) is kind
    assert shared.submit(work.process_id).result() == process


def test_an_exception_that_takes_no_attributes(shared: RayExecutor) -> None:
    """X: nor can it refuse its cause."""
    error = shared.submit(work.fail_by, "FrozenError").exception()
    assert type(error) is work.FrozenError
    assert "in fail_by" in str(error.__cause__)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OddError", "can't be pickled .*OddError: odd"),
        ("LockedError", "can't be pickled .*LockedError: locked"),
        ("OnlyInError", "can't be unpickled: .*not to be read here"),
    ],
)
def test_exceptions_that_do_not_travel(shared: RayExecutor, name: str, text: str) -> None:
    """X2: a RuntimeError says what was raised, and why it isn't that."""
    process = shared.submit(work.process_id).result()
    with pytest.raises(RuntimeError, match=text) as caught:
        shared.submit(work.fail_by, name).result()
    assert "in fail_by" in str(caught.value.__cause__)
    assert shared.submit(work.process_id).result() == process


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        ((work.double, work.NoPickle()), TypeError, "double or an argument can't be sent.*travel"),
        ((work.double, threading.Lock()), TypeError, "double or an argument .*cannot pickle"),
        ((threading.Lock().acquire,), TypeError, "acquire or an argument can't be sent"),
        ((work.double, work.NoUnpickle()), RuntimeError, "double or an arg.* can't be unpickled"),
        ((work.no_pickle,), TypeError, "result of no_pickle can't be sent.*travel"),
        ((work.no_unpickle,), RuntimeError, "result of no_unpickle can't be unpickled"),
        ((work.only_here,), RuntimeError, "result of only_here can't be unpickled.*not to be"),
    ],
    ids=lambda each: getattr(each[0], "__name__", "") if isinstance(each, tuple) else None,
)
def test_what_does_not_travel(
    shared: RayExecutor, call: tuple[Any, ...], kind: type[Exception], text: str
) -> None:
    """X2: the error names the function and the reason; the actor goes on."""
    process = shared.submit(work.process_id).result()
    with pytest.raises(kind, match=text) as caught:
        shared.submit(*call).result()
    assert type(caught.value) is kind
    assert shared.submit(work.process_id).result() == process
