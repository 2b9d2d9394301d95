"""What becomes of a process that gets Ctrl-C at a random moment, once or twice?"""

from __future__ import annotations

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
COMPLAINTS = ("never retrieved", "pending", "never awaited")


def interrupt(number: int) -> float:
    """Run a program and interrupt it; return how many seconds it then took to end.

    `number` says which program, when and how often: odd ones are interrupted twice.
    """
    chance = random.Random(number)
    names = list(PROGRAMS)
    name, is_twice = names[number // 2 % len(names)], number % 2 == 1
    try:
        return _interrupt(name, chance.uniform(0, 0.1), chance.uniform(0, 0.01), is_twice=is_twice)
    except AssertionError as error:
        error.add_note(f"interrupt({number}): {name}, {'twice' if is_twice else 'once'}")
        raise


def _interrupt(name: str, first: float, second: float, *, is_twice: bool) -> float:
    command = [sys.executable, "-X", "dev", "-m", "tests.faults.interrupted", name]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(first)
            process.send_signal(signal.SIGINT)
            if is_twice:
                time.sleep(second)
                process.send_signal(signal.SIGINT)  # to nobody, if it has ended
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
    if not is_twice:
        assert "ignored" not in stderr, stderr
        assert "ResourceWarning" not in stderr, stderr
    return seconds
