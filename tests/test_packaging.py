"""What a user installs: the wheel's files and metadata, and the names it brings."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tarfile
import tomllib
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from poetry.core.masonry import api

import conveyor_rx
from tests.kit import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSION = PROJECT["version"]

PUBLIC = {
    "AdaptiveLimit",
    "AsyncStream",
    "BaseTask",
    "BatchTask",
    "ContextManager",
    "ErrorAction",
    "ErrorHandler",
    "ExecutionMode",
    "Failure",
    "Limit",
    "LoggingErrorHandler",
    "Pipeline",
    "PipelineContext",
    "RateLimit",
    "RetryConfig",
    "SingleTask",
    "Stage",
    "StageStats",
    "WorkerLostError",
    "Workers",
    "batch_task",
    "current_context",
    "get_current_context",
    "set_current_context",
    "single_task",
    "with_context",
}

HOMES = {
    "conveyor_rx.context": {
        "ContextManager",
        "ExecutionMode",
        "PipelineContext",
        "current_context",
        "get_current_context",
        "set_current_context",
        "with_context",
    },
    "conveyor_rx.decorators": {"batch_task", "single_task"},
    "conveyor_rx.error_handling": {
        "ErrorAction",
        "ErrorHandler",
        "LoggingErrorHandler",
        "RetryConfig",
    },
    "conveyor_rx.limits": {"AdaptiveLimit", "Limit", "RateLimit"},
    "conveyor_rx.pipeline": {"Pipeline", "Stage"},
    "conveyor_rx.stream": {"AsyncStream", "StageStats"},
    "conveyor_rx.tasks": {"BaseTask", "BatchTask", "SingleTask"},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = api.build_wheel(str(folder))
    return ZipFile(folder / name)


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    text = wheel.read(f"conveyor_rx-{VERSION}.dist-info/METADATA").decode()
    return Parser().parsestr(text)


def test_wheel_holds_the_package_its_types_and_the_license(wheel: ZipFile) -> None:
    """The wheel holds every module, `py.typed` and the license, and nothing beside them."""
    files = set(wheel.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "conveyor_rx").rglob("*")
        if path.suffix in (".py", ".pyi") or path.name == "py.typed"
    }
    assert "conveyor_rx/py.typed" in package
    assert {name for name in files if ".dist-info/" not in name} == package
    assert f"conveyor_rx-{VERSION}.dist-info/licenses/LICENSE" in files


def test_source_distribution_holds_what_the_readme_and_the_tests_need(tmp_path: Path) -> None:
    """The programs, notebooks and pictures that the README shows and the tests run are in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = api.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / name) as archive:
        files = {path.partition("/")[2] for path in archive.getnames()}
    wanted = [*ROOT.glob("*.md"), *ROOT.glob("examples/**/*.py"), *ROOT.glob("notebooks/*.*")]
    wanted += [*ROOT.glob("benchmarks/*.md"), *ROOT.glob("benchmarks/*.svg")]
    wanted += [*ROOT.glob("docs/**/*.md"), *ROOT.glob("docs/**/*.svg"), *ROOT.glob("docs/**/*.css")]
    wanted += [*ROOT.glob("docs/**/*.py"), *ROOT.glob("tests/**/*.py")]
    assert {path.relative_to(ROOT).as_posix() for path in wanted} <= files
    assert not [file for file in files if "__pycache__" in file]


def test_metadata_says_what_the_project_promises(metadata: Message) -> None:
    """One runtime dependency, MIT, Python 3.11 and up; the README is the description."""
    always = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert metadata["Name"] == "conveyor-rx"
    assert metadata["License-Expression"] == "MIT"
    assert always == ["reactivex (>=6.1,<7)"]
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<4.0"}
    assert metadata.get_all("Provides-Extra") == [
        "bench",
        "dask",
        "docs",
        "otel",
        "ray",
        "rich",
        "test",
    ]
    assert str(metadata.get_payload()).rstrip() == (ROOT / "README.md").read_text().rstrip()


def test_version_agrees(metadata: Message) -> None:
    """The wheel's version is the one of the package and on top of the change log."""
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    newest = next(line for line in lines if line.startswith("## [") and "Unreleased" not in line)
    assert metadata["Version"] == conveyor_rx.__version__ == VERSION
    assert newest.startswith(f"## [{VERSION}]")


def test_public_names() -> None:
    """The package offers the documented names and no other: a new one is added here on purpose."""
    assert sorted(conveyor_rx.__all__) == sorted(PUBLIC)
    assert all(hasattr(conveyor_rx, name) for name in PUBLIC)


@pytest.mark.parametrize("module", HOMES)
def test_submodule_paths(module: str) -> None:
    """Every public name can be imported from the submodule that documents it, too."""
    home = importlib.import_module(module)
    assert HOMES[module] <= set(home.__all__)
    for name in HOMES[module]:
        assert getattr(home, name) is getattr(conveyor_rx, name)


def test_every_module_can_be_imported_alone() -> None:
    """No module of the package needs another one to have been imported before."""
    modules = [found.name for found in pkgutil.walk_packages(conveyor_rx.__path__, "conveyor_rx.")]
    assert "conveyor_rx._engine.line.line" in modules
    for module in modules:
        importlib.import_module(module)


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("conveyor_rx.probes.progress", "rich", "rich"),
        ("conveyor_rx.probes.opentelemetry", "opentelemetry", "otel"),
    ],
)
def test_a_missing_extra_is_asked_for_by_what_can_be_installed(
    module: str, package: str, extra: str
) -> None:
    """The library isn't published: the message names what is, as the extra in pyproject.toml does.

    As it is where the package is missing: in a process of its own.
    """
    program = f"import sys; sys.modules[{package!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    (requirement,) = PROJECT["optional-dependencies"][extra]
    assert f"pip install '{requirement}'" in done.stderr


def test_no_text_has_the_library_installed_from_the_index() -> None:
    """Instructions work from a checkout: none names the library as if the index had it."""
    texts = [*ROOT.glob("*.md"), *ROOT.glob("conveyor_rx/**/*.py"), *ROOT.glob("notebooks/*.ipynb")]
    texts += [
        *ROOT.glob("examples/**/*.py"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("docs/**/*.md"),
    ]
    for path in texts:
        text = path.read_text()
        assert "conveyor-rx[" not in text, path
        assert "install conveyor" not in text, path
