"""Search a directory tree: index its text, then answer a query, each as a streaming pipeline.

    python examples/search_stdlib.py                                   # Python's standard library
    python examples/search_stdlib.py ~/notes --query "backup plan"     # a tree of your own

    files -> read (in threads) -> split (one into many) -> store (500 passages a transaction)
    query -> candidates (BM25) -> rerank (as one batch) -> enrich (file, line, snippet) -> printed

In the counts, `skipped` are files that can't be read or aren't UTF-8, `dropped` empty ones. The
index is an SQLite FTS5 table in a temporary database, gone when the program ends.
"""

import argparse
import asyncio
import math
import os
import re
import sqlite3
import sys
import sysconfig
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from conveyor_rx import AsyncStream, batch_task, single_task

T = TypeVar("T")

TEXT_SUFFIXES = frozenset(".c .css .go .h .html .java .js .md .py .rs .rst .toml .ts .txt".split())
LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})
PASSAGE_LINES = 20
CANDIDATES = 100
RESULTS = 10


class Passage(NamedTuple):
    path: Path
    line: int  # the number of its first one, or of the best in a result
    text: str


def text_files(root: Path) -> Iterator[Path]:
    """Walk the tree in a fixed order, past caches, installed packages and hidden folders."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(n for n in subfolders if n not in LEFT_OUT and n[0] != ".")
        for path in (Path(folder, name) for name in sorted(names)):
            if path.suffix.lower() in TEXT_SUFFIXES and path.is_file():
                yield path


def words(text: str) -> list[str]:
    """Cut text as the index does: runs of letters and digits, in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


@single_task(concurrency_limit=8, on_error="skip_item")
async def read(path: Path) -> tuple[Path, str] | None:
    text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    return (path, text) if text.strip() else None  # None is dropped


@single_task
def split(file: tuple[Path, str]) -> Iterator[Passage]:
    path, text = file
    lines = text.split("\n")
    for start in range(0, len(lines), PASSAGE_LINES):
        passage = "\n".join(lines[start : start + PASSAGE_LINES])
        if passage.strip():
            yield Passage(path, start + 1, passage)


@dataclass
class Index:
    """Passages in an SQLite table, which is used in one thread only. Its methods are tasks."""

    connection: sqlite3.Connection
    thread: ThreadPoolExecutor

    @batch_task(max_size=500)
    async def store(self, passages: list[Passage]) -> int:
        return await self._in_thread(self._insert, passages)

    @single_task
    async def candidates(self, query: str) -> list[Passage]:
        return await self._in_thread(self._best_by_bm25, query)

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *args)

    def _insert(self, passages: list[Passage]) -> int:
        rows = [(os.fsencode(path), line, text) for path, line, text in passages]
        with self.connection:  # one transaction: the whole batch or nothing
            self.connection.executemany("INSERT INTO passages VALUES (?, ?, ?)", rows)
        return len(rows)

    def _best_by_bm25(self, query: str) -> list[Passage]:
        any_of_them = " OR ".join(f'"{word}"*' for word in words(query))
        rows = self.connection.execute(
            "SELECT path, line, text FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
            (any_of_them, CANDIDATES),
        )
        return [Passage(Path(os.fsdecode(path)), line, text) for path, line, text in rows]


@contextmanager
def temporary_index() -> Generator[Index]:
    with (
        closing(sqlite3.connect("", check_same_thread=False)) as connection,  # "" is temporary
        ThreadPoolExecutor(max_workers=1) as thread,
    ):
        connection.execute(
            "CREATE VIRTUAL TABLE passages USING fts5(path UNINDEXED, line UNINDEXED, text,"
            " tokenize = 'unicode61 remove_diacritics 0')"
        )
        yield Index(connection, thread)


def score(text: str, terms: list[str]) -> float:
    """Rate from 0 to 2: the share of the terms that are found, and how close they stand."""
    places = [(n, t) for n, word in enumerate(words(text)) for t in terms if word.startswith(t)]
    found = len({term for _, term in places})
    last_seen: dict[str, int] = {}
    narrowest = math.inf
    for place, term in places:
        last_seen[term] = place
        if len(last_seen) == found:
            narrowest = min(narrowest, place - min(last_seen.values()) + 1)
    return found / len(terms) * (1 + min(1.0, found / narrowest))


@batch_task(max_size=CANDIDATES)
def rerank(passages: list[Passage], terms: list[str]) -> list[Passage]:
    """Put the best first; between equals BM25 decides, for sorting is stable."""
    return sorted(passages, key=lambda passage: -score(passage.text, terms))[:RESULTS]


@single_task(concurrency_limit=8, on_error="skip_item")
async def enrich(passage: Passage, terms: list[str]) -> Passage:
    text = await asyncio.to_thread(passage.path.read_text, encoding="utf-8")
    lines = text.split("\n")
    numbers = range(passage.line, min(passage.line + PASSAGE_LINES, len(lines) + 1))
    best = max(numbers, key=lambda number: score(lines[number - 1], terms))
    around = lines[max(0, best - 2) : best + 1]
    return Passage(passage.path, best, "\n".join(around).strip("\n"))


async def consume(what: str, stream: AsyncStream[T], show: Callable[[T], None]) -> None:
    """Show each result as it comes, then how long it took, and the counts of each stage."""
    start = time.perf_counter()
    seconds: list[float] = []
    async with stream:
        async for result in stream:
            seconds.append(time.perf_counter() - start)
            show(result)
    total = time.perf_counter() - start
    first = f", the first after {seconds[0]:.2f} s" if seconds else ""
    print(f"{what}: {len(seconds)} in {total:.2f} s{first}")
    print(f"  {'stage':<12}{'in':>9}{'out':>9}{'skipped':>9}{'dropped':>9}")
    for stats in stream.stats:
        counts = (stats.in_, stats.out, stats.skipped, stats.dropped)
        print(f"  {stats.stage:<12}" + "".join(f"{count:>9,}" for count in counts))


def printable(text: str) -> str:
    """Cut to a line that any terminal can show: no control characters, none that it lacks."""
    text = "".join(char if char.isprintable() else " " for char in text[:96]).rstrip()
    return text.encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding)


async def search(root: Path, query: str) -> None:
    def show(result: Passage) -> None:
        print(f"{printable(str(result.path.relative_to(root)))}:{result.line}")
        for line in result.text.split("\n"):
            print(f"    {printable(line)}")
        print()

    terms = list(dict.fromkeys(words(query)))
    with temporary_index() as index:
        build = read | split | index.store
        answer = index.candidates | rerank.with_inputs(terms) | enrich.with_inputs(terms)
        await consume("transactions", build(text_files(root)), lambda _: None)
        print(f"\nquery: {printable(query)}\n")
        await consume("results", answer(query), show)


def main() -> None:
    parser = argparse.ArgumentParser(description="Index a directory tree and search it.")
    parser.add_argument("path", nargs="?", type=Path, default=sysconfig.get_path("stdlib"))
    parser.add_argument("--query", default="event loop policy")
    options = parser.parse_args()
    if not options.path.is_dir():
        parser.error(f"not a directory: {options.path}")
    if not words(options.query):
        parser.error("the query has no words")
    try:
        asyncio.run(search(options.path, options.query))
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error):
            raise
        sys.exit("this Python's SQLite was built without FTS5, the full-text index")


if __name__ == "__main__":
    main()
