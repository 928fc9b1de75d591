"""Loops: their adjoints and their tangents. Each is a loop again, so all of it repeats.

    forward   for i:             x = f(x, w)                       with the history of x
    adjoint   for i, reversed:   x = history[i]                    the body again, from what it started with
                                 g_x, g = pullback of f at (x, w)
                                 g_w += g

What a step computed is computed again from the carry it began with; passes/remember.py finds what is cheaper to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradgen.differentiate import revolve
from gradgen.differentiate.rules import carries, wrap
from gradgen.ir.graph import Builder, Node, dependents
from gradgen.ops.control import Parts, loop, loop_attrs, pick
from gradgen.ops.leaves import fresh
from gradgen.ops.subgraphs import close, inline


class Body:
    """The body of a loop written out in a builder, over inputs of its own."""

    def __init__(self, builder: Builder, parts: Parts):
        self.builder, self.parts = builder, parts
        self.inputs = [fresh(builder, n.type, n.label) for n in parts.body.inputs]
        self.index, self.carries, self.rows, self.outside = parts.split(self.inputs)
        self.outputs = inline(builder, parts.body, self.inputs)
        self.new, self.ys = self.outputs[: parts.carries], self.outputs[parts.carries :]


def named(prefix: str, node: Node) -> str | None:
    """The name of a derivative, where its primal has one."""
    return f"{prefix}_{node.label}" if node.label else None


def zeros(builder: Builder, like: Node) -> Node:
    return np.zeros_like(wrap(builder, like)).node


# -- reverse mode


def adjoint(
    builder: Builder, node: Node, given: dict[int, Node], live: set[Node], pullback: Callable
) -> list[tuple[Node, Node]]:
    """(operand, cotangent) for the operands in `live`. `given`: place of a result -> its cotangent."""
    parts = Parts(node)
    body = Body(builder, parts)
    wanted = _wanted(parts, live)
    flowing = [k for k in range(parts.carries) if k in given or parts.history(k) in given]
    while True:
        step = _Step(builder, parts, body, flowing, given, wanted, pullback)
        more = [k for k in range(parts.carries) if k not in flowing and step.found[body.carries[k]] is not None]
        if not more:
            break
        flowing = sorted({*flowing, *more})
    snapshots = node.attrs["snapshots"] and not any(parts.history(k) in given for k in range(parts.carries))
    reversal = revolve.adjoint if snapshots else _from_history
    return [(operand, g) for operand, g in reversal(builder, parts, body, step.results(given)) if operand in live]


def _wanted(parts: Parts, live: set[Node]) -> set[int]:
    """Places among the body's inputs whose cotangents are asked for, or needed on the way."""
    body, count = parts.body, parts.carries
    operands = (*parts.inits, *parts.xs, *parts.outside)
    found = {k + 1 for k, n in enumerate(operands) if n in live and carries(n)}
    nodes = body.nodes
    while True:
        reached = dependents([body.inputs[k] for k in found], nodes)
        more = {k + 1 for k in range(count) if body.outputs[k] in reached and carries(body.outputs[k])}
        if more <= found:
            return found
        found |= more


class _Step:
    """One step of the reversed loop: the cotangents of the carries `flowing` on their way back."""

    def __init__(self, builder, parts: Parts, body: Body, flowing, given, wanted: set[int], pullback):
        self.builder, self.parts, self.body, self.flowing = builder, parts, body, flowing
        self.g = {k: fresh(builder, body.new[k].type, named("g", body.carries[k])) for k in flowing}
        self.rows: dict[int, Node] = {}  # place of a stacked result -> a row of its cotangent
        outs, gs = [body.new[k] for k in flowing], list(self.g.values())
        for k, y in enumerate(body.ys):
            if parts.stack(k) in given:
                self.rows[parts.stack(k)] = fresh(builder, y.type, "g_y")
                outs.append(y)
                gs.append(self.rows[parts.stack(k)])
        for k in range(parts.carries):
            if parts.history(k) in given:
                self.rows[parts.history(k)] = fresh(builder, body.carries[k].type, "g_past")
                outs.append(body.carries[k])
                gs.append(self.rows[parts.history(k)])
        wrt = [n for place, n in enumerate(body.inputs) if place in wanted]
        self.found: dict[Node, Node | None] = dict.fromkeys(body.inputs)
        self.found.update(zip(wrt, pullback(builder, outs, gs, wrt), strict=True))

    def results(self, given: dict[int, Node]) -> Reversal:
        """The reversed loop as its parts."""
        builder, parts, body, node = self.builder, self.parts, self.body, self.parts.node
        back = [self.found[body.carries[k]] or zeros(builder, body.carries[k]) for k in self.flowing]
        constants = [k for k, n in enumerate(body.outside) if self.found[n] is not None]
        sums = [fresh(builder, body.outside[k].type, named("g", body.outside[k])) for k in constants]
        pairs = zip(constants, sums, strict=True)
        grown = [(wrap(builder, s) + wrap(builder, self.found[body.outside[k]])).node for k, s in pairs]  # type: ignore[arg-type]
        crossed = [k for k, n in enumerate(body.rows) if self.found[n] is not None]
        inits = [given[k] if k in given else zeros(builder, pick(builder, node, k)) for k in self.flowing]
        inits += [zeros(builder, parts.outside[k]) for k in constants]
        targets = [parts.inits[k] for k in self.flowing] + [parts.outside[k] for k in constants]
        targets += [parts.xs[k] for k in crossed]
        return Reversal(
            [*self.g.values(), *sums], [*back, *grown], [self.found[body.rows[k]] for k in crossed], inits,  # type: ignore[misc]
            list(self.rows.values()), [given[place] for place in self.rows], targets,
        )  # fmt: skip


