"""How does a test run a coroutine in virtual time?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ._leaks import CleanCheck
from ._loop import DEFAULT_MAX_STEPS, StepHook, VirtualLoop

__all__ = ["run"]

T = TypeVar("T")


def run(
    main: Awaitable[T] | Callable[[], Awaitable[T]],
    *,
    seed: int | None = None,
    max_steps: int | None = DEFAULT_MAX_STEPS,
    on_step: StepHook | None = None,
    check: bool = True,
    patience: float = 5.0,
) -> T:
    """Run `main` on a `VirtualLoop` and return what it returns.

    `main` is a coroutine, another awaitable, or a function without arguments that gives one. The
    options are those of `VirtualLoop`; an exception of a run with a seed gets a note that names it.
    With `check` the run must leave nothing behind, as `assert_clean` says. `on_step` is called as
    long as `main` runs.

        >>> async def nap() -> float:
        ...     await asyncio.sleep(1000)
        ...     return asyncio.get_running_loop().time()
        >>> run(nap)
        1000.0

    Raises:
        LeakError: something is left behind.
        Deadlock: everything is blocked.
        StepLimitError: the run took more than `max_steps` steps.
    """

    def make_loop() -> VirtualLoop:
        return VirtualLoop(seed=seed, max_steps=max_steps, on_step=on_step, patience=patience)

    try:
        if not check:
            with asyncio.Runner(loop_factory=make_loop) as runner:
                return runner.run(_wait_for(main))
        with CleanCheck() as clean, asyncio.Runner(loop_factory=make_loop) as runner:
            loop = runner.get_loop()
            assert isinstance(loop, VirtualLoop)
            clean.listen(loop)
            try:
                result = runner.run(_wait_for(main))
            finally:
                loop.on_step = None
            runner.run(clean.look())
        return result
    except BaseException as error:
        if seed is not None:
            error.add_note(f"virtual loop: seed={seed}")
        raise


async def _wait_for(main: Awaitable[T] | Callable[[], Awaitable[T]]) -> T:
    return await (main() if callable(main) else main)
