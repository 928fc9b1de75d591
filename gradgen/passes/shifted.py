"""Graph -> Graph: a sum of ranges that overlap becomes its pieces, each computed in one go.

    [0, 0, a, a, a] + [b, b, b, 0, 0]  =  concatenate([b[:2], a[:1] + b[2:], a[1:]])

The cotangent of an array that was read at several shifted slices (a stencil) arrives so. What would fill an array and
add to it once per slice runs through it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops import arithmetic, updates, views
from gradgen.ops.record import ELEMENTWISE, VIEW
from gradgen.passes.control import rewritten
from gradgen.passes.patterns import scalar_value
from gradgen.trace.tracer import RuleTracer, constant

PIECES = 11  # more, and the code grows longer than it saves
CHEAP = 8.0  # multiplications: what an element may cost that is computed in several pieces


@dataclass(frozen=True)
class Term:
    """A summand: `value` lies at start .. start + its length, or (`hole`) everywhere but there."""

    value: Node
    start: int
    stop: int
    hole: bool = False

    def covers(self, a: int, b: int) -> bool:
        inside = self.start <= a and b <= self.stop
        return not inside if self.hole else inside

    def part(self, a: int, b: int) -> tuple[int, int]:
        return (a, b) if self.hole else (a - self.start, b - self.start)


def join_shifted(graph: Graph) -> Graph:
    """The graph with such sums in pieces, inner graphs included."""
    users = graph.users()

    def joined(builder: Builder, node: Node, done: dict[Node, Node]) -> Node | None:
        found = _terms(node, users, graph.outputs)
        return None if found is None else _pieces(builder, node, [(t, done[t.value]) for t in found])

    return rewritten(graph, join_shifted, joined)


def _terms(node: Node, users: dict, outputs) -> list[Term] | None:
    """The summands of the outermost sum of at least two ranges of a vector, else None."""
    if node.op is not arithmetic.add or node.type.ndim != 1 or not isinstance(node.shape[0], int):
        return None
    if any(u.op is arithmetic.add and len(users[node]) == 1 for u in users[node]) and node not in outputs:
        return None  # a part of a longer sum
    n, found, stack = node.shape[0], [], list(node.inputs)
    while stack:
        x = stack.pop()
        alone = len(users[x]) == 1 and x not in outputs
        if alone and x.op is arithmetic.add:
            stack.extend(x.inputs)
        elif alone and x.op is views.embed and x.attrs["steps"] == (1,):
            start = x.attrs["starts"][0]
            found.append(Term(x.inputs[0], start, start + x.inputs[0].shape[0]))
        elif alone and x.op is updates.put and x.attrs["steps"] == (1,) and scalar_value(x.inputs[1]) == 0:
            start = x.attrs["starts"][0]
            found.append(Term(x.inputs[0], start, start + x.inputs[1].shape[0], hole=True))
        else:
            found.append(Term(x, 0, n))
    shifted = [t for t in found if (t.start, t.stop) != (0, n)]
    if len(shifted) < 2 or any(_cost(t.value) > CHEAP for t in found) or len(_borders(found, n)) > PIECES:
        return None
    return found


def _borders(terms: list[Term], n: int) -> list[int]:
    return sorted({0, n, *(b for t in terms for b in (t.start, t.stop))})


def _cost(node: Node, limit: int = 12) -> float:
    """What one element costs where it is computed from what is stored; endless where that is far away."""
    if limit == 0:
        return CHEAP + 1
    if node.op.kind == ELEMENTWISE:
        return node.op.weight + sum(_cost(n, limit - 1) for n in node.inputs)
    return _cost(node.inputs[0], limit - 1) if node.op.kind == VIEW else 0.0


def _pieces(builder: Builder, node: Node, terms: list[tuple[Term, Node]]) -> Node:
    borders = _borders([t for t, _ in terms], node.shape[0])
    parts = []
    for a, b in pairwise(borders):
        total: Any = None
        for term, value in terms:
            if term.covers(a, b):
                first, last = term.part(a, b)
                attrs = {"starts": (first,), "steps": (1,), "shape": (last - first,)}
                piece = (
                    value if last - first == value.shape[0] else builder.add(views.slice_, (value,), attrs, node.source)
                )
                x: Any = RuleTracer(builder, piece)
                total = x if total is None else total + x
        if total is None:
            zero: Any = RuleTracer(builder, constant(builder, np.zeros((), node.dtype)))
            total = np.broadcast_to(zero, (b - a,))
        parts.append(total.astype(node.dtype).node)
    return parts[0] if len(parts) == 1 else builder.add(views.concatenate, parts, {"axis": 0}, node.source)
