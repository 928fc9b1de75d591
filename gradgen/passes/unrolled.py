"""A warning where a Python loop was traced step by step into thousands of statements: a slow compilation."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from pathlib import Path

from gradgen.errors import UnrollWarning
from gradgen.ir.graph import Graph
from gradgen.ir.source import Source

MANY = 3000  # values; about 1.5 ms of compile time each


def warn_if_unrolled(graph: Graph) -> None:
    """Warn, with the line of the loop that most of the values come from."""
    nodes = graph.nodes
    if len(nodes) < MANY:
        return
    lines = Counter(n.source for n in nodes if n.source is not None)
    if not lines:
        return
    source, count = lines.most_common(1)[0]
    loop = _loop_around(source)
    where = f"the loop at {loop.file}:{loop.line}   {loop.text}" if loop else f"{source.file}:{source.line}"
    warnings.warn(
        f"{graph.name}: traced into {len(nodes)} values, {count} of them from line {source.line}; {where}\n"
        "  hint: Python loops are written out step by step; gg.fori_loop, gg.scan and gg.while_loop stay loops",
        UnrollWarning, stacklevel=2,
    )  # fmt: skip


def _loop_around(source: Source) -> Source | None:
    """The innermost `for` or `while` statement that holds a line."""
    try:
        tree = ast.parse(Path(source.file).read_text())
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    loops = [n for n in ast.walk(tree) if isinstance(n, (ast.For, ast.While)) and _spans(n, source.line)]
    return Source(source.file, max(n.lineno for n in loops)) if loops else None


def _spans(node, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)
