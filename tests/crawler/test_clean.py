"""Does the crawler do its job, and what the server asks? What it has left, and the server's log."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from .kit import Folder, Server, lines_of, python

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="its loops have no signal handlers"),
    pytest.mark.real_time("a server and a client in processes of their own"),
]

PER_SECOND = 20
TOKENS, MINUTE = 9_000, 2
AT_ONCE, UNFORESEEN = 16, 30  # calls, and tokens that an answer may cost beyond its estimate
LATE = 0.5
"""How much later than its turn a busy machine may send a request, or read an answer, in seconds.

The limits give all requests at once that they can, so that one broken by half would show here."""


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Crawl everything once; none of the tests changes it."""
    path = tmp_path_factory.mktemp("crawl")
    with Server(path, pages=40, images=20).running("--refuse-every=40") as server:
        folder = Folder(path / "crawled", server)
        rates = ("--requests", str(PER_SECOND), "--tokens", str(TOKENS), "--minute", str(MINUTE))
        code, out, err = folder.run(*rates)
    assert (code, err) == (0, "")
    assert out.endswith(
        f"{len(server.all - server.bad)} documents stored, 0 of them once more; "
        f"dead letters: {folder.path / 'dead.jsonl'}\n"
    )
    return folder


@pytest.fixture(scope="module")
def log(crawled: Folder) -> list[dict[str, Any]]:
    """Give the server's log in the order in which the requests were sent."""
    return sorted(crawled.server.log(), key=lambda line: line["started"])


def test_nothing_runs_when_imported() -> None:
    """The parts can be imported, to be tried or copied."""
    with python("-c", "import client, crawl, pipelines, server, storage") as process:
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_everything_is_stored_or_a_dead_letter(crawled: Folder) -> None:
    """W3, D1: each document is stored once, or has one letter; the positions are at the end."""
    server = crawled.server
    assert crawled.stored() == dict.fromkeys(server.all - server.bad, 1)
    assert crawled.letters() == dict.fromkeys(server.bad, 1)
    assert crawled.positions() == server.counts


def test_letters_say_why(crawled: Folder) -> None:
    """T3, D1: what isn't there was asked for once, what broke off as often as allowed."""
    for letter in lines_of(crawled.path / "dead.jsonl"):
        is_gone = int(letter["path"].split("/")[2]) % 40 == 13
        expected = ("RefusedError", 1) if is_gone else ("ConnectionError", 4)
        assert (letter["error"].partition("(")[0], letter["attempts"]) == expected, letter
        assert letter["task"] == "fetch"


def test_no_second_has_more_requests(log: list[dict[str, Any]]) -> None:
    """R1, R3: both pipelines together send no more than so many in any second."""
    starts = [line["started"] for line in log]
    gaps = [later - start for start, later in zip(starts, starts[PER_SECOND:], strict=False)]
    assert min(gaps) > 1 - LATE


def test_no_minute_has_more_tokens(log: list[dict[str, Any]]) -> None:
    """R2, R5: nor do they use more tokens, but for what nobody could foresee."""
    used = [(line["started"], line.get("tokens", 0)) for line in log]
    most = max(
        sum(tokens for at, tokens in used if start <= at < start + MINUTE - LATE)
        for start, _ in used
    )
    assert most <= TOKENS + AT_ONCE * UNFORESEEN


def test_who_was_refused_waits(log: list[dict[str, Any]]) -> None:
    """T4, R5: after a 429 that document is not asked for earlier than allowed, nor is any other."""
    refusals = [line for line in log if line["status"] == 429]
    assert refusals
    for refusal in refusals:
        path, refused = refusal["path"], refusal["arrived"]
        until = refused + refusal["retry_after"]
        again = [line["started"] for line in log if line["path"] == path]
        assert min(start for start in again if start > refused) >= until
        assert not [line for line in log if refused + LATE < line["started"] < until]
