"""What survives a kill? Documents and positions in SQLite, dead letters in a file of JSON lines."""

import asyncio
import json
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from conveyor_rx import Failure

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS documents (
    path TEXT PRIMARY KEY, summary TEXT, tokens INTEGER, times INTEGER DEFAULT 1
);
CREATE TABLE IF NOT EXISTS positions (kind TEXT PRIMARY KEY, position INTEGER);
"""
# What is stored again takes the place of the first, and is counted.
WRITE = """
INSERT INTO documents (path, summary, tokens) VALUES (?, ?, ?)
ON CONFLICT (path) DO UPDATE SET summary = excluded.summary, times = times + 1
"""
# Never back, for the thread of a call that was cancelled may come late.
MOVE = """
INSERT INTO positions (kind, position) VALUES (?, ?)
ON CONFLICT (kind) DO UPDATE SET position = max(position, excluded.position)
"""


class Row(NamedTuple):
    path: str
    summary: str
    tokens: int


class Storage:
    """A folder. Each of its functions may be called in any thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "crawl.sqlite"
        self.letters = folder / "dead.jsonl"
        with closing(sqlite3.connect(self.database)) as db:
            db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.database, timeout=30)) as db, db:
            yield db

    def write(self, rows: Sequence[Row], kind: str, position: int) -> None:
        """Store `rows` and the position, or neither, as it is in a transaction."""
        with self.transaction() as db:
            db.executemany(WRITE, rows)
            db.execute(MOVE, (kind, position))

    def position(self, kind: str) -> int:
        with self.transaction() as db:
            found = db.execute("SELECT position FROM positions WHERE kind = ?", (kind,)).fetchone()
        return found[0] if found else 0

    def counts(self) -> tuple[int, int]:
        """Count the documents, and how many of them were stored once more."""
        with self.transaction() as db:
            query = "SELECT count(*), coalesce(sum(times - 1), 0) FROM documents"
            count, more = db.execute(query).fetchone()
        return count, more

    async def write_letter(self, failure: Failure) -> None:
        letter = {
            "path": failure.item.path,  # of a Document or an Answer
            "error": repr(failure.error),
            "task": failure.task_name,
            "attempts": failure.attempts,
        }
        await asyncio.to_thread(self._append, json.dumps(letter) + "\n")

    def _append(self, line: str) -> None:
        with open(self.letters, "ab", buffering=0) as file:  # the line is there whole, or not
            file.write(line.encode())
