"""How do the notebooks get their outputs? `python notebooks/build.py [NAME…]` runs them.

Each is executed from a fresh kernel, on this checkout, and written back with its outputs. A run on
another machine or day gives the same file, as far as the notebook itself does: what only tells when
and where it was run is taken out.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

__all__ = ["execute", "main", "normalise"]

NOTEBOOKS = Path(__file__).resolve().parent
ROOT = NOTEBOOKS.parent
SECONDS_OF_A_CELL = 60
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(path: Path) -> Any:
    """Run the notebook at `path` and return it with outputs, normalised.

    Raises:
        CellExecutionError: a cell raised.
        CellTimeoutError: a cell took longer than a minute.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder, _environment(Path(folder)):
        from nbclient import NotebookClient  # reads the environment when it is imported

        client = NotebookClient(
            notebook,
            timeout=SECONDS_OF_A_CELL,
            kernel_name="python3",
            record_timing=False,
            # A kernel warns that what it says is not encrypted: it stays on this machine.
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    return normalise(notebook)


def normalise(notebook: Any) -> Any:
    """Take out of `notebook` what belongs to one run or machine alone, and return it."""
    processes: dict[str, str] = {}
    notebook.metadata.clear()
    notebook.metadata.update(METADATA)
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number:02}"
        cell.metadata = {"tags": tags} if (tags := cell.metadata.get("tags")) else {}
        if cell.cell_type == "code":
            cell.outputs = list(_joined(cell.outputs))
            for output in cell.outputs:
                output.pop("transient", None)
                if "metadata" in output:
                    output.metadata.clear()
                for place, value in output.items():
                    output[place] = _without_machine(value, processes)
    return notebook


def main(arguments: list[str] | None = None) -> int:
    """Build the notebooks that are named, all without a name."""
    import nbformat

    parser = argparse.ArgumentParser(description="Execute the notebooks, and keep the outputs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 01 or 01-first-pipeline")
    parser.add_argument("--into", type=Path, default=NOTEBOOKS, help="write to this folder instead")
    options = parser.parse_args(arguments)
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    for name in options.names:
        if not any(path.name.startswith(name) for path in paths):
            parser.error(f"no notebook is called {name}")
    for path in paths:
        if not options.names or any(path.name.startswith(name) for name in options.names):
            notebook = execute(path)
            nbformat.validate(notebook)
            nbformat.write(notebook, options.into / path.name)
            print(path.name)
    return 0


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """Let the kernel find this checkout, and nothing that the user has set up for Jupyter."""
    before = dict(os.environ)
    search = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), search] if search else [str(ROOT)])
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"  # else jupyter_core warns of its own future
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        os.environ[name] = str(folder / name.lower())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _joined(outputs: list[Any]) -> Iterator[Any]:
    """Join what was printed in a row: how it was cut in pieces depends on the moment."""
    last = None
    for output in outputs:
        if last is not None and output.get("name") == last.get("name") == "stdout":
            last.text += output.text
        else:
            last = output
            yield output


def _without_machine(value: Any, processes: dict[str, str]) -> Any:
    """Write paths as they stand in the checkout, and object addresses as 0x…, at any depth.

    The numbers of processes are written as 101, 102 and so on.
    """

    def process(found: re.Match[str]) -> str:
        return f"process {processes.setdefault(found[1], str(101 + len(processes)))}"

    def image(found: re.Match[str]) -> str:
        picture = b64decode(found[2]).decode()
        return found[1] + b64encode(_without_machine(picture, processes).encode()).decode()

    if isinstance(value, str):
        value = re.sub(r"\b0x[0-9a-f]{6,}", "0x…", value.replace(f"{ROOT}{os.sep}", ""))
        value = re.sub(r"\bprocess (\d+)\b", process, value)
        return re.sub(r"(data:image/svg\+xml;base64,)([\w+/=]+)", image, value)
    if isinstance(value, list):
        return [_without_machine(part, processes) for part in value]
    if isinstance(value, dict):
        for key, part in value.items():
            value[key] = _without_machine(part, processes)
    return value


if __name__ == "__main__":
    sys.exit(main())
