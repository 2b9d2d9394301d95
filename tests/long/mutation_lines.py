"""Which tests can notice a change? Those that run its lines: the cheap ones first, few of a kind.

While all tests run once without a mutant, `Recorder` notes which lines of the engine each of them
runs, and how long it takes. `choose` then says what a mutant is tried with.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import accumulate, zip_longest
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

__all__ = ["Recorder", "Seen", "choose", "first_and_more", "lines_to_run", "load"]

MOST_OF_A_KIND = 10  # cases of one test with the same first argument
# What is tried first, of few files because collecting tests takes longer than running some; then
# what the first few leave alive. Seconds of tests.
FILES, FEW, MANY = 3, 5.0, 90.0


@dataclass
class Seen:
    """A test, its seconds, and the lines that it ran in each file, as bits of a number."""

    test: str
    seconds: float = 0.0
    lines: dict[str, int] = field(default_factory=dict[str, int])


class Recorder:
    """Note the lines that run in a few files; needs `sys.monitoring`, of Python 3.12."""

    def __init__(self, root: Path, files: Iterable[str]) -> None:
        self._files = {str(root / name): name for name in files}
        self._tests: list[Seen] = []
        self._seen = Seen("before the tests")
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._tool = self._monitoring.COVERAGE_ID
        self._monitoring.use_tool_id(self._tool, "mutation")
        self._monitoring.register_callback(self._tool, self._monitoring.events.LINE, self._on_line)
        for name in self._files.values():
            importlib.import_module(".".join(Path(name).with_suffix("").parts))
        for code in _codes(sys.modules.values(), self._files):
            self._monitoring.set_local_events(self._tool, code, self._monitoring.events.LINE)

    def _on_line(self, code: CodeType, line: int) -> object:
        lines = self._seen.lines
        name = self._files[code.co_filename]
        lines[name] = lines.get(name, 0) | 1 << line
        return self._monitoring.DISABLE  # once a test is enough

    @contextmanager
    def record(self, test: str) -> Iterator[None]:
        """Note what runs in the block as run by `test`."""
        self._seen = Seen(test)
        self._tests.append(self._seen)
        self._monitoring.restart_events()
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._seen.seconds = time.perf_counter() - begun
            self._seen = Seen("between two tests")

    def save(self, path: Path) -> None:
        """Write down what was noted."""
        path.write_text(json.dumps([asdict(each) for each in self._tests]), encoding="utf-8")


def _codes(modules: Iterable[ModuleType], files: Iterable[str]) -> Iterator[CodeType]:
    """Find the code of all functions that are written in the files."""
    names, todo, found = set(files), list[object](), set[CodeType]()
    for module in list(modules):
        if getattr(module, "__file__", None) in names:
            todo += vars(module).values()
    known: set[int] = set()
    while todo:
        each: Any = todo.pop()
        if id(each) in known:
            continue
        known.add(id(each))
        if isinstance(each, CodeType):
            if each.co_filename in names:
                found.add(each)
                todo += each.co_consts
        elif isinstance(each, type) and each.__module__.startswith("conveyor_rx"):
            todo += vars(each).values()
        else:
            parts = ("__code__", "__func__", "__wrapped__", "fget", "fset")
            todo += [vars_ for name in parts if (vars_ := getattr(each, name, None)) is not None]
    yield from found


def load(path: Path) -> list[Seen]:
    """Read what a recorder has saved."""
    return [Seen(**each) for each in json.loads(path.read_text(encoding="utf-8"))]


def lines_to_run(original: str, line: int) -> range | None:
    """Return the lines of the statement, or of its head, that `line` belongs to.

    None if it runs when its module is imported.
    """
    narrowest: ast.stmt | ast.ExceptHandler | None = None
    is_inside = False
    for node in ast.walk(ast.parse(original)):
        if not isinstance(node, (ast.stmt, ast.ExceptHandler)):
            continue
        if not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        is_inside = is_inside or (is_function and line >= node.body[0].lineno)
        narrowest = node  # the walk goes from the outside inwards
    if narrowest is None or not is_inside:
        return None
    body: list[ast.stmt] = getattr(narrowest, "body", [])
    end = body[0].lineno if body else (narrowest.end_lineno or line) + 1
    return range(narrowest.lineno, max(end, line + 1))


def choose(seen: Iterable[Seen], file: str, lines: range | None) -> list[Seen]:
    """Return the tests that run one of the lines, the cheapest of each kind first, then others."""
    bits = sum(1 << line for line in lines or ())
    kinds: defaultdict[str, list[Seen]] = defaultdict(list)
    for each in seen:
        if lines is None or each.lines.get(file, 0) & bits:
            kinds[each.test.partition("-")[0]].append(each)  # `file::test[first argument`
    rows = [_some(sorted(kind, key=lambda each: each.seconds)) for kind in kinds.values()]
    rounds = zip_longest(*rows)
    return [
        each
        for one_of_each in rounds
        for each in sorted(filter(None, one_of_each), key=lambda each: each.seconds)
    ]


def _some(cases: list[Seen]) -> list[Seen]:
    """Return at most so many, evenly spread over all of them."""
    step = max(1.0, len(cases) / MOST_OF_A_KIND)
    return [cases[int(number * step)] for number in range(min(len(cases), MOST_OF_A_KIND))]


def first_and_more(chosen: list[Seen]) -> tuple[list[str], list[str]]:
    """Return what is tried first of the chosen tests, and what after it."""
    files = dict(Counter(_file(each) for each in chosen).most_common(FILES))
    few = _within(FEW, [each for each in chosen if _file(each) in files])
    many = _within(MANY, [each for each in chosen if each.test not in few])
    return list(few), list(many)


def _within(seconds: float, tests: list[Seen]) -> dict[str, Seen]:
    until = accumulate(each.seconds for each in tests)
    return {each.test: each for each, end in zip(tests, until, strict=True) if end <= seconds}


def _file(seen: Seen) -> str:
    return seen.test.partition("::")[0]
