"""Would the tests notice a small change of the engine? A sample of mutants, made by cosmic-ray.

    pip install cosmic-ray
    python -m tests.long.mutation --sample 200 --seed 1 --workers 2

Each mutant lives in a copy of the tree. It is killed when a test fails, hangs or fills the memory.
Before, all of the suite must pass without a change; there it is noted which lines each test runs,
and a mutant is tried with the tests that run its lines: `mutation_lines.py` says which and in what
order, `mutation_mutants.py` which mutants there are.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.long.mutation_lines import Seen, choose, first_and_more, lines_to_run, load
from tests.long.mutation_mutants import Mutant, positions, sample

__all__ = ["Tree", "Verdict", "main", "run_sample"]

ROOT = Path(__file__).parents[2]
LEAST = 0.85  # of the mutants are to be killed
MUTATED = (
    "conveyor_rx/_engine/**/*.py",
    "conveyor_rx/_limits/*.py",
    "conveyor_rx/_streams/*.py",
    "conveyor_rx/_functions/timeouts.py",
    "conveyor_rx/stream*.py",
)
# They look at the tools and at the types, or check with other means what is checked anyway.
NOT_RUN = """
    test_benchmarks.py test_benchmarks_under_load.py test_packaging.py test_docstrings.py
    test_examples.py test_scenarios.py crawler docs long typing
""".split()
SECONDS = 1800.0  # for all tests of one mutant; a single test has its own limit
TIME_OUT, IMPORT = "time-out", "the import of the package"
FOREIGN = ("PYTEST_", "COV")  # variables of the environment: COVERAGE_FILE, COV_CORE_SOURCE…


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, and in how many seconds."""

    mutant: Mutant
    killer: str | None  # the test that failed, or None: it has survived
    seconds: float

    def __str__(self) -> str:
        fate = "SURVIVED" if self.killer is None else f"killed by {self.killer}"
        return f"{self.seconds:4.0f} s  {self.mutant}: {fate}"


class Tree:
    """A copy of the tree, to change one file in and run tests."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[str] | None = None
        ignore = shutil.ignore_patterns(".*", "__pycache__", "venv", "*.egg-info")
        shutil.copytree(ROOT, root, ignore=ignore)

    def try_(self, mutant: Mutant, tests: Sequence[str], more: Sequence[str] = ()) -> Verdict:
        """Run `tests` with `mutant`, and if it survives them `more`, until one fails."""
        begun = time.monotonic()
        path = self._root / mutant.position.path
        path.write_text(mutant.text, encoding="utf-8")
        try:
            killer = None
            for some in filter(None, (tests, more)):
                killer = killer or self.first_failure(some)
        finally:
            path.write_text(mutant.original, encoding="utf-8")
        return Verdict(mutant, killer, time.monotonic() - begun)

    def first_failure(self, tests: Sequence[str], record: Path | None = None) -> str | None:
        """Run `tests` (files, or names of tests) until one fails.

        Return its name, `TIME_OUT` or `IMPORT`; None if all pass. With `record` the lines that each
        of them runs are written there. A RuntimeError if they end badly in another way.
        """
        # Options meant for the pytest that may be running this are not for its child: with `--cov`
        # among them, coverage's `fail_under` would end each child with a failure.
        outside = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        running, chosen = self._root / "running", self._root / "chosen"
        running.write_text("", encoding="utf-8")
        chosen.write_text("\n".join(name for name in tests if "::" in name), encoding="utf-8")
        environment = outside | {
            "CI": "1",  # the same random pipelines each time
            "RUNNING_TEST": str(running),
            "CHOSEN_TESTS": str(chosen),
            "RECORD_LINES": f"{record or ''}",
            "CONVEYOR_RX_EXAMPLES": "300",
            # A file that changes twice in a second would seem not to have.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        options = "-x -q --tb=no -p no:cacheprovider -p tests.long.mutation_plugin".split()
        files = dict.fromkeys(name.partition("::")[0] for name in tests)
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *files],
            cwd=self._root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return TIME_OUT
        finally:
            self.kill()
        if process.returncode == 0:
            return None
        return _killer(output, running.read_text(encoding="utf-8"))

    def kill(self) -> None:
        """End the tests, and what they have started."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _killer(output: str, running: str) -> str:
    """Name the test that has failed, or that was `running` when pytest itself ended."""
    if "Timeout (" in output:
        return TIME_OUT
    if named := re.search(r"^(?:FAILED|ERROR) (tests/\S+)", output, re.MULTILINE):
        return named[1]
    if running:
        return running
    if re.search(
        r"^(Error while loading plugin .conveyor_rx|ImportError while load)", output, re.MULTILINE
    ):
        return IMPORT
    raise RuntimeError(f"The tests have ended badly, and none has failed:\n{output[-4000:]}")


