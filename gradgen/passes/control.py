"""Graph -> Graph: loops and branches carry no more than what is asked of them.

    in:  loop(x, t; w, v): x, t = f(x, w), t          with t and v never read, w in the carry and never changed
    out: loop(x; w): x = f(x, w)

A carry stays if its last value, its history, another carry that stays, or the condition needs it. A carry that every
step hands on unchanged becomes a value from outside.
"""

from __future__ import annotations

from collections.abc import Callable

from gradgen.ir.graph import Builder, Graph, Node, reachable
from gradgen.ops import leaves, views
from gradgen.ops.control import Parts, branch, is_item, loop, pick
from gradgen.ops.record import CONTROL
from gradgen.ops.subgraphs import subgraph


def within(attrs: dict, function: Callable[[Graph], Graph]) -> dict:
    """The attributes of a node, with a pass applied to the graphs among them."""
    return {k: function(v) if isinstance(v, Graph) else v for k, v in attrs.items()}


def rewritten(
    graph: Graph, function: Callable[[Graph], Graph], rule: Callable[[Builder, Node, dict[Node, Node]], Node | None]
) -> Graph:
    """The graph with what `rule` makes of its nodes, or copies where that is None; `function`: the pass, for within."""
    builder = Builder()
    done: dict[Node, Node] = {}
    for node in graph.nodes:
        made = rule(builder, node, done)
        if made is None:
            builder.copy(node, done, within(node.attrs, function))
        else:
            builder.name(made, node, done)
    return graph.made_of(done)


def trim(graph: Graph) -> Graph:
    """The graph with every loop and branch cut down to what is used of it, inner ones included."""
    while any(n.op.kind == CONTROL for n in graph.nodes):
        size, graph = _extent(graph), _trimmed(graph)
        if _extent(graph) == size:  # what one loop asked of another before it may be gone with what it was for
            break
    return graph


def _extent(graph: Graph) -> int:
    return sum(1 + len(n.inputs) for n in graph.nodes)


def _trimmed(graph: Graph) -> Graph:
    asked = _asked(graph)
    builder = Builder()
    done: dict[Node, Node] = {}
    results: dict[Node, dict[int, Node]] = {}  # of a loop or branch: place -> what stands for that result now
    for node in graph.nodes:
        if is_item(node):
            done[node] = results[node.inputs[0]][node.attrs["place"]]
            done[node].label = node.label or done[node].label
            continue
        if node.op.kind == CONTROL:
            made = _loop if node.op is loop else _branch
            results[node] = made(builder, node, asked[node], done)
            continue
        if all(n in done for n in node.inputs):  # else only a part of a loop that went asked for it
            builder.copy(node, done)
    return graph.made_of(done)


def _asked(graph: Graph) -> dict[Node, set[int]]:
    """Per loop and branch, the places of the results that something uses."""
    found: dict[Node, set[int]] = {}
    for node in graph.nodes:
        if is_item(node):
            found.setdefault(node.inputs[0], set()).add(node.attrs["place"])
    return found


def _used(outputs) -> set[Node]:
    return {n for n in reachable(outputs) if n.op is leaves.input}


# -- loops


def _kept_carries(parts: Parts, body: Graph, check: Graph | None, asked: set[int], fixed: set[int]) -> set[int]:
    count, tests = parts.carries, _used(check.outputs) if check else set()
    places = {n: k for g in (body, check) if g for k, n in enumerate(g.inputs[1 : count + 1])}
    found = {k for k in range(count) if {k, parts.history(k)} & asked} - fixed
    ys = [body.outputs[count + k] for k in range(parts.stacked) if parts.stack(k) in asked]
    while True:
        needed = _used([*(body.outputs[k] for k in found), *ys]) | tests
        more = {places[n] for n in needed if n in places} - fixed
        if more <= found:
            return found
        found |= more


