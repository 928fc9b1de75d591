"""Graph -> Graph: products of matrices that a loop need not do step by step leave it, as one large product.

    before the loop   W @ x[i], where x is not carried           all of them:  x @ W.T
    after the loop    g = g + a[i] @ b[i], where g is only summed    their sum:  [a0 a1 ...] @ [b0; b1; ...]

One call of BLAS over all steps is faster than one a step, since a step's matrices are small: recurrent networks are
trained so (Appleyard et al. 2016, arXiv:1604.01946). It costs memory for what is stacked, a row a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.differentiate.batch import batch
from gradgen.ir.graph import Builder, Graph, Node, reachable
from gradgen.ir.sizes import hint
from gradgen.ops import arithmetic, linalg, views
from gradgen.ops.control import Parts, is_item, loop, pick
from gradgen.ops.leaves import fresh
from gradgen.ops.record import CONTROL, LEAF, VIEW
from gradgen.ops.subgraphs import subgraph
from gradgen.passes.control import within
from gradgen.trace.tracer import RuleTracer

FEW = 4  # a product with a side below this is no work worth moving


def hoist(graph: Graph) -> Graph:
    """The graph with these products outside of its loops, inner ones included."""
    if not any(n.op.kind == CONTROL for n in graph.nodes):
        return graph
    builder = Builder()
    done: dict[Node, Node] = {}
    results: dict[Node, dict[int, Node]] = {}
    asked: dict[Node, set[int]] = {}
    for n in graph.nodes:
        if is_item(n):
            asked.setdefault(n.inputs[0], set()).add(n.attrs["place"])
    for n in graph.nodes:
        if is_item(n) and n.inputs[0] in results:
            builder.name(results[n.inputs[0]][n.attrs["place"]], n, done)
        elif n.op is loop:
            made = builder.add(loop, [done[i] for i in n.inputs], within(n.attrs, hoist), n.source)
            results[n] = _after(builder, _before(builder, Parts(made)), asked.get(n, set()))
        else:
            builder.copy(n, done, within(n.attrs, hoist))
    return graph.made_of(done)


def _row_of(node: Node, rows: tuple[Node, ...]) -> int | None:
    """Which row input a value is, under another shape."""
    while node.op is views.reshape or (node.op is views.transpose and node.shape.count(1) >= node.type.ndim - 1):
        node = node.inputs[0]  # a column made a row is the same numbers in the same order
    return rows.index(node) if node in rows else None


def _traced(builder: Builder, node: Node) -> Any:
    return RuleTracer(builder, node)


def _shaped(builder: Builder, node: Node, shape: Any) -> Any:
    return np.reshape(_traced(builder, node), shape)


def _is_large(node: Node) -> bool:
    return node.type.ndim == 2 and (hint(node.type.size) or FEW) >= FEW


# -- before the loop


def _before(builder: Builder, parts: Parts) -> Parts:
    """The loop, with the products of rows and of values from outside among its rows."""
    _, _, rows, outside = parts.split(parts.body.inputs)
    found: dict[Node, Node] = {}  # product -> all of them, stacked
    for n in parts.body.nodes if not parts.is_open else ():
        if n.op is linalg.matmul and _is_large(n):
            stacked = _all_products(builder, parts, n, rows, outside)
            if stacked is not None:
                found[n] = stacked
    if not found:
        return parts
    found = _summed(builder, parts, found)
    body = _with_rows(parts, list(found))
    given = list(parts.node.inputs)
    place = len(given) - len(parts.outside)
    given[place:place] = found.values()
    attrs = {**parts.node.attrs, "body": body, "rows": parts.rows + len(found)}
    return Parts(builder.add(loop, given, attrs, parts.node.source))


def _summed(builder: Builder, parts: Parts, found: dict[Node, Node]) -> dict[Node, Node]:
    """What the loop reads instead: sums of these products with one another, with rows and with values from outside."""
    _, _, rows, outside = parts.split(parts.body.inputs)
    plain, moved = {*outside}, {*found, *rows}
    for n in parts.body.nodes:
        simple = n.op in (arithmetic.add, arithmetic.subtract) or n.op.kind in (VIEW, LEAF)
        if simple and n.op.name != "input" and all(i in plain for i in n.inputs):
            plain.add(n)
        elif simple and n.inputs and all(i in plain or i in moved for i in n.inputs):
            moved.add(n)
    sums = {n for n in moved if n.op in (arithmetic.add, arithmetic.subtract) and found.keys() & {*reachable([n])}}
    users = parts.body.users()
    ends = [n for n in sums if n in parts.body.outputs or any(u not in moved for u in _through_views(n, users))]
    kept = {n: x for n, x in found.items() if n in parts.body.outputs or any(u not in moved for u in users[n])}
    if not ends:
        return found
    given = {n: fresh(builder, n.type, n.label) for n in (*found, *rows)}
    known = {**given, **dict(zip(outside, parts.outside, strict=True))}
    for n in reachable(ends, stop={*found, *rows}):
        if n not in known:
            builder.copy(n, known)
    stacks = {given[n]: x for n, x in (*found.items(), *zip(rows, parts.xs, strict=True))}
    return {**kept, **dict(zip(ends, batch(builder, [known[n] for n in ends], stacks, parts.length), strict=True))}


def _through_views(node: Node, users: dict) -> list[Node]:
    """Who uses a value, under whatever shape."""
    return [w for u in users[node] for w in (_through_views(u, users) if u.op.kind == VIEW else [u])]


def _all_products(builder: Builder, parts: Parts, n: Node, rows, outside) -> Node | None:
    a, b = n.inputs
    length, (m, k) = parts.length, a.shape
    fixed = b.inputs[0] if b.op is views.transpose else b
    row = _row_of(a, rows)
    if row is not None and fixed in outside:
        weights = _traced(builder, parts.outside[outside.index(fixed)])
        x = _shaped(builder, parts.xs[row], (length * m, k))
        return _shaped(builder, (x @ (weights.T if fixed is not b else weights)).node, (length, *n.shape)).node
    fixed, row = (a.inputs[0] if a.op is views.transpose else a), _row_of(b, rows)
    if row is not None and fixed in outside and n.shape[1] == 1:
        weights = _traced(builder, parts.outside[outside.index(fixed)])
        x = _shaped(builder, parts.xs[row], (length, k))
        return _shaped(builder, (x @ (weights if fixed is not a else weights.T)).node, (length, *n.shape)).node
    return None


def _with_rows(parts: Parts, values: list[Node]) -> Graph:
    """The body with some of its values given as rows."""
    index, carries, rows, outside = parts.split(parts.body.inputs)
    return subgraph([index, *carries, *rows, *values, *outside], parts.body.outputs, parts.body.name)


# -- after the loop


def _after(builder: Builder, parts: Parts, asked: set[int]) -> dict[int, Node]:
    """Every result that is asked for, sums of products taken behind the loop."""
    body, users = parts.body, parts.body.users()
    sums: dict[int, Node] = {}  # carry -> the product that is added to it
    for k in range(parts.carries) if not parts.is_open and parts.condition is None else ():
        carry, out = body.inputs[1 + k], body.outputs[k]
        if out.op is arithmetic.add and carry in out.inputs and parts.history(k) not in asked:
            product = out.inputs[1] if out.inputs[0] is carry else out.inputs[0]
            large = product.op is linalg.matmul and _is_large(product) and min(map(_least, product.shape)) >= FEW
            alone = len(users[carry]) == 1 and carry not in body.outputs and not users[out]
            if large and alone and body.outputs.count(out) == 1:
                sums[k] = product
    if not sums:
        return {place: pick(builder, parts.node, place) for place in asked}
    inner = Builder()
    done: dict[Node, Node] = {}
    for n in body.nodes:
        inner.copy(n, done)
    wanted = {k: tuple(_side(inner, done, n, n is p.inputs[0]) for n in p.inputs) for k, p in sums.items()}
    _, _, rows, _ = parts.split(tuple(done[n] for n in body.inputs))
    stacked = dict.fromkeys(n for pair in wanted.values() for n in pair)
    extra = [n for n in stacked if _row_of(n, rows) is None]  # of the body: what is stacked
    # a sum that has left stays as a carry that nothing changes, which `trim` takes out
    outs = [done[body.inputs[1 + k]] if k in sums else done[n] for k, n in enumerate(body.outputs)]
    wider = Graph(tuple(done[n] for n in body.inputs), (*outs, *extra), body.name, body.input_names)
    made = Parts(builder.add(loop, parts.node.inputs, {**parts.node.attrs, "body": wider}, parts.node.source))

    def stack(n: Node) -> Node:
        row = _row_of(n, rows)
        found = (
            parts.xs[row] if row is not None else pick(builder, made.node, made.stack(parts.stacked + extra.index(n)))
        )
        return _shaped(builder, found, (parts.length * n.shape[0], n.shape[1])).node

    results = {}
    for place in asked:
        results[place] = pick(builder, made.node, place if place < parts.history(0) else place + len(extra))
        if place in sums:
            a, b = (_traced(builder, stack(n)) for n in wanted[place])
            results[place] = (_traced(builder, parts.inits[place]) + a.T @ b).node
    return results


def _least(size) -> int:
    return hint(size) or FEW


def _side(inner: Builder, done: dict[Node, Node], operand: Node, left: bool) -> Node:
    """What is stacked of an operand: rows whose product, over all steps, is the sum of the products."""
    if not left:
        return done[operand]
    if operand.op is views.transpose:
        return done[operand.inputs[0]]
    if operand.op is views.reshape and operand.shape[1] == 1:  # a column: the same numbers as a row
        return inner.add(views.reshape, (done[operand.inputs[0]],), {"shape": operand.shape[::-1]}, operand.source)
    return inner.add(views.transpose, (done[operand],), {"perm": (1, 0)}, operand.source)
