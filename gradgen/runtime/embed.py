"""The text of the vectorisable functions, for modules that are to run without gradgen.

in:  names of functions of runtime/vecmath, e.g. {"exp64", "tanh64"}
out: the lines of Python that define them and what they depend on, each once, in an order that can be executed

    vecmath_imports(["exp64"])      ("import numba.extending", "import numpy as np")
    vecmath_source(["exp64"])       def bits64(typingctx, x): ...  ONE_BIT = np.uint64(1) ...  def exp64(x): ...

The files are read as text, so nothing here needs a compiler. All names at the top of vecmath's files are
distinct, and no local name is one of them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gradgen.errors import ArgumentError

FOLDER = Path(__file__).with_name("vecmath")
FILES = ("intrinsics.py", "exponential.py", "logarithm.py")  # each imports only from those before it


@dataclass(frozen=True, slots=True)
class Definition:
    """A statement at the top of a file: its text, from the comments above it on, the names that it uses, its kind."""

    text: str
    uses: frozenset[str]
    kind: type[ast.stmt]


def vecmath_source(names: Iterable[str]) -> str:
    """The text of these functions and all that they use, without imports. Raises ArgumentError for an unknown name."""
    text, previous = "", None
    for definition in _needed(names):
        if definition.kind is not ast.Import:
            both_short = definition.kind is previous is ast.Assign
            text += ("" if previous is None else "\n" if both_short else "\n\n\n") + definition.text
            previous = definition.kind
    return text + "\n" if text else ""


def vecmath_imports(names: Iterable[str]) -> tuple[str, ...]:
    """The import statements that go before `vecmath_source(names)`, one line each: of math, numba and numpy only."""
    return tuple(sorted(definition.text for definition in _needed(names) if definition.kind is ast.Import))


def vecmath_names(names: Iterable[str]) -> frozenset[str]:
    """All names that `vecmath_source(names)` and its imports define, which other code of the module must not."""
    return frozenset(_closure(names))


def _needed(names: Iterable[str]) -> list[Definition]:
    found = _closure(names)
    return [definition for name, definition in _definitions().items() if name in found]


def _closure(names: Iterable[str]) -> set[str]:
    known, found, waiting = _definitions(), set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in known:
            raise ArgumentError(f"{name}: there is no such function in runtime/vecmath")
        if name not in found:
            found.add(name)
            waiting += known[name].uses & known.keys()
    return found


@functools.cache
def _definitions() -> dict[str, Definition]:
    """Name -> definition, in the order of the files."""
    return {name: definition for file in FILES for name, definition in _read((FOLDER / file).read_text("ascii"))}


def _read(text: str) -> Iterator[tuple[str, Definition]]:
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, Definition(f"import {ast.unparse(alias)}", frozenset(), ast.Import)
        elif isinstance(node, ast.Assign | ast.FunctionDef):
            name = node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id
            uses = frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name)) - {name}
            yield name, Definition("\n".join(lines[_first_line(node, lines) : node.end_lineno]), uses, type(node))


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return first