def _loop(builder: Builder, node: Node, asked: set[int], done: dict[Node, Node]) -> dict[int, Node]:
    parts = Parts(node)
    attrs = within(node.attrs, trim)
    body, check, count = attrs["body"], attrs["condition"], parts.carries
    # a number of steps that is asked of a loop is the loop's own business: it needs no carry
    fixed = {k for k in range(count) if body.outputs[k] is body.inputs[1 + k]}
    fixed = set() if node.attrs["limit"] is not None else fixed  # it may raise: it stays where its result is used
    fixed = {k for k in fixed if not (parts.is_open and parts.history(k) in asked)}  # its rows are known by running it
    kept = sorted(_kept_carries(parts, body, check, asked, fixed))
    stacked = [k for k in range(parts.stacked) if parts.stack(k) in asked]
    outputs = [*(body.outputs[k] for k in kept), *(body.outputs[count + k] for k in stacked)]
    used = _used(outputs) | (_used(check.outputs) if check else set())
    tested = set(check.inputs) if check else set()
    index, carries, rows, outside = parts.split(body.inputs)
    twin = dict(zip(body.inputs, check.inputs, strict=True)) if check else {}

    def is_used(n: Node) -> bool:
        return n in used or (n in twin and twin[n] in used)

    xs = [k for k, n in enumerate(rows) if is_used(n)]
    still = [k for k in sorted(fixed) if is_used(carries[k])]
    out = [k for k, n in enumerate(outside) if is_used(n)]
    order = [index, *(carries[k] for k in kept), *(rows[k] for k in xs), *(carries[k] for k in still),
             *(outside[k] for k in out)]  # fmt: skip
    assert not tested or all(n in twin for n in order)
    check = subgraph([twin[n] for n in order], check.outputs, check.name) if check else None
    body = subgraph(order, outputs, body.name)
    attrs = {**attrs, "body": body, "condition": check, "carries": len(kept), "rows": len(xs)}
    operands = [parts.inits[k] for k in kept] + [parts.xs[k] for k in xs] + [parts.inits[k] for k in still]
    operands = [*([parts.count] if parts.count else []), *operands, *(parts.outside[k] for k in out)]
    made = builder.add(loop, [done[n] for n in operands], attrs, node.source)
    return _results(builder, parts, Parts(made), (kept, stacked, fixed), asked, done)


def _results(builder: Builder, old: Parts, new: Parts, places: tuple, asked: set[int], done: dict) -> dict[int, Node]:
    kept, stacked, fixed = places
    at = {k: place for place, k in enumerate(kept)}
    where = {**at, old.steps: new.steps}
    where |= {old.history(k): new.history(place) for k, place in at.items()}
    where |= {old.stack(k): new.stack(place) for place, k in enumerate(stacked)}
    found = {}
    for place in asked:
        if place in where:
            found[place] = pick(builder, new.node, where[place])
            continue
        k = next(k for k in fixed if place in (k, old.history(k)))
        found[place] = done[old.inits[k]]
        if place != k:
            shape = (old.length, *found[place].shape)
            found[place] = builder.add(views.broadcast_to, (found[place],), {"shape": shape}, new.node.source)
    return found


# -- branches


def _branch(builder: Builder, node: Node, asked: set[int], done: dict[Node, Node]) -> dict[int, Node]:
    attrs, places = within(node.attrs, trim), sorted(asked)
    sides = [attrs["then"], attrs["otherwise"]]
    used = [_used([g.outputs[k] for k in places]) for g in sides]
    wanted = [k for k in range(len(sides[0].inputs)) if any(g.inputs[k] in u for g, u in zip(sides, used, strict=True))]
    cut = {g.name: subgraph([g.inputs[k] for k in wanted], [g.outputs[k] for k in places], g.name) for g in sides}
    operands = [done[node.inputs[0]], *(done[node.inputs[1 + k]] for k in wanted)]
    made = builder.add(branch, operands, cut, node.source)
    return {k: pick(builder, made, place) for place, k in enumerate(places)}
