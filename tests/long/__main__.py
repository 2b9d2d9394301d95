"""What is run once before a release, because it takes hours? One command for all of it.

    python -m tests.long random [--examples 200000] [--chunk 1000] [--seed 1]
        random pipelines against the sequential model; failing seeds are printed
    python -m tests.long endurance [--items 10000000]
        items through three stages: resident memory at 10 % and at 100 % of them
    python -m tests.long interrupts [--runs 200]
        Ctrl-C at random moments, once and twice
    python -m tests.long cancel [--seeds 20]
        reference pipelines cancelled at every step, for each seed
    python -m tests.long closing [--programs 20000]
        random programs in which runs close each other from everywhere
    python -m tests.long threads [--pushed 100000]
        8 threads that push so many items each into one Observable
    python -m tests.long mutation [--sample 200] [--seed 1]
        the tests against mutants of the engine; needs `pip install cosmic-ray`
    python -m tests.long all

`--workers` is how many processes may work at once where that is possible (all processors by
default). The exit status is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable

__all__ = ["RUNS", "main"]


# What each run needs is imported where it starts: `endurance` measures memory, and the others need
# packages that it does not.


def _random(options: argparse.Namespace) -> bool:
    from tests.long.chunks import run_chunks

    return run_chunks(options.examples, options.chunk, options.seed, options.workers, _say)


def _endurance(options: argparse.Namespace) -> bool:
    from tests.long.endurance import MOST_GROWTH_MB, measure

    figures = measure(options.items)
    _say(figures.report())
    return figures.growth_mb <= MOST_GROWTH_MB


def _interrupts(options: argparse.Namespace) -> bool:
    from tests.long import faults

    return _told(faults.interrupts(options.runs))


def _cancel(options: argparse.Namespace) -> bool:
    from tests.long import faults

    return _told(faults.cancel_everywhere(options.seeds))


def _closing(options: argparse.Namespace) -> bool:
    from tests.random_pipelines.closing import run_programs

    for kind, times in sorted(run_programs(range(options.programs)).items()):
        _say(f"{times:8} {kind}")
    return True


def _threads(options: argparse.Namespace) -> bool:
    from tests.long import faults

    return _told(faults.threads(options.pushed))


def _mutation(options: argparse.Namespace) -> bool:
    from tests.long.mutation import run_sample

    return run_sample(options.sample, options.seed, options.workers, _say)


RUNS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "endurance": _endurance,  # first, in a process that has done nothing else
    "random": _random,
    "interrupts": _interrupts,
    "cancel": _cancel,
    "closing": _closing,
    "threads": _threads,
    "mutation": _mutation,
}


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for, tell what came of it, and return the exit status."""
    options = _options(arguments)
    names = list(RUNS) if options.what == "all" else [options.what]
    failed: list[str] = []
    for name in names:
        _say(f"=== {name}")
        begun = time.perf_counter()
        try:
            is_good = RUNS[name](options)
        except Exception:
            _say(traceback.format_exc())
            is_good = False
        if not is_good:
            failed.append(name)
        _say(
            f"=== {name}: {'passed' if is_good else 'FAILED'}, {time.perf_counter() - begun:.1f} s"
        )
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.long",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=[*RUNS, "all"])
    parser.add_argument("--examples", type=int, default=200_000, help="of random")
    parser.add_argument("--chunk", type=int, default=1000, help="examples of one seed, of random")
    parser.add_argument("--seed", type=int, default=1, help="the first one of random; of mutation")
    parser.add_argument("--items", type=int, default=10_000_000, help="of endurance")
    parser.add_argument("--runs", type=int, default=200, help="of interrupts")
    parser.add_argument("--seeds", type=int, default=20, help="of cancel")
    parser.add_argument("--programs", type=int, default=20_000, help="of closing")
    parser.add_argument("--pushed", type=int, default=100_000, help="items a thread, of threads")
    parser.add_argument("--sample", type=int, default=200, help="mutants, of mutation")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


def _told(outcome: object) -> bool:
    """Say what a run has returned, if anything: those that find something raise."""
    if outcome is not None:
        _say(str(outcome))
    return outcome is not False


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the report is the point


if __name__ == "__main__":
    sys.exit(main())
