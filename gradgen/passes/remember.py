"""Graph -> Graph: what an adjoint loop computes again, or the loop before it keeps: whichever is cheaper.

    in:  for i: x = f(g(x))                 out: for i: kept[i] = g(x) ; x = f(kept[i])
         for i, reversed: ... g(past[i])         for i, reversed: ... kept[i]

An adjoint loop starts from the history of the carries and computes a step again. Of the values that it needs from
that step each is either stored by the first loop and loaded, or computed from others; which choice costs least in all
is a minimum cut of the step's graph, so that a cheap step is stored as its carries alone and an expensive one as what
it made of them. The method is that of rematerialization by minimum cut (Zhao et al. 2022, the partitioner of PyTorch's
AOTAutograd); costs are in multiplications, and the memory that is stored is not limited here: see `checkpoint`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradgen.ir.graph import Builder, Graph, Node, dependents, reachable
from gradgen.ir.sizes import hint
from gradgen.ops.control import Parts, is_item, loop, pick, run_symbols
from gradgen.ops.record import CALL, CONTROL, ELEMENTWISE, GATHER, LEAF, REDUCTION, SCATTER, UPDATE
from gradgen.ops.subgraphs import subgraph
from gradgen.passes.control import trim, within
from gradgen.passes.mincut import source_side

RELOAD = 5.1  # what storing and loading an element costs, in multiplications
ENDLESS = float("inf")


def remember(graph: Graph) -> Graph:
    """The graph with its adjoint loops, inner ones included, at the least cost."""
    if not any(n.op.kind == CONTROL for n in graph.nodes):
        return graph
    for back in [n for n in graph.nodes if n.op is loop]:
        pair = _pair(back)
        kept = _kept(pair) if pair is not None else []
        if pair is not None and kept:
            return remember(trim(_rebuilt(graph, pair, kept)))
    builder = Builder()
    done: dict[Node, Node] = {}
    for n in graph.nodes:
        builder.copy(n, done, within(n.attrs, remember))
    return graph.made_of(done)


@dataclass(frozen=True)
class Pair:
    """A loop, its adjoint, and what inputs of the adjoint's body are in the body of the loop."""

    first: Parts
    back: Parts
    same: dict[Node, Node]


def _pair(back: Node) -> Pair | None:
    parts = Parts(back)
    found = [x.inputs[0] for x in parts.xs if is_item(x) and x.inputs[0].op is loop]
    firsts = [Parts(n) for n in found if _is_history(Parts(n), parts)]
    if not firsts:
        return None
    first = max(firsts, key=lambda p: p.node.id)
    index, carries, rows, outside = first.split(first.body.inputs)
    own_index, _, own_rows, own_outside = parts.split(parts.body.inputs)
    same = {own_index: index}
    for row, x in zip(own_rows, parts.xs, strict=True):
        if is_item(x) and x.inputs[0] is first.node:
            k = x.attrs["place"] - first.history(0)
            if 0 <= k < first.carries:
                same[row] = carries[k]
        elif x in first.xs:
            same[row] = rows[first.xs.index(x)]
    for n, x in zip(own_outside, parts.outside, strict=True):
        if x in first.outside:
            same[n] = outside[first.outside.index(x)]
    return Pair(first, parts, same)


def _is_history(first: Parts, back: Parts) -> bool:
    places = [x.attrs["place"] for x in back.xs if is_item(x) and x.inputs[0] is first.node]
    same_steps = first.length == back.length and back.condition is None and not first.node.attrs["forget"]
    return same_steps and any(first.history(0) <= place < first.steps for place in places)


# -- costs


def _number(size) -> float:
    found = hint(size)
    return float(found) if found is not None else 64.0


def work(node: Node) -> float:
    """What it costs to compute a value from its operands, in multiplications."""
    kind = node.op.kind
    if kind == ELEMENTWISE:
        return node.op.weight * _number(node.type.size)
    if kind == REDUCTION:
        return _number(node.inputs[0].type.size)
    if kind == CALL:
        return 0.4 * _number(node.type.size) * _number(node.inputs[0].shape[-1]) + 100.0
    if kind in (GATHER, SCATTER, UPDATE):
        return 2.0 * _number(node.type.size)
    if node.op is loop:
        return _number(node.attrs["length"]) * sum(work(n) for n in node.attrs["body"].nodes)
    if kind == CONTROL and not is_item(node):
        return max(sum(work(n) for n in node.attrs[side].nodes) for side in ("then", "otherwise"))
    return 0.0


