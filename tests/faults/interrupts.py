"""What becomes of a process that gets Ctrl-C at a random moment, once or twice?

The second one comes at a random moment while the process cleans up and waits. It is raised where
the process then is. Among the callbacks by which asyncio cancels its tasks it can make asyncio
itself lose one of them, so that a program in plain asyncio hangs, too, or tells of tasks that are
pending: no such moments are tried.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.interrupted import PROGRAMS

__all__ = ["interrupt"]

ROOT = Path(__file__).parents[2]
PATIENCE = 2.0  # seconds from the last signal to the end
CLEAN_UP = 10.0  # seconds that the second signal cuts short
SETTLED = 0.1  # seconds after which all that can be cancelled has been
COMPLAINTS = ("never retrieved", "pending", "never awaited", "ignored", "ResourceWarning")
ONCE = tuple(PROGRAMS)
TWICE = tuple(name for name in PROGRAMS if name != "busy")  # which has nothing to clean up


def interrupt(number: int) -> float:
    """Run a program and interrupt it; return how many seconds it then took to end.

    `number` says which program, when and how often: odd ones are interrupted twice.
    """
    is_twice = number % 2 == 1
    names = TWICE if is_twice else ONCE
    name = names[number // 2 % len(names)]
    try:
        return _interrupt(name, random.Random(number), is_twice=is_twice)
    except AssertionError as error:
        error.add_note(f"interrupt({number}): {name}, {'twice' if is_twice else 'once'}")
        raise


def _interrupt(name: str, chance: random.Random, *, is_twice: bool) -> float:
    command = [sys.executable, "-X", "dev", "-m", "tests.faults.interrupted", name]
    environment = os.environ | {"CLEAN_UP": str(CLEAN_UP if is_twice else 0)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            _interrupt_at(process, "ready", chance.uniform(0, 0.1))
            if is_twice:
                _interrupt_at(process, "cleaning", SETTLED + chance.uniform(0, 0.2))
            begun = time.perf_counter()
            try:
                _, stderr = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"still running {PATIENCE} s after the signal") from None
            seconds = time.perf_counter() - begun
        finally:
            process.kill()
    assert not [text for text in COMPLAINTS if text in stderr], stderr
    assert stderr.rstrip().endswith("KeyboardInterrupt"), stderr
    assert process.returncode == -signal.SIGINT, process.returncode
    return seconds


def _interrupt_at(process: subprocess.Popen[str], word: str, delay: float) -> None:
    assert process.stdout is not None
    said = process.stdout.readline()
    if said or word == "ready":  # else there was no call to cancel, and it has ended
        assert said == f"{word}\n", said
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
