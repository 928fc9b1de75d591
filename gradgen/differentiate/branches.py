"""Branches: their adjoints, tangents and batches, each a branch again; only a batch that differs takes both sides.

A branch computes again what its derivative needs: nothing is kept of the side that was not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradgen.differentiate.loops import named, zeros
from gradgen.differentiate.rules import carries, node_of, wrap
from gradgen.differentiate.substitute import substitute
from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops.control import branch, pick
from gradgen.ops.leaves import fresh
from gradgen.ops.subgraphs import close, inline

SIDES = ("then", "otherwise")


def made_branch(builder: Builder, node: Node, inputs: Sequence[Node], actual: Sequence[Node], sides) -> Node:
    """A branch on the predicate of `node`. `sides`: the outputs of each, over `inputs`, for which `actual` stands."""
    count = len(sides[0])
    both, outside = close(inputs, [*sides[0], *sides[1]], "both", since=-1)  # no work outside of the side it is for
    halves = (both.outputs[:count], both.outputs[count:])
    graphs = {name: Graph(both.inputs, outs, name, both.input_names) for name, outs in zip(SIDES, halves, strict=True)}
    return builder.add(branch, (node.inputs[0], *actual, *outside), graphs, node.source)


def adjoint(
    builder: Builder, node: Node, given: dict[int, Node], live: set[Node], pullback: Callable
) -> list[tuple[Node, Node]]:
    """(operand, cotangent) for the operands in `live`. `given`: place of a result -> its cotangent."""
    operands = node.inputs[1:]
    inputs = [fresh(builder, n.type, inner.label) for n, inner in zip(operands, node.attrs["then"].inputs, strict=True)]
    gs = {place: fresh(builder, g.type, "g") for place, g in given.items()}
    wanted = [k for k, n in enumerate(operands) if n in live and carries(n)]
    found = []
    for side in SIDES:
        outs = inline(builder, node.attrs[side], inputs)
        found.append(pullback(builder, [outs[k] for k in gs], list(gs.values()), [inputs[k] for k in wanted]))
    places = [i for i in range(len(wanted)) if any(side[i] is not None for side in found)]
    if not places:
        return []
    sides = [[side[i] or zeros(builder, inputs[wanted[i]]) for i in places] for side in found]
    made = made_branch(builder, node, [*inputs, *gs.values()], [*operands, *given.values()], sides)
    return [(operands[wanted[i]], pick(builder, made, k)) for k, i in enumerate(places)]


def tangents(builder: Builder, node: Node, known: dict[Node, Node], pushforward: Callable) -> dict[int, Node]:
    """Place of a result -> its tangent, for those that have one. `known`: operand -> its tangent."""
    operands = node.inputs[1:]
    inputs = [fresh(builder, n.type, inner.label) for n, inner in zip(operands, node.attrs["then"].inputs, strict=True)]
    moving = [k for k, n in enumerate(operands) if n in known]
    ts = [fresh(builder, operands[k].type, named("t", inputs[k])) for k in moving]
    wrt, outs, pushed = [inputs[k] for k in moving], [], []
    for side in SIDES:
        outs.append(inline(builder, node.attrs[side], inputs))
        pushed.append(pushforward(builder, outs[-1], wrt, ts))
    places = [k for k in range(len(outs[0])) if any(side[k] is not None for side in pushed)]
    if not places:
        return {}
    sides = [[t[k] or zeros(builder, out[k]) for k in places] for t, out in zip(pushed, outs, strict=True)]
    made = made_branch(builder, node, [*inputs, *ts], [*operands, *(known[operands[k]] for k in moving)], sides)
    return {place: pick(builder, made, k) for k, place in enumerate(places)}


def batch(
    builder: Builder, node: Node, given: Sequence[tuple[Node, bool]], size, differing: Callable
) -> list[tuple[Node, bool]]:
    """Every result, and whether it differs. `given`: likewise the operands; `differing`: see batch.py."""
    (pred, split), *operands = given
    plain = [fresh(builder, n.type, n.label) for n in node.attrs["then"].inputs]
    takes = [fresh(builder, n.type, x.label) if varies else x for x, (n, varies) in zip(plain, operands, strict=True)]
    mapping = {x: y for x, y in zip(plain, takes, strict=True) if x is not y}
    sides = [differing(builder, inline(builder, node.attrs[side], plain), mapping, size) for side in SIDES]
    varies = [split or a[1] or b[1] for a, b in zip(*sides, strict=True)]
    outs = [
        [_spread(builder, n, size) if wanted and not has else n for (n, has), wanted in zip(side, varies, strict=True)]
        for side in sides
    ]
    actual = [n for n, _ in operands]
    if split:
        return [(n, True) for n in _both_sides(builder, pred, takes, actual, outs)]
    made = made_branch(builder, Node(node.op, (pred,), {}, None, node.source, 0), takes, actual, outs)
    return [(pick(builder, made, k), wanted) for k, wanted in enumerate(varies)]


def _spread(builder: Builder, n: Node, size) -> Node:
    return node_of(np.broadcast_to(wrap(builder, n), (size, *n.shape)))


def _both_sides(builder: Builder, pred: Node, inputs: Sequence[Node], actual: Sequence[Node], sides) -> list[Node]:
    """The predicate differs: both sides for all, then a choice for each."""
    found = []
    for a, b in zip(*sides, strict=True):
        x, y = (wrap(builder, n) for n in substitute(builder, (a, b), dict(zip(inputs, actual, strict=True))))
        mask = np.reshape(wrap(builder, pred), (*pred.shape, *(1,) * (x.ndim - 1)))
        found.append(node_of(np.where(np.broadcast_to(mask, x.shape), x, y)))
    return found