def all_tests() -> list[str]:
    """List the files of tests that are run."""
    folder = ROOT / "tests"
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("test_*.py"))
    return [f"tests/{name}" for name in found if set(NOT_RUN).isdisjoint(name.split("/"))]


def mutated_files(patterns: Sequence[str] = MUTATED) -> list[Path]:
    """List the files that are changed, from the root of the tree."""
    return sorted({path.relative_to(ROOT) for each in patterns for path in ROOT.glob(each)})


def run_sample(
    count: int,
    seed: int,
    workers: int,
    say: Callable[[str], None],
    patterns: Sequence[str] = MUTATED,
) -> bool:
    """Try `count` mutants drawn with `seed`; return whether enough of them were killed."""
    files = mutated_files(patterns)
    population = positions(ROOT, files)
    mutants = sample(ROOT, population, count, seed)
    say(f"{len(mutants)} mutants of {len(files)} files ({len(population)} changes), seed {seed}")
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        trees = [Tree(Path(folder) / str(number)) for number in range(workers)]
        record = Path(folder) / "lines.json"
        failure = trees[0].first_failure(all_tests(), record)
        if failure is not None:
            say(f"nothing can be learnt from tests that fail without a mutant: {failure}")
            return False
        seen = load(record)
        say(f"without a mutant all {len(seen)} tests pass")
        begun = time.monotonic()
        verdicts: list[Verdict] = []
        for verdict in _verdicts(mutants, trees, seen):
            verdicts.append(verdict)
            say(f"{len(verdicts):4} {verdict}")
    return _conclude(verdicts, time.monotonic() - begun, say)


def _verdicts(
    mutants: Sequence[Mutant], trees: Sequence[Tree], seen: Sequence[Seen]
) -> Iterator[Verdict]:
    def tests_for(mutant: Mutant) -> tuple[list[str], list[str]]:
        lines = lines_to_run(mutant.original, mutant.position.line)
        return first_and_more(choose(seen, mutant.position.path.as_posix(), lines))

    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def judge(mutant: Mutant) -> Verdict:
        tree = free.get()
        try:
            return tree.try_(mutant, *tests_for(mutant))
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            for future in as_completed([pool.submit(judge, mutant) for mutant in mutants]):
                yield future.result()
        finally:  # Ctrl-C, for one
            pool.shutdown(wait=False, cancel_futures=True)
            for tree in trees:
                tree.kill()


def _conclude(verdicts: list[Verdict], seconds: float, say: Callable[[str], None]) -> bool:
    survivors = [verdict.mutant for verdict in verdicts if verdict.killer is None]
    timed_out = sum(verdict.killer == TIME_OUT for verdict in verdicts)
    for mutant in sorted(survivors, key=str):
        say(f"\nsurvived: {mutant}\n{mutant.diff}")
    killed = len(verdicts) - len(survivors)
    score = killed / len(verdicts)
    say(
        f"\n{killed} of {len(verdicts)} killed: {score:.1%}, {timed_out} of them by the time-out;"
        f" {seconds:.0f} s, {len(verdicts) / seconds:.3f} mutants/s"
    )
    return score >= LEAST


def main(arguments: list[str] | None = None) -> int:
    """Run a sample as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.long.mutation")
    parser.add_argument("--sample", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", nargs="+", default=MUTATED, help="which files, by patterns")
    options = parser.parse_args(arguments)
    good = run_sample(options.sample, options.seed, options.workers, _say, options.files)
    return 0 if good else 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the report is the point


if __name__ == "__main__":
    sys.exit(main())
