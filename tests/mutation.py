"""Would the tests notice a small change of the engine? A sample of mutants, made by cosmic-ray.

    pip install cosmic-ray
    python -m tests.mutation --sample 200 --seed 1 --workers 2

Each mutant lives in a copy of the tree. It is killed when a test fails, hangs or fills the memory;
the files that kill most for their time are run first, and the rest of the suite has a go at what
survives those. Before, all of it must pass without a change. `mutation_mutants.py` says which
mutants there are. A survivor takes about three minutes, most others some seconds.
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

from tests.mutation_mutants import Mutant, positions, sample

__all__ = ["Tree", "Verdict", "main", "run_sample"]

ROOT = Path(__file__).parent.parent
LEAST = 0.85  # of the mutants are to be killed
MUTATED = ("conveyor_rx/operators/**/*.py", "conveyor_rx/stream*.py")
FIRST = """
    test_random_pipelines.py test_events.py test_values.py test_batches.py test_sources.py
    test_retries.py test_rx.py test_own_tasks.py test_counters.py test_garbage.py test_lifetime.py
    test_order.py test_errors.py test_endurance_parked.py test_side_inputs.py test_cancellation.py
""".split()
LAST = ["test_flow.py", "conformance/test_conformance.py"]  # they take the longest
# They look at the tools and at the types, or check with other means what is checked anyway.
NOT_RUN = """
    test_benchmarks.py test_packaging.py test_docstrings.py test_readme.py test_examples.py
    test_endurance.py test_long_runs.py test_mutation.py test_scenarios.py
    typing broken_engines
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

    def try_(self, mutant: Mutant, tests: Sequence[str]) -> Verdict:
        """Run `tests` with `mutant` until one fails."""
        begun = time.monotonic()
        path = self._root / mutant.position.path
        path.write_text(mutant.text, encoding="utf-8")
        try:
            killer = self.first_failure(tests)
        finally:
            path.write_text(mutant.original, encoding="utf-8")
        return Verdict(mutant, killer, time.monotonic() - begun)

    def first_failure(self, tests: Sequence[str]) -> str | None:
        """Run `tests` until one fails; return its name, `TIME_OUT` or `IMPORT`. None: all pass.

        A RuntimeError if they end badly in another way, which tells nothing about the mutant.
        """
        # Options meant for the pytest that may be running this are not for its child: with `--cov`
        # among them, coverage's `fail_under` would end each child with a failure.
        outside = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        running = self._root / "running"
        running.write_text("", encoding="utf-8")
        environment = outside | {
            "CI": "1",  # the same random pipelines each time
            "RUNNING_TEST": str(running),
            "CONVEYOR_RX_EXAMPLES": "300",
            # A file that changes twice in a second would seem not to have.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        options = "-x -q --tb=no -p no:cacheprovider -p tests.mutation_plugin".split()
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *(f"tests/{name}" for name in tests)],
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
    if re.search(r"^(Error while loading plugin|ImportError while load)", output, re.MULTILINE):
        return IMPORT
    raise RuntimeError(f"The tests have ended badly, and none has failed:\n{output[-4000:]}")


def all_tests() -> list[str]:
    """List the test files, those first that kill most for their time."""
    folder = ROOT / "tests"
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("test_*.py"))
    rest = [name for name in found if name not in (*FIRST, *LAST) and not _is_left_out(name)]
    return [*FIRST, *rest, *LAST]


def _is_left_out(name: str) -> bool:
    return name in NOT_RUN or name.split("/")[0] in NOT_RUN


def run_sample(count: int, seed: int, workers: int, say: Callable[[str], None]) -> bool:
    """Try `count` mutants drawn with `seed`; return whether enough of them were killed."""
    files = sorted({path.relative_to(ROOT) for each in MUTATED for path in ROOT.glob(each)})
    population = positions(ROOT, files)
    mutants = sample(ROOT, population, count, seed)
    tests = all_tests()
    say(f"{len(mutants)} mutants of {len(files)} files ({len(population)} changes), seed {seed}")
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        trees = [Tree(Path(folder) / str(number)) for number in range(workers)]
        failure = trees[0].first_failure(tests)
        if failure is not None:
            say(f"nothing can be learnt from tests that fail without a mutant: {failure}")
            return False
        say("without a mutant all tests pass")
        begun = time.monotonic()
        verdicts: list[Verdict] = []
        for verdict in _verdicts(mutants, trees, tests):
            verdicts.append(verdict)
            say(f"{len(verdicts):4} {verdict}")
    return _conclude(verdicts, time.monotonic() - begun, say)


def _verdicts(
    mutants: Sequence[Mutant], trees: Sequence[Tree], tests: Sequence[str]
) -> Iterator[Verdict]:
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def judge(mutant: Mutant) -> Verdict:
        tree = free.get()
        try:
            return tree.try_(mutant, tests)
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
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--sample", type=int, default=200, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    good = run_sample(options.sample, options.seed, options.workers, _say)
    return 0 if good else 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the report is the point


if __name__ == "__main__":
    sys.exit(main())