@dataclass(frozen=True)
class Reversal:
    """A step of a reversed loop: its carries (cotangents of carries, sums over constants), what they become, the
    cotangents of the rows; the first carries; rows of given cotangents, and all of them; who gets the results."""

    carries: list[Node]
    new: list[Node]
    g_rows: list[Node]
    inits: list[Node]
    rows: list[Node]
    xs: list[Node]
    targets: list[Node]


def _from_history(builder: Builder, parts: Parts, body: Body, found: Reversal) -> list[tuple[Node, Node]]:
    """The reversed loop that reads the carries of every step."""
    history = [pick(builder, parts.node, parts.history(k)) for k in range(parts.carries)]
    inputs = [body.index, *found.carries, *body.carries, *body.rows, *found.rows]
    made = made_loop(
        builder, parts, inputs, [*found.new, *found.g_rows], found.inits, [*history, *parts.xs, *found.xs],
        (body.outside, parts.outside), reverse=not parts.reverse,
    )  # fmt: skip
    return [(target, pick(builder, made, place)) for place, target in enumerate(found.targets)]


def made_loop(
    builder: Builder, parts: Parts, inputs: Sequence[Node], outputs: Sequence, inits: Sequence[Node],
    xs: Sequence[Node], outside: tuple[Sequence[Node], Sequence[Node]], *, reverse: bool, condition: Node | None = None,
    count: Node | None = None, length=None,
) -> Node:  # fmt: skip
    """A loop of as many steps as that of `parts`. `inputs`: index, carries, rows; `outside`: what stands for values
    from outside, and these values."""
    length = parts.length if length is None else length
    if condition is None and count is None and parts.is_open:
        count = parts.count or pick(builder, parts.node, parts.steps)
    both, more = close([*inputs, *outside[0]], [*([condition] if condition else []), *outputs], "body")
    test, outs = (both.outputs[:1], both.outputs[1:]) if condition is not None else ((), both.outputs)
    body = type(both)(both.inputs, outs, "body", both.input_names)
    check = type(both)(both.inputs, test, "condition", both.input_names) if test else None
    attrs = loop_attrs(body, len(inits), len(xs), length, condition=check, counted=count is not None,
                       reverse=reverse, limit=parts.node.attrs["limit"] if check else None)  # fmt: skip
    operands = [*([count] if count is not None else []), *inits, *xs, *outside[1], *more]
    return builder.add(loop, operands, attrs, parts.node.source)


# -- forward mode


def tangents(builder: Builder, node: Node, known: dict[Node, Node], pushforward: Callable) -> dict[int, Node]:
    """Place of a result -> its tangent, for those that have one. `known`: operand -> its tangent."""
    parts = Parts(node)
    body = Body(builder, parts)
    operands = (*parts.inits, *parts.xs, *parts.outside)
    moving = {k for k, n in enumerate(operands) if n in known}
    while True:
        t = {k: fresh(builder, body.inputs[k + 1].type, named("t", body.inputs[k + 1])) for k in sorted(moving)}
        wrt = [body.inputs[k + 1] for k in t]
        pushed = pushforward(builder, body.outputs, wrt, list(t.values()))
        more = {k for k in range(parts.carries) if pushed[k] is not None} - moving
        if not more:
            break
        moving |= more
    first, last = parts.carries, parts.carries + parts.rows
    inner = [k for k in t if k < first]
    crossed, fixed = [k for k in t if first <= k < last], [k for k in t if k >= last]
    new = [*body.new, *(pushed[k] or zeros(builder, body.new[k]) for k in inner)]
    stacked = [k for k in range(parts.stacked) if pushed[parts.carries + k] is not None]
    ys = [*body.ys, *(pushed[parts.carries + k] for k in stacked)]
    inits = [*parts.inits, *(known.get(operands[k]) or zeros(builder, operands[k]) for k in inner)]
    xs = [*parts.xs, *(known[operands[k]] for k in crossed)]
    inputs = [body.index, *body.carries, *(t[k] for k in inner), *body.rows, *(t[k] for k in crossed)]
    outside = ([*body.outside, *(t[k] for k in fixed)], [*parts.outside, *(known[operands[k]] for k in fixed)])
    made = made_loop(builder, parts, inputs, [*new, *ys], inits, xs, outside, reverse=parts.reverse,
                     condition=test_of(builder, parts, body), count=parts.count)  # fmt: skip
    result = Parts(made)
    found = {k: pick(builder, made, parts.carries + place) for place, k in enumerate(inner)}
    for place, k in enumerate(inner):
        found[parts.history(k)] = pick(builder, made, result.history(parts.carries + place))
    for place, k in enumerate(stacked):
        found[parts.stack(k)] = pick(builder, made, result.stack(parts.stacked + place))
    return found


def test_of(builder: Builder, parts: Parts, body: Body) -> Node | None:
    """The condition of a while loop, over the inputs of its body."""
    return inline(builder, parts.condition, body.inputs)[0] if parts.condition is not None else None
