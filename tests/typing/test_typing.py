"""Do pyright and mypy, both strict, see the types that the public API promises?"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ACCEPTED = HERE / "accepted.py"
REJECTED = HERE / "rejected.py"
INFERRED = HERE / "inferred.py"
BY_NAME = HERE / "by_name.py"
Errors = dict[int, list[str]]  # the messages for each line


def run(*command: str) -> str:
    """Run a checker as a user does, and return what it prints."""
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # 0: no errors, 1: errors found; anything else is a checker that didn't do its work
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


@functools.cache
def pyright(file: Path, severity: str = "error") -> Errors:
    """Return pyright's errors; the file itself says `# pyright: strict`."""
    output = run("pyright", "--outputjson", "--pythonpath", sys.executable, str(file))
    report = json.loads(output[output.index("{") :])
    assert report["summary"]["filesAnalyzed"] == 1, output
    errors: Errors = {}
    for found in report["generalDiagnostics"]:
        if found["severity"] == severity:
            assert Path(found["file"]) == file, found
            line = found["range"]["start"]["line"] + 1
            errors.setdefault(line, []).append(found["message"])
    return errors


@functools.cache
def mypy(file: Path, severity: str = "error") -> Errors:
    """Return mypy's errors; those inside the package are pyright's to find."""
    options = ("--strict", "--follow-imports=silent", "--config-file=", "--show-absolute-path")
    if file == BY_NAME:  # `--strict` leaves it out
        options += ("--enable-error-code=deprecated",)
    output = run("mypy", *options, "--cache-dir", os.devnull, "--no-pretty", str(file))
    assert re.search(r"^(Found \d+ error|Success: )", output, re.MULTILINE), output
    errors: Errors = {}
    pattern = rf"^(.+?):(\d+): {severity}: (.*)$"
    for path, line, message in re.findall(pattern, output, re.MULTILINE):
        assert Path(path) == file, output
        errors.setdefault(int(line), []).append(message)
    return errors


checkers = pytest.mark.parametrize("errors_of", [pyright, mypy])


@checkers
def test_accepted(errors_of: Callable[[Path], Errors]) -> None:
    """Outputs, inputs, side inputs, methods, joints, sources and Rx have the types promised."""
    assert errors_of(ACCEPTED) == {}


@checkers
def test_rejected(errors_of: Callable[[Path], Errors]) -> None:
    """Joints, data, side inputs and options that don't fit are errors, each on its own line."""
    assert len(marked_in(REJECTED)) > 50
    check_marked(REJECTED, errors_of)


@checkers
def test_side_inputs_by_name(errors_of: Callable[[Path], Errors]) -> None:
    """Plain values by name that don't fit are reported; those still to come may be any."""
    assert len(marked_in(BY_NAME)) > 5
    check_marked(BY_NAME, errors_of)


def marked_in(file: Path) -> set[int]:
    """Give the numbers of the lines that say that they are wrong."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, start=1) if "  # error: " in line}


def check_marked(file: Path, errors_of: Callable[[Path], Errors]) -> None:
    """The errors of `file` are on the marked lines, and on each of them."""
    errors, marked = errors_of(file), marked_in(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert {lines[number - 1] for number in marked - errors.keys()} == set()
    assert {number: errors[number] for number in errors.keys() - marked} == {}


@pytest.mark.parametrize(
    ("errors_of", "severity"), [(pyright, "information"), (mypy, "note")], ids=["pyright", "mypy"]
)
def test_inferred(errors_of: Callable[..., Errors], severity: str) -> None:
    """Lambdas, generic functions, unions and partials: no error, and what is said of them is so."""
    assert errors_of(INFERRED) == {}
    text = INFERRED.read_text(encoding="utf-8")
    pattern = r"^reveal_type\(.*\)\n# to pyright: (?P<pyright>.*), to mypy: (?P<mypy>.*)$"
    said = {
        text.count("\n", 0, match.start()) + 1: match[errors_of.__name__]
        for match in re.finditer(pattern, text, re.MULTILINE)
    }
    assert len(said) == text.count("\nreveal_type(") > 20
    found = {
        number: re.sub(r"\bconveyor_rx\.\w+\.", "", message.rpartition(' is "')[2].rstrip('"'))
        for number, [message] in errors_of(INFERRED, severity).items()
    }
    assert found == said
