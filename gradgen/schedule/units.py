"""The work of a kernel, cut into units: one stored value each, with the loops it needs and where it writes.

A unit computes `value` at every point of `domain` and joins it into `node`'s memory at `target(point)`: a plain store,
or with `combine` (reductions, scatter-add). One form serves elementwise results, reductions, slices written into
zeros, scattered and joined arrays; only library calls are something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradgen.ir.graph import Graph, Node
from gradgen.ir.sizes import Size
from gradgen.ops.record import CALL, JOIN, REDUCTION, SCATTER
from gradgen.ops.views import part_starts
from gradgen.schedule.program import Index, as_index


@dataclass(eq=False)
class Unit:
    """`order`: axis of `value` that each loop runs over; `kept`: the loops whose variable the target index has."""

    node: Node
    value: Node
    domain: tuple[Size, ...]
    order: tuple[int, ...]
    target: Callable[[tuple[Index, ...]], tuple[Index, ...]] | None
    kept: frozenset[int]
    combine: str | None = None
    fill: bool = False  # whether memory must hold the identity before the loops
    scattered: bool = False  # whether the target index is data

    @property
    def is_call(self) -> bool:
        return self.node.op.kind == CALL

    def point(self, variables: tuple[Index, ...]) -> tuple[Index, ...]:
        """The index into `value` at given loop variables."""
        point = [Index()] * len(self.order)
        for axis, i in zip(self.order, variables, strict=True):
            point[axis] = i
        return tuple(point)

    @property
    def trailing(self) -> int:
        """The first of the innermost loops that the target does not depend on: they run into a local."""
        return max(self.kept, default=-1) + 1 if self.combine else len(self.domain)


def units(graph: Graph, stored: set[Node]) -> list[Unit]:
    """Units in topological order: one per stored value, one per part of a joined array, one per scalar result."""
    found: list[Unit] = []
    for node in graph.nodes:
        if node in stored or (node.op.kind == REDUCTION and node.shape == ()):
            found.extend(_units_of(node))
    return found


def _units_of(node: Node) -> list[Unit]:
    if node.op.kind == CALL:
        return [Unit(node, node, (), (), None, frozenset())]
    if node.op.kind == REDUCTION:
        return [_reduction(node)]
    if node.op.kind == JOIN:
        starts = part_starts([n.shape for n in node.inputs], node.attrs["axis"])
        return [_part(node, k, start) for k, start in enumerate(starts)]
    if node.op.kind == SCATTER:
        return [_scatter(node)]
    axes = tuple(range(node.type.ndim))
    return [Unit(node, node, node.shape, axes, lambda idx: idx, frozenset(axes))]


def _reduction(node: Node) -> Unit:
    (x,) = node.inputs
    reduced = node.attrs["axes"]
    kept = tuple(k for k in range(x.type.ndim) if k not in reduced)
    # Loops in the order of memory; an index of a maximum needs its axis innermost.
    order = kept + reduced if node.op.index else tuple(range(x.type.ndim))
    domain = tuple(x.shape[k] for k in order)
    places = frozenset(i for i, k in enumerate(order) if k not in reduced)
    return Unit(node, x, domain, order, lambda idx: tuple(idx[k] for k in kept), places, combine=node.op.combine)


def _part(node: Node, k: int, start) -> Unit:
    axis, part = node.attrs["axis"], node.inputs[k]

    def target(idx):
        return tuple(i + start if a == axis else i for a, i in enumerate(idx))

    axes = tuple(range(part.type.ndim))
    return Unit(node, part, part.shape, axes, target, frozenset(axes))


def _scatter(node: Node) -> Unit:
    x = node.inputs[0]
    axes = tuple(range(x.type.ndim))
    if len(node.inputs) == 1:

        def target(idx):
            return tuple(as_index(i) for i in node.op.index(idx, x.type, **node.attrs))

        return Unit(node, x, x.shape, axes, target, frozenset(axes), fill=True)
    return Unit(node, x, x.shape, axes, None, frozenset(axes), combine=node.op.combine, fill=True, scattered=True)
