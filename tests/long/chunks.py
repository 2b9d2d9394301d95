"""How are very many random pipelines run? In chunks, each with a seed of its own, over processes.

A seed that fails can be replayed: a chunk is the same examples each time, with the same Python and
Hypothesis. `python -m tests.long random` is the command.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded

from tests.random_pipelines.check import check
from tests.random_pipelines.plans import Plan, plans
from tests.random_pipelines.scenarios import LEAST, Tally

__all__ = ["Chunk", "run_chunk", "run_chunks"]

ENOUGH = 5000  # examples, for shares to be judged by
CHUNKS_OF_A_PROCESS = 20


@dataclass(frozen=True)
class Chunk:
    """What came of the examples of one seed."""

    seed: int
    tally: Tally  # of the examples that went well
    failure: str | None  # how the smallest failing example fails


def run_chunk(seed: int, examples: int) -> Chunk:
    """Run `examples` random pipelines drawn with `seed`; a failing one is made smaller."""
    tally = Tally()

    @seeded(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(plans())
    def some(plan: Plan) -> None:
        tally.add(check(plan))

    try:
        some()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:
        return Chunk(seed, tally, traceback.format_exc())
    return Chunk(seed, tally, None)


def run_chunks(
    examples: int, chunk: int, first_seed: int, workers: int, say: Callable[[str], None]
) -> bool:
    """Run `examples` in chunks, tell what happens, and return whether all went well."""
    total = Tally()
    failed: list[int] = []
    sizes = [min(chunk, examples - done) for done in range(0, examples, chunk)]
    for number, outcome in enumerate(_outcomes(sizes, first_seed, workers), start=1):
        total.examples += outcome.tally.examples
        total.counts.update(outcome.tally.counts)
        if outcome.failure is not None:
            failed.append(outcome.seed)
            say(f"{outcome.failure}\nseed {outcome.seed} fails; to replay it:")
            size = sizes[outcome.seed - first_seed]
            replay = f"random --seed {outcome.seed} --examples {size} --chunk {size}"
            say(f"    python -m tests.long {replay}")
        if number % 10 == 0 or number == len(sizes):
            say(f"{number} of {len(sizes)} chunks, {total.examples} examples, {len(failed)} failed")
    if total.examples:
        say(total.report())
    rare = total.rare() if total.examples >= ENOUGH else []
    if rare:
        say(f"under {LEAST:.0%} of the examples: {rare}")
    say(f"failing seeds: {sorted(failed) or 'none'}")
    return not failed and not rare


def _outcomes(sizes: list[int], first_seed: int, workers: int) -> Iterator[Chunk]:
    # A fresh interpreter each, as if the chunk had been run alone; a new one now and then, for it
    # grows. (Not by `max_tasks_per_child`: the executor can wait for ever for the next process.)
    fresh = multiprocessing.get_context("spawn")
    at_once = CHUNKS_OF_A_PROCESS * workers
    for begin in range(0, len(sizes), at_once):
        with ProcessPoolExecutor(workers, fresh) as pool:
            chunks = [
                pool.submit(run_chunk, first_seed + number, sizes[number])
                for number in range(begin, min(begin + at_once, len(sizes)))
            ]
            try:
                for future in as_completed(chunks):
                    yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
