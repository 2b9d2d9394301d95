"""How do the tests run the crawler of the examples? As its users do, and read what it has left."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.kit import ROOT

FOLDER = ROOT / "examples" / "crawler"
BATCH, WINDOW = 10, 20  # as in pipelines.py
QUICK = ("--requests", "200", "--tokens", "1000000", "--timeout", "0.4")


class Server:
    """The server, its documents, and what it has written down."""

    def __init__(self, folder: Path, pages: int = 80, images: int = 40) -> None:
        self.counts = {"pages": pages, "images": images}
        self.documents = {
            kind: [f"/{kind}/{n}" for n in range(count)] for kind, count in self.counts.items()
        }
        self.all = {path for paths in self.documents.values() for path in paths}
        # As in server.py.
        self.bad = {path for path in self.all if int(path.split("/")[2]) % 40 in (13, 33)}
        self.log_file = folder / "server.jsonl"
        self.port = 0

    @contextmanager
    def running(self, *options: str) -> Generator[Server]:
        counts = [f"--{kind}={count}" for kind, count in self.counts.items()]
        more = ("--port=0", "--log", self.log_file, *counts, *options)
        with python(FOLDER / "server.py", *more) as process:
            self.kill = process.kill
            try:
                assert process.stdout is not None
                self.port = int(process.stdout.readline().rpartition(":")[2])
                yield self
            finally:
                process.kill()

    def log(self) -> list[dict[str, Any]]:
        return lines_of(self.log_file)


class Folder:
    """The folder of a crawl: runs of it, and what they have left there."""

    def __init__(self, path: Path, server: Server) -> None:
        self.path = path
        self.server = server

    def command(self, *options: str) -> tuple[str | Path, ...]:
        here = ("--port", str(self.server.port), "--folder", self.path)
        return (FOLDER / "crawl.py", *here, *options)

    def run(self, *options: str, by: tuple[str, ...] = ()) -> tuple[int, str, str]:
        """Run it, `by` another program perhaps, and give the exit code and what was printed."""
        with python(*by, *self.command(*options)) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, without_remarks(err)

    def positions(self) -> dict[str, int]:
        return dict.fromkeys(self.server.counts, 0) | dict(
            self._ask("SELECT kind, position FROM positions")
        )

    def stored(self) -> dict[str, int]:
        """Tell how often each document was stored."""
        return dict(self._ask("SELECT path, times FROM documents"))

    def letters(self) -> Counter[str]:
        return Counter(letter["path"] for letter in lines_of(self.path / "dead.jsonl"))

    def beyond(self) -> dict[str, list[str]]:
        """Tell which documents behind the position are stored; these are repeated."""
        stored, positions = self.stored(), self.positions()
        return {
            kind: [path for path in paths[positions[kind] :] if path in stored]
            for kind, paths in self.server.documents.items()
        }

    def in_front(self) -> set[str]:
        """Tell which documents are in front of the position."""
        positions = self.positions()
        documents = self.server.documents.items()
        return {path for kind, paths in documents for path in paths[: positions[kind]]}

    def dealt_with(self) -> set[str]:
        return {*self.stored(), *self.letters()}

    def _ask(self, query: str) -> list[Any]:
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(self.path / "crawl.sqlite")) as db:
            return db.execute(query).fetchall()


def python(*command: str | Path) -> subprocess.Popen[str]:
    """Start Python in its development mode, with warnings as errors, on this checkout's package."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-X", "dev", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(FOLDER)])},
    )


def without_remarks(stderr: str) -> str:
    """Leave out what is said on purpose: of skipped items, and of steps that took 0.1 s."""
    return re.sub(
        r"^(Executing <.* seconds|task '.*' skipped .*)\n", "", stderr, flags=re.MULTILINE
    )


def lines_of(file: Path) -> list[Any]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
