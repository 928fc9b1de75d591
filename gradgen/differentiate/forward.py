"""Forward mode: tangents of inputs -> tangents of outputs, from the same rules as reverse mode.

y = x*x          t_y = 2x * t_x
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradgen.differentiate import branches, loops
from gradgen.differentiate.rules import carries, has_local_gradients, local_gradients, no_rule, scale, wrap
from gradgen.ir.graph import Builder, Node, dependents, reachable
from gradgen.ops.control import is_item, loop
from gradgen.ops.record import CONTROL, JOIN, LEAF, REDUCTION, UPDATE


def pushforward(
    builder: Builder, outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node]
) -> list[Node | None]:
    """The tangents of `outputs` (None: zero), given those of `wrt`."""
    nodes = reachable((*outputs, *wrt))
    live = dependents(wrt, nodes)
    known: dict[Node, Any] = {n: wrap(builder, t) for n, t in zip(wrt, tangents, strict=True)}
    outer = builder.origin
    results: dict[Node, dict[int, Node]] = {}  # of loops and branches: place -> tangent
    for node in nodes:
        if node.op.kind == CONTROL and node in live:
            builder.origin = node.source or outer
            if is_item(node):
                tangent = results[node.inputs[0]].get(node.attrs["place"])
                known.update({node: wrap(builder, tangent)} if tangent is not None else {})
            else:
                rule = loops.tangents if node.op is loop else branches.tangents
                moving = {n: known[n].node for n in node.inputs if n in known}
                results[node] = rule(builder, node, moving, pushforward) if moving else {}
        elif node in live and node not in known and carries(node) and node.op.kind != LEAF:
            builder.origin = node.source or outer
            tangent = _push(builder, node, known)
            if tangent is not None:
                known[node] = tangent
    builder.origin = outer
    return [known[n].node if n in known else None for n in outputs]


def _push(builder: Builder, node: Node, known: dict):
    places = [k for k, n in enumerate(node.inputs) if n in known]
    if not places:
        return None
    if has_local_gradients(node):
        terms = [_partial_term(node, known[node.inputs[k]], p, m) for k, p, m in _partials(builder, node, places)]
    elif node.op.transposes:
        terms = list(_linear_terms(builder, node, known, places))
    else:
        raise no_rule(node)
    total = None
    for term in terms:
        total = term if total is None else total + term
    return total


def _partials(builder: Builder, node: Node, places: list[int]):
    partials, masks = local_gradients(builder, node)
    return [(k, partials[k], masks[k]) for k in places if partials[k] is not None]


def _partial_term(node: Node, tangent, partial, route):
    term = scale(tangent, partial)
    if route is not None:
        term = np.where(route, term, 0)
    if node.op.kind == REDUCTION:
        term = np.sum(term, axis=node.attrs["axes"])
    return term.astype(node.dtype)


def _linear_terms(builder: Builder, node: Node, known: dict, places: list[int]):
    """A linear op is its own forward rule: jointly linear for a join or an update, one operand at a time otherwise."""
    xs = [wrap(builder, n) for n in node.inputs]
    if node.op.kind in (JOIN, UPDATE):
        moved = [x if not carries(n) else known.get(n, np.zeros_like(x)) for n, x in zip(node.inputs, xs, strict=True)]
        yield node.op(*moved, **node.attrs)
        return
    for k in places:
        if node.op.transposes[k] is not None:
            yield node.op(*(known[node.inputs[i]] if i == k else x for i, x in enumerate(xs)), **node.attrs)
