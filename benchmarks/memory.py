"""How much memory does this process use? In KB, as the system counts it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["peak", "resident"]

STATUS = Path("/proc/self/status")


def peak() -> float:
    """Return the most that was resident at any time."""
    return _from_status("VmHWM:") or _from_rusage()


def resident() -> float:
    """Return what is resident now; where the system doesn't say, the most that was."""
    return _from_status("VmRSS:") or _from_rusage()


def _from_status(key: str) -> float | None:
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith(key):
                return float(line.split()[1])
    return None


def _from_rusage() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform == "darwin" else float(most)