def _storage(node: Node) -> float:
    if isinstance(node.type, tuple) or any(run_symbols(n) for n in node.shape):
        return ENDLESS
    return RELOAD * _number(node.type.size)


def _kept(pair: Pair) -> list[Node]:
    """The values of the adjoint's body, other than its inputs, that the first loop had better store."""
    body = pair.back.body
    nodes = body.nodes
    given = set(body.inputs)
    own = dependents([n for n in body.inputs if n not in pair.same], nodes)
    step = [n for n in nodes if n not in own and n.op.kind != LEAF]  # what the first loop computed too
    inside = set(step) | (given - own)
    needed = {i for n in own for i in n.inputs if i in inside}
    needed |= {n for n in body.outputs if n in inside}
    free = {row for row, n in pair.same.items() if n not in pair.first.split(pair.first.body.inputs)[1]}
    carries = {n for n in given - own if n not in free}
    step = [n for n in reachable(needed, stop=given) if n in inside and n not in given]
    if not step:
        return []
    return _cut(step, needed, carries)


def _cut(step: list[Node], needed: set[Node], carries: set[Node]) -> list[Node]:
    """The stored values of a minimum cut: source -> needed -> (stored: to its computation | computed: to operands)."""
    values = [*step, *carries]
    place = {n: 2 + 2 * k for k, n in enumerate(values)}  # available; and one more: computed again
    edges: dict[tuple[int, int], float] = {}
    for n in values:
        at = place[n]
        if n in needed:
            edges[0, at] = ENDLESS
        if n in carries:
            edges[at, 1] = _storage(n)
            continue
        edges[at, at + 1] = _storage(n)
        edges[at + 1, 1] = work(n)
        for i in n.inputs:
            if i in place:
                edges[at + 1, place[i]] = ENDLESS
    side = source_side(edges, 0, 1)
    return [n for n in step if place[n] in side and place[n] + 1 not in side and _is_worth_a_row(n)]


def _is_worth_a_row(node: Node) -> bool:
    return not isinstance(node.type, tuple)


# -- rebuilding


def _rebuilt(graph: Graph, pair: Pair, kept: list[Node]) -> Graph:
    builder = Builder()
    done: dict[Node, Node] = {}
    first, back = pair.first, pair.back
    wider: Parts | None = None
    for n in graph.nodes:
        if n is first.node:
            wider = Parts(_storing(builder, pair, kept, done))
            builder.name(wider.node, n, done)
        elif n is back.node:
            assert wider is not None
            builder.name(_loading(builder, pair, kept, wider, done), n, done)
        elif is_item(n) and n.inputs[0] is first.node:
            assert wider is not None
            place = n.attrs["place"]
            builder.name(pick(builder, wider.node, place if place < first.history(0) else place + len(kept)), n, done)
        else:
            builder.copy(n, done)
    return graph.made_of(done)


def _storing(builder: Builder, pair: Pair, kept: list[Node], done: dict[Node, Node]) -> Node:
    """The first loop, with what is kept among its stacked results."""
    inner, body = Builder(), pair.first.body
    known: dict[Node, Node] = {}
    for n in body.nodes:
        inner.copy(n, known)
    twin = {n: known[m] for n, m in pair.same.items() if m in known}
    for n in reachable(kept, stop=set(pair.back.body.inputs)):
        if n not in twin:
            inner.copy(n, twin)
    outputs = (*(known[n] for n in body.outputs), *(twin[n] for n in kept))
    wider = Graph(tuple(known[n] for n in body.inputs), outputs, body.name, body.input_names)
    operands = [done[n] for n in pair.first.node.inputs]
    return builder.add(loop, operands, {**pair.first.node.attrs, "body": wider}, pair.first.node.source)


def _loading(builder: Builder, pair: Pair, kept: list[Node], wider: Parts, done: dict[Node, Node]) -> Node:
    """The adjoint, with what is kept among its rows."""
    back = pair.back
    index, carries, rows, outside = back.split(back.body.inputs)
    body = subgraph([index, *carries, *rows, *kept, *outside], back.body.outputs, back.body.name)
    count = wider.stacked - len(kept)
    stacks = [pick(builder, wider.node, wider.stack(count + k)) for k in range(len(kept))]
    operands = [*([back.count] if back.count else []), *back.inits, *back.xs]
    given = [*(done[n] for n in operands), *stacks, *(done[n] for n in back.outside)]
    return builder.add(loop, given, {**back.node.attrs, "body": body, "rows": back.rows + len(kept)}, back.node.source)
