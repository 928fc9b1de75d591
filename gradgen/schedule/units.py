"""The work of a kernel, cut into units: one stored value each, with the loops it needs and where it writes.

A unit computes `value` at every point of `domain` and joins it into `node`'s memory at `target(point)`: a plain store,
or with `combine` (reductions, scatter-add). One form serves elementwise results, reductions, slices written into
zeros, scattered and joined arrays; only library calls and control flow are something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradgen.ir.graph import Graph, Node
from gradgen.ir.sizes import Size
from gradgen.ir.types import Type
from gradgen.ops.control import is_item
from gradgen.ops.record import CALL, CONTROL, GATHER, JOIN, LEAF, REDUCTION, SCATTER, UPDATE, VIEW
from gradgen.ops.views import part_starts, slice_
from gradgen.schedule.program import Index, as_index
from gradgen.schedule.storage import begins_as


@dataclass(eq=False)
class Unit:
    """`order`: axis of `value` that each loop runs over (axes of size 1 need none); `kept`: the loops whose variable
    the target index has."""

    node: Node
    value: Node
    domain: tuple[Size, ...]
    order: tuple[int, ...]
    target: Any  # a point in the domain -> an index of the node; None for calls and for targets that are data
    kept: frozenset[int]
    combine: Any = None  # str where values are joined
    fill: bool = False  # whether memory must hold zeros before the loops
    scattered: bool = False  # whether it writes into what its node begins as, or to a target index that is data
    table: Node | None = None  # the index array, where the target index is data
    copies: bool = False  # the first half of an update: what it starts from
    results: tuple[Node, ...] = ()  # of control flow: the items that something uses

    @property
    def is_call(self) -> bool:
        return self.node.op.kind in (CALL, CONTROL) and not self.copies

    @property
    def written(self) -> tuple[Node, ...]:
        """The values that it makes."""
        return self.results or (self.node,)

    def point(self, variables: tuple[Index, ...]) -> tuple[Index, ...]:
        """The index into `value` at given loop variables."""
        point = [Index()] * self.value.type.ndim
        for axis, i in zip(self.order, variables, strict=True):
            point[axis] = i
        return tuple(point)

    @property
    def trailing(self) -> int:
        """The first of the innermost loops that the target does not depend on: they run into a local."""
        return max(self.kept, default=-1) + 1 if self.combine else len(self.domain)


def units(graph: Graph, stored: set[Node], overwrites: bool = False) -> list[Unit]:
    """Units in topological order: one per stored value, one per part of a joined array, one per scalar result, one per
    loop or branch. `overwrites`: whether arrays may be written over; then elements are read as early as they can be."""
    found: list[Unit] = []
    items: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        if is_item(node):
            items.setdefault(node.inputs[0], []).append(node)
    for node in graph.nodes:
        if is_item(node):
            continue
        if node.op.kind == CONTROL:
            found.append(Unit(node, node, (), (), None, frozenset(), results=tuple(items.get(node, ()))))
        elif node in stored or (node.op.kind == REDUCTION and node.shape == ()) or _is_number(node, graph, overwrites):
            found.extend(_units_of(node))
    return found


def is_loaded(node: Node) -> bool:
    """One element of an array, which must be read before the array is written over."""
    return node.shape == () and node.op.kind in (GATHER, VIEW) and node.inputs[0].shape != ()


def _is_number(node: Node, graph: Graph, overwrites: bool) -> bool:
    """A scalar that is computed where it stands, and not where it is used: before what it reads is written over."""
    result = node in graph.outputs and node.shape == () and node.op.kind != LEAF
    return overwrites and (result or is_loaded(node))


def _units_of(node: Node) -> list[Unit]:
    if node.op.kind == CALL:
        adds = begins_as(node) is not None
        return [*(_base(node) if adds else ()), Unit(node, node, (), (), None, frozenset(), scattered=adds)]
    if node.op.kind == REDUCTION:
        return [_reduction(node)]
    if node.op.kind == JOIN:
        starts = part_starts([n.shape for n in node.inputs], node.attrs["axis"])
        return [_part(node, k, start) for k, start in enumerate(starts)]
    if node.op.kind == SCATTER:
        return [_scatter(node)]
    if node.op.kind == UPDATE:
        return [*_base(node), _written(node)]
    return [_plain(node, node, lambda idx: idx)]


def _long_axes(x: Node) -> tuple[int, ...]:
    return tuple(k for k, n in enumerate(x.shape) if n != 1)


def _plain(node: Node, value: Node, target, **facts) -> Unit:
    """A unit with one loop per axis, whose target has all loop variables."""
    axes = _long_axes(value)
    return Unit(node, value, tuple(value.shape[k] for k in axes), axes, target, frozenset(range(len(axes))), **facts)


def _reduction(node: Node) -> Unit:
    (x,) = node.inputs
    reduced = node.attrs["axes"]
    kept = tuple(k for k in range(x.type.ndim) if k not in reduced)
    # Loops in the order of memory; an index of a maximum needs its axis innermost, also where it has one place.
    order = tuple(k for k in kept if x.shape[k] != 1) + reduced if node.op.index else _long_axes(x)
    domain = tuple(x.shape[k] for k in order)
    places = frozenset(i for i, k in enumerate(order) if k not in reduced)
    combine = node.op.combine if len(places) < len(order) else None
    return Unit(node, x, domain, order, lambda idx: tuple(idx[k] for k in kept), places, combine=combine)


def _part(node: Node, k: int, start) -> Unit:
    axis, part = node.attrs["axis"], node.inputs[k]

    def target(idx):
        return tuple(i + start if a == axis else i for a, i in enumerate(idx))

    return _plain(node, part, target)


def _scatter(node: Node) -> Unit:
    x = node.inputs[0]
    if len(node.inputs) == 1:

        def target(idx):
            return tuple(as_index(i) for i in node.op.index(idx, x.type, **node.attrs))

        return _plain(node, x, target, fill=True)
    return _plain(node, x, None, combine=node.op.combine, fill=True, scattered=True, table=node.inputs[1])


def _base(node: Node) -> list[Unit]:
    """What an update begins as: copies, left out where the update takes the memory of what it copies."""
    x = begins_as(node)
    assert x is not None
    value = x.inputs[0] if x.op.name == "broadcast_to" and x.inputs[0].shape == () else None
    if value is not None and value.op.name == "constant" and value.attrs["value"] == 0:
        return [Unit(node, x, (), (), None, frozenset(), fill=True, copies=True)]
    return _around(node) or [_plain(node, x, lambda idx: idx, copies=True)]


def _around(node: Node) -> list[Unit] | None:
    """Where one range of one axis is overwritten: copies of what lies before and behind it. None elsewhere."""
    if node.op.kind != UPDATE:
        return None
    x, value, *index = node.inputs
    if index or node.op.combine != "{x}" or any(s != 1 for s in node.attrs["steps"]):
        return None
    partial = [k for k, (n, m) in enumerate(zip(x.shape, value.shape, strict=True)) if n != m]
    if len(partial) != 1:
        return None
    (axis,) = partial
    first = node.attrs["starts"][axis]
    last = first + value.shape[axis]
    return [_copied(node, axis, a, n) for a, n in ((0, first), (last, x.shape[axis] - last)) if n != 0]


def _copied(node: Node, axis: int, start, count) -> Unit:
    x = node.inputs[0]
    starts = tuple(start if k == axis else 0 for k in range(x.type.ndim))
    shape = tuple(count if k == axis else n for k, n in enumerate(x.shape))
    attrs = {"starts": starts, "steps": (1,) * x.type.ndim, "shape": shape}
    part = Node(slice_, (x,), attrs, Type(x.dtype, shape), node.source, -1)
    return _plain(node, part, lambda idx: tuple(i + a for i, a in zip(idx, starts, strict=True)), copies=True)


def _written(node: Node) -> Unit:
    _, value, *index = node.inputs
    if index:
        return _plain(node, value, None, combine=node.op.combine, scattered=True, table=index[0])

    def target(idx):
        return tuple(as_index(i) for i in node.op.index(idx, value.type, **node.attrs))

    return _plain(node, value, target, combine=node.op.combine, scattered=True)
