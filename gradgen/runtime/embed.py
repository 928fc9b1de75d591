"""The text of what generated modules import from gradgen.runtime, for those that are to run without gradgen.

in:  names of functions of runtime/vecmath, arrays.py and blas.py, e.g. {"exp64", "carve"}
out: the lines of Python that define them and what they depend on, each once, in an order that can be executed

    runtime_source(["exp64"])       import numba.extending ...  def bits64(typingctx, x): ...  def exp64(x): ...

The files are read as text, so nothing here needs a compiler. All names at the top of these files are distinct, and no
local name is one of them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gradgen.errors import ArgumentError

FOLDER = Path(__file__).parent
FILES = (
    "vecmath/intrinsics.py", "vecmath/exponential.py", "vecmath/logarithm.py", "vecmath/power.py",
    "arrays.py", "blas.py",
)  # each uses only what those before it define  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """A statement at the top of a file: its text, from the comments above it on, the names that it uses, its kind."""

    text: str
    uses: frozenset[str]
    kind: type[ast.stmt]


def runtime_source(names: Iterable[str]) -> str:
    """The text of these functions and all that they use, with its imports. Raises ArgumentError for an unknown name."""
    needed = _needed(names)
    text = "\n".join(_import_lines(needed))
    previous: type | None = ast.Import if text else None
    for definition in needed:
        if definition.kind is not ast.Import:
            text += _gap(previous, definition.kind) + definition.text
            previous = definition.kind
    return text + "\n" if text else ""


def _import_lines(definitions: Iterable[Definition]) -> list[str]:
    lines = {definition.text for definition in definitions if definition.kind is ast.Import}
    return sorted(lines, key=lambda line: (line.startswith("from"), line))


def _gap(above: type | None, below: type) -> str:
    if above is None:
        return ""
    if ast.FunctionDef in (above, below):
        return "\n\n\n"
    return "\n" if above is below else "\n\n"


def _needed(names: Iterable[str]) -> list[Definition]:
    found = _closure(names)
    return [definition for name, definition in _definitions().items() if name in found]


def _closure(names: Iterable[str]) -> set[str]:
    known, found, waiting = _definitions(), set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in known:
            raise ArgumentError(f"{name}: no such function in gradgen.runtime")
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
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imported(node)
        elif isinstance(node, ast.Assign | ast.FunctionDef):
            name = node.name if isinstance(node, ast.FunctionDef) else ast.unparse(node.targets[0])
            uses = frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name)) - {name}
            yield name, Definition("\n".join(lines[_first_line(node, lines) : node.end_lineno]), uses, type(node))


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Definition]]:
    origin = node.module if isinstance(node, ast.ImportFrom) else None
    for alias in node.names if not (origin or "").startswith("gradgen") else ():
        name = alias.asname or alias.name.partition(".")[0]
        statement = f"from {origin} import {ast.unparse(alias)}" if origin else f"import {ast.unparse(alias)}"
        yield name, Definition(statement, frozenset(), ast.Import)


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return first
