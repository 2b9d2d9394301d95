"""Loops where there is no pair of sockets, as in a browser; here that is only made to look so."""

import asyncio
import socket
from typing import NoReturn

import pytest

from conveyor_rx import single_task
from conveyor_rx.testing import Deadlock, VirtualLoop, _self_pipe, run
from conveyor_rx.testing._self_pipe import SelectorLoop


@pytest.fixture(autouse=True)
def no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> NoReturn:
        raise OSError("no sockets here")

    monkeypatch.setattr(_self_pipe, "HAS_OUTSIDE", False)
    monkeypatch.setattr(socket, "socketpair", refuse)


def test_virtual_time() -> None:
    """The clock jumps, and a deadlock is told."""

    @single_task
    async def wait(seconds: int) -> int:
        await asyncio.sleep(seconds)
        return seconds

    async def main() -> float:
        assert await wait([2000, 1000]).collect() == [2000, 1000]
        return asyncio.get_running_loop().time()

    assert run(main) == 2000.0
    with pytest.raises(Deadlock):
        run(lambda: asyncio.Event().wait())


@pytest.mark.parametrize("kind", [VirtualLoop, SelectorLoop])
def test_a_loop_is_woken_and_closed_as_any_other(kind: type[SelectorLoop]) -> None:
    """call_soon_threadsafe works from the loop's own thread; it may be closed twice."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        loop.call_soon_threadsafe(woken.set_result, "woken")
        await asyncio.sleep(0.01)
        return await woken

    with asyncio.Runner(loop_factory=kind) as runner:
        assert runner.run(main()) == "woken"
        loop = runner.get_loop()
    assert loop.is_closed()
    loop.close()
