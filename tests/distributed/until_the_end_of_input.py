"""How does a process end with the tests that have started it? It runs until its input ends.

    python -m tests.distributed.until_the_end_of_input module [option…]

The system closes the pipe whatever becomes of the tests, also if they are killed.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def end_with_the_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_input, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
