"""Graph -> Graph: a sum with something written into zeros becomes a write into the other summand.

    y + embed(v) = put_add(y, v)          y + scatter_add(v, index) = index_add(y, v, index)
    embed(a) + embed(b) = [a, b]          where the parts fill the whole
    a @ b = a * b                         a column times a row, which is then summed where it is made

Cotangents of slices and of reads at an index arrive so: what would fill and add a whole array touches a part of one.
"""

from __future__ import annotations

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops import arithmetic, indexing, linalg, updates, views
from gradgen.ops.record import SCATTER
from gradgen.passes.control import rewritten


def accumulate(graph: Graph) -> Graph:
    """The graph with these sums rewritten where nothing else uses the written array."""
    users = graph.users()

    def summed(builder: Builder, node: Node, done: dict[Node, Node]) -> Node | None:
        whole = _filled(node, users, graph.outputs)
        if whole is not None:
            axis, parts = whole
            return builder.add(views.concatenate, [done[n] for n in parts], {"axis": axis}, node.source)
        found = _written(node, users, graph.outputs) if node.op is arithmetic.add else None
        if found is not None:
            base, part = found
            op = updates.put_add if part.op is views.embed else updates.index_add
            attrs = {k: v for k, v in part.attrs.items() if k != "shape"}
            return builder.add(op, [done[n] for n in (base, *part.inputs)], attrs, node.source)
        if node.op is linalg.matmul and node.inputs[0].shape[-1] == 1:
            shape = {"shape": node.shape}
            spread = [builder.add(views.broadcast_to, (done[n],), shape, node.source) for n in node.inputs]
            return builder.add(arithmetic.multiply, spread, {}, node.source)
        return None

    return rewritten(graph, accumulate, summed)


def _written(node: Node, users: dict, outputs) -> tuple[Node, Node] | None:
    """(base, the array written into zeros) of a sum."""
    for base, part in (node.inputs, node.inputs[::-1]):
        alone = len(users[part]) == 1 and part not in outputs and part is not base
        if alone and part.op.kind == SCATTER and part.op in (views.embed, indexing.scatter_add) and node.shape != ():
            return base, part
    return None


def _filled(node: Node, users: dict, outputs) -> tuple[int, list[Node]] | None:
    """(axis, parts) of a sum of arrays written into zeros, where they lie one behind the other and fill the whole."""
    if node.op is not arithmetic.add:
        return None
    parts: list[Node] = []
    stack = list(node.inputs)
    while stack:
        n = stack.pop()
        if len(users[n]) != 1 or n in outputs:
            return None
        if n.op is arithmetic.add:
            stack.extend(n.inputs)
        elif n.op is views.embed and all(s == 1 for s in n.attrs["steps"]):
            parts.append(n)
        else:
            return None
    shape = node.shape
    axes = {k for n in parts for k in range(len(shape)) if n.inputs[0].shape[k] != shape[k]}
    if len(axes) != 1 or len(parts) < 2:
        return None
    (axis,) = axes
    at, found = 0, []
    while at != shape[axis]:
        following = [n for n in parts if n.attrs["starts"][axis] == at and n not in found]
        if len(following) != 1 or following[0].inputs[0].shape[axis] == 0:
            return None
        found.append(following[0])
        at = at + following[0].inputs[0].shape[axis]
    return (axis, [n.inputs[0] for n in found]) if len(found) == len(parts) else None
