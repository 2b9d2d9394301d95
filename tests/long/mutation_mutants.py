"""Which mutants are there? Those of cosmic-ray that change what is executed.

Left out is what no test can notice, or any import does:
- annotations, aliases of types, overloads and what stands under `TYPE_CHECKING`, which only type
  checkers read (`X | Y` would become `X + Y`, `X % Y`…);
- decorators: without `@property` or `@dataclass` nothing works at all;
- `*` and `/` in signatures, which cosmic-ray takes for operators;
- what is not valid Python, or what the compiler warns of (`is` with a literal);
- the few places where cosmic-ray itself fails (`except a.b`).
"""

from __future__ import annotations

import ast
import difflib
import functools
import random
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mutant", "Position", "is_executed", "positions", "sample"]

DECORATORS = "core/RemoveDecorator"


@dataclass(frozen=True)
class Position:
    """Where an operator of cosmic-ray can change a file, and how."""

    path: Path  # from the root of the tree
    line: int
    operator: str
    occurrence: int


@dataclass(frozen=True)
class Mutant:
    """A file with one change."""

    position: Position
    original: str
    text: str

    def __str__(self) -> str:
        return f"{self.position.path}:{self.position.line} {self.position.operator}"

    @property
    def diff(self) -> str:
        lines = difflib.unified_diff(
            self.original.splitlines(), self.text.splitlines(), n=1, lineterm=""
        )
        return "\n".join(list(lines)[2:])


def positions(root: Path, paths: Iterable[Path]) -> list[Position]:
    """List all that cosmic-ray would change in the files, what is left out included."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    classes = {name: get_operator(name) for name in operator_names() if name != DECORATORS}
    operators = {name: kind() for name, kind in classes.items() if not kind.arguments()}
    found: list[Position] = []
    for path in paths:
        nodes = list(ast_nodes(get_ast((root / path).read_text(encoding="utf-8"))))
        for name, operator in operators.items():
            starts = (start for node in nodes for start, _ in operator.mutation_positions(node))
            found += [Position(path, line, name, n) for n, (line, _) in enumerate(starts)]
    return found


def sample(root: Path, population: list[Position], count: int, seed: int) -> list[Mutant]:
    """Draw `count` different mutants that change what is executed; fewer if there are no more."""
    drawn: dict[tuple[Path, str], Mutant] = {}
    for position in random.Random(seed).sample(population, len(population)):
        if len(drawn) == count:
            break
        mutant = _mutant(root, position)
        if mutant is not None and is_executed(mutant.original, mutant.text):
            drawn.setdefault((position.path, mutant.text), mutant)
    return list(drawn.values())


def is_executed(original: str, text: str) -> bool:
    """Tell whether `text` does anything else than `original` does, and is valid Python."""
    try:
        with warnings.catch_warnings(action="error", category=SyntaxWarning):
            compile(text, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return _executed(original) != _executed(text)


def _mutant(root: Path, position: Position) -> Mutant | None:
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    original = (root / position.path).read_text(encoding="utf-8")
    operator = get_operator(position.operator)()
    try:
        text = mutate_code(original, operator, position.occurrence)
    except AttributeError:  # a dotted name of an exception
        return None
    return None if text is None else Mutant(position, original, text)


@functools.lru_cache(maxsize=64)
def _executed(source: str) -> str:
    return ast.dump(_Executed().visit(ast.parse(source)))


class _Executed(ast.NodeTransformer):
    """Take everything away that is not executed."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [each for each in node.body if not _is_alias(each)]
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        if any(ast.unparse(each).endswith("overload") for each in node.decorator_list):
            return None
        node.decorator_list = []
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.decorator_list = []
        node.returns = None
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Keep names and defaults, and forget how an argument is to be passed."""
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults += [each for each in node.kw_defaults if each is not None]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None or "TypeAlias" in ast.unparse(node.annotation):
            return None
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return None
        return self.generic_visit(node)


def _is_alias(node: ast.stmt) -> bool:
    """Tell whether it is `Name = Callable[...]` or the like."""
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)
