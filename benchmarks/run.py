"""Run the benchmarks from nothing: `python benchmarks/run.py [--quick] [--help]`.

Makes an environment with the peers in benchmarks/.venv, of the Python that runs this, and runs
`python -m benchmarks` there with the same options.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENT = HERE / ".venv"


def main() -> int:
    """Make the environment if there is none of this kind yet, and run."""
    python = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp = ENVIRONMENT / "made-for"
    wanted = sys.version + hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making {ENVIRONMENT}", flush=True)
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--editable", ".[bench]"], cwd=ROOT, check=True)
        stamp.write_text(wanted)
    return subprocess.run([python, "-m", "benchmarks", *sys.argv[1:]], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
