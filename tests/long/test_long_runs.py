"""Does the command for long runs find what it is there to find? With small figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.long import chunks
from tests.long.__main__ import main
from tests.long.chunks import Chunk, run_chunk, run_chunks
from tests.random_pipelines.plans import Plan


def test_random_pipelines_over_processes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All examples of all chunks are run, once, and their scenarios are summed up."""
    monkeypatch.setattr(chunks, "CHUNKS_OF_A_PROCESS", 1)  # so there are two lots of processes
    status = main("random --examples 25 --chunk 10 --workers 2".split())
    printed = capsys.readouterr().out
    assert "3 of 3 chunks, 25 examples, 0 failed" in printed
    assert "scenarios in 25 random pipelines" in printed
    assert "failing seeds: none" in printed
    assert status == 0


def test_a_chunk_is_the_same_each_time() -> None:
    """A seed can be replayed: it draws the same examples; another seed draws others."""
    first, again, other = run_chunk(1, 30), run_chunk(1, 30), run_chunk(2, 30)
    assert first.failure is None
    assert first.tally.counts == again.tally.counts != other.tally.counts


def test_a_failing_seed_is_printed_and_can_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is made smaller, shown with its seed and the command, and fails the run."""

    def check(plan: Plan) -> set[str]:
        assert plan.items < 20, f"check({plan!r})"
        return set()

    def here(sizes: list[int], first_seed: int, workers: int) -> Iterator[Chunk]:
        return (run_chunk(first_seed + n, size) for n, size in enumerate(sizes))

    said: list[str] = []
    monkeypatch.setattr(chunks, "check", check)
    monkeypatch.setattr(chunks, "_outcomes", here)
    assert not run_chunks(60, 30, 7, 1, said.append)
    text = "\n".join(said)
    assert "items=20," in text
    assert "python -m tests.long random --seed 7 --examples 30 --chunk 30" in text
    assert "failing seeds: [7, 8]" in text
    said.clear()
    assert not run_chunks(30, 30, 7, 1, said.append)
    assert "items=20," in said[0]


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="resident memory is read from /proc"
)
def test_endurance_tells_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Resident memory at 10 % and 100 %, the peak, and items a second."""
    assert main("endurance --items 2000".split()) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("at 10 %", "at 100 %", "peak", "items/s", "passed"))


def test_what_raises_has_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that raises shows where, and the exit status tells."""

    def fail(*_: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(chunks, "run_chunks", fail)
    assert main(["random"]) == 1
    printed = capsys.readouterr().out
    assert "ZeroDivisionError" in printed
    assert "random: FAILED" in printed
