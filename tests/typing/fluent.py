"""What are the types of the fluent methods of a stream? Those of reactivex, giving streams.

`python -m tests.typing.fluent` writes them into `conveyor_rx/_fluent.pyi`; test_fluent.py compares.
"""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any, TypeVar, get_args

from reactivex import Observable, operators

from conveyor_rx._fluent import Fluent

__all__ = ["STUB", "methods", "stub"]

STUB = Path(__file__).parents[2] / "conveyor_rx" / "_fluent.pyi"
CONNECTABLE = ("multicast", "ref_count")
"""What these give, or need, is a ConnectableObservable, whatever their types say."""
OPERATORS = """\
    def __add__(self, other: Observable[_T]) -> AsyncStream[_T]: ...
    def __radd__(self, other: Observable[_T]) -> AsyncStream[_T]: ...
    def __iadd__(self, other: Observable[_T]) -> AsyncStream[_T]: ...
    def __getitem__(self, key: slice | int) -> AsyncStream[_T]: ...
"""
OPERATORS_TYPED = 7
"""Of a call of `pipe`."""
HEAD = '''\
# pyright: reportIncompatibleMethodOverride=false
"""What do the fluent methods of a stream give? Streams: here for type checkers, by name.

Written by tests/typing/fluent.py from reactivex's own signatures; not to be changed by hand.
"""

{imports}

{variables}

class Fluent(Observable[_T]):
'''


def stub() -> str:
    """Write the stub for the reactivex that is installed."""
    defined = [text for _, definitions in sorted(methods().items()) for text in definitions]
    body = "\n".join([OPERATORS + _pipe(), *defined])
    names = sorted(set(re.findall(r"\b_[A-Z]\w*\b", body)) - {"_T", "_Ts"})
    variables = [
        '_T = TypeVar("_T", covariant=True)',
        '_Ts = TypeVarTuple("_Ts")',
        *(f'{name} = TypeVar("{name}")' for name in names),
    ]
    return _formatted(HEAD.format(imports=_imports(body), variables="\n".join(variables)) + body)


def methods() -> dict[str, list[str]]:
    """Give the definitions of each method that gives an Observable through `pipe`."""
    found: dict[str, list[str]] = {}
    last: dict[str, str] = {}
    for mixin in Observable.__mro__:
        if not mixin.__module__.startswith("reactivex.observable.mixins"):
            continue
        [tree] = ast.parse(inspect.getsource(mixin)).body
        assert isinstance(tree, ast.ClassDef)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                last[node.name] = "".join(map(ast.unparse, node.body[1:]))  # not the docstring
                found.setdefault(node.name, []).append(_definition(node))
    several = {name: texts for name, texts in found.items() if len(texts) > 1}
    for texts in several.values():
        del texts[-1]  # what follows the overloads implements them
    return {
        name: texts
        for name, texts in found.items()
        if "-> AsyncStream" in "".join(texts)
        and (".pipe(" in last[name] or name in vars(Fluent))
        and name not in CONNECTABLE
    }


def _pipe() -> str:
    """Type `pipe`: operators in a row; where the last one gives an Observable, it is a stream."""
    # mypy wants all overloads of Observable's, in their order; those come after ours.
    lines = ["    @overload  # type: ignore[override]", "    def pipe(self) -> Self: ..."]
    for is_stream in (True, False):
        for count in range(1, OPERATORS_TYPED + 1):
            names = ["Observable[_T]", *(f"_{chr(ord('A') + number)}" for number in range(count))]
            last = names[-1]
            given = [*names[1:-1], f"Observable[{last}]" if is_stream else last]
            parameters = ", ".join(
                f"{chr(ord('a') + number)}: Callable[[{taken}], {result}]"
                for number, (taken, result) in enumerate(zip(names[:-1], given, strict=True))
            )
            result = f"AsyncStream[{last}]" if is_stream else last
            lines += ["    @overload", f"    def pipe(self, {parameters}, /) -> {result}: ..."]
    return "\n".join(lines)


def _definition(node: ast.FunctionDef) -> str:
    node.body = [ast.Expr(ast.Constant(...))]
    node.decorator_list = [each for each in node.decorator_list if ast.unparse(each) == "overload"]
    result = node.returns
    if isinstance(result, ast.Subscript) and ast.unparse(result.value) == "Observable":
        result.value = ast.Name("AsyncStream")
        operator = getattr(operators, node.name, None)
        if ast.unparse(result.slice) == "Any" and _keeps_items(operator):
            result.slice = ast.Name("_T")
            ITEM.visit(node.args)
    text = ast.unparse(node).replace("[*_Ts,]", "[*_Ts]")  # as some Pythons write it
    return "    " + text.replace("typing.Callable", "Callable").replace("\n", "\n    ")


def _keeps_items(operator: Any) -> bool:
    """Tell whether the operator, which is typed better than its method, gives what it gets."""
    match get_args(getattr(operator, "__annotations__", {}).get("return")):
        case [[taken], given]:
            return taken == given and isinstance(get_args(given)[0], TypeVar)
        case _:
            return False


class _Item(ast.NodeTransformer):
    """Type what a predicate gets."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        if ast.unparse(node) in ("typing.Predicate[Any]", "typing.PredicateIndexed[Any]"):
            node.slice = ast.Name("_T")
        return node


ITEM = _Item()


def _imports(body: str) -> str:
    """Import what the definitions name; each name, if it is used."""
    lines = [
        "from collections.abc import Callable, Iterable",
        "from typing import Any, Self, TypeVar, TypeVarTuple, Unpack, overload",
        "from reactivex import abc, typing",
        "from reactivex.observable import Observable",
        "from reactivex.observable.connectableobservable import ConnectableObservable",
        "from reactivex.observable.groupedobservable import GroupedObservable",
        "from reactivex.observable.mixins import TransformationMixin",
        "from .stream import AsyncStream",
    ]
    always = {"Observable", "TypeVar", "TypeVarTuple"}
    used = set(re.findall(r"\w+", body)) | always
    kept = (
        (module, [name for name in names.split(", ") if name in used])
        for module, _, names in (line.partition(" import ") for line in lines)
    )
    return "\n".join(f"{module} import {', '.join(names)}" for module, names in kept if names)


def _formatted(text: str) -> str:
    ruff = shutil.which("ruff", path=sysconfig.get_path("scripts")) or "ruff"
    for command in (("check", "--select", "I", "--fix"), ("format",)):
        text = subprocess.run(
            [ruff, *command, "--no-cache", "--quiet", "--stdin-filename", str(STUB), "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return text


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
