"""Reverse mode: cotangents of outputs -> cotangents of inputs, as new nodes of the same graph.

    y = x*x ; z = y + y          g_z -> g_y = g_z + g_z -> g_x = g_y * 2x

Un-broadcasting needs no code here: a broadcast is a node, and its transpose is a sum. Accumulation is here and
nowhere else.

A cotangent travels with a mask. `where(c, log(x), 0)` hands its branch the cotangent where(c, g, 0) and the mask c;
the product with 1/x is masked again, since 0 * inf is nan. The mask must be a value of the primal computation and
not `g != 0`: for where(x > -1, square(sin(x)), 0) at x = 0 the cotangent of sin(x) is 0 in the branch that was taken,
and a mask made from it would lose the second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradgen.differentiate import branches, loops
from gradgen.differentiate.rules import carries, has_local_gradients, local_gradients, no_rule, scale, wrap
from gradgen.ir.graph import Builder, Node, dependents, reachable
from gradgen.ops import arithmetic, leaves
from gradgen.ops.control import is_item, loop
from gradgen.ops.record import CALL, CONTROL, REDUCTION
from gradgen.ops.reductions import spread


@dataclass(frozen=True)
class Mask:
    """Where a cotangent counts; `value` is evaluated only where a product needs it.

    `guard`: whether it shields from values that may be nan or inf. where(z > 0, z, 0) does not: it chooses by the very
    value that it routes. `local`: made by maximum and its kin, which shield elementwise neighbours and nothing beyond.
    """

    value: Callable[[], Any]
    guard: bool
    local: bool


@dataclass(frozen=True)
class Cotangent:
    """A cotangent, exactly zero where its mask is false. No mask: it counts everywhere."""

    value: Any
    mask: Mask | None = None


def pullback(
    builder: Builder, outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node]
) -> list[Node | None]:
    """The cotangents of `wrt` (None where nothing flows), given those of `outputs`."""
    live = dependents(wrt, reachable((*outputs, *wrt)))
    received: dict[Node, list] = {n: [] for n in live}
    for output, g in zip(outputs, cotangents, strict=True):
        if output in live and carries(output):
            received[output].append(Cotangent(wrap(builder, g)))
    found: dict[Node, Node] = {}
    outer = builder.origin
    # By falling id, not by recursion: in c = b + b, b must receive both contributions before it passes any on.
    for node in sorted(live, key=lambda n: -n.id):
        if not received[node]:
            continue
        builder.origin = node.source or builder.origin
        if node.op.kind == CONTROL and not is_item(node):
            for operand, contribution in _pull_control(builder, node, dict(received.pop(node)), live):
                received[operand].append(contribution)
            continue
        total = _join(received.pop(node))
        if node.label and total.value.node.label is None and total.value.node.inputs:
            total.value.node.label = f"g_{node.label}"
        if node in wrt:
            found[node] = total.value.node
        else:
            for operand, contribution in _pull(builder, node, total, live):
                received[operand].append(contribution)
    builder.origin = outer
    return [found.get(n) for n in wrt]


def _join(parts: list[Cotangent]) -> Cotangent:
    value, mask = parts[0].value, parts[0].mask
    for part in parts[1:]:
        value = value + part.value
        mask = _either(mask, part.mask)
    return Cotangent(value, mask)


def _either(a: Mask | None, b: Mask | None) -> Mask | None:
    if a is None or b is None:
        return None
    left, right = a.value(), b.value()
    # Both branches of one `where`: together they count everywhere.
    for p, q in ((left.node, right.node), (right.node, left.node)):
        if p.op is arithmetic.logical_not and p.inputs[0] is q:
            return None
    joined = np.logical_or(left, right)
    return Mask(lambda: joined, a.guard or b.guard, a.local or b.local)


def _pull(builder: Builder, node: Node, g: Cotangent, live: set[Node]):
    """(operand, cotangent) for every operand that derivatives flow to."""
    if is_item(node):
        yield node.inputs[0], (node.attrs["place"], g)
        return
    if node.op.kind == leaves.input.kind:
        return
    places = [k for k, n in enumerate(node.inputs) if n in live and carries(n)]
    if has_local_gradients(node):
        partials, masks = local_gradients(builder, node)
        for k in places:
            if partials[k] is not None:
                yield node.inputs[k], _through_partial(builder, node, g, k, partials[k], masks[k])
    elif node.op.transposes:
        for k in places:
            if node.op.transposes[k] is not None:
                yield node.inputs[k], _through_transpose(builder, node, g, k)
    elif places:
        raise no_rule(node)


def _pull_control(builder: Builder, node: Node, given: dict[int, Cotangent], live: set[Node]):
    """Through a loop or a branch. Masks end there: if no result of it counts at all, nothing of it does."""
    rule = loops.adjoint if node.op is loop else branches.adjoint
    masks = [g.mask for g in given.values() if g.mask is not None and not g.mask.local]
    guarded = len(masks) == len(given)
    for operand, g in rule(builder, node, {place: c.value.node for place, c in given.items()}, live, pullback):
        value = wrap(builder, g)
        if not guarded:
            yield operand, Cotangent(value)
            continue
        counts = np.any(masks[0].value())
        for mask in masks[1:]:
            counts = np.logical_or(counts, np.any(mask.value()))
        spread = np.broadcast_to(counts, g.shape)
        mask = Mask(partial(_given, spread), any(m.guard for m in masks), False)
        yield operand, Cotangent(np.where(spread, value, 0).astype(g.dtype), mask)


def _given(mask):
    return mask


def _through_partial(builder: Builder, node: Node, g: Cotangent, k: int, partial, route) -> Cotangent:
    operand = node.inputs[k]
    value, mask = g.value, g.mask
    if node.op.kind == REDUCTION:
        x, axes = wrap(builder, operand), node.attrs["axes"]
        value = spread(value, x, axes)
        mask = None if mask is None else _spread_mask(mask, x, axes)
    value = scale(value, partial)
    if mask is not None and not isinstance(partial, (int, float)):
        value = np.where(mask.value(), value, 0)
    if route is not None:
        value = np.where(route, value, 0)
        mask = _routed(mask, route, not _is_kink(node, operand), node.op is not arithmetic.where)
    return Cotangent(value.astype(operand.dtype), mask)


def _spread_mask(mask: Mask, x, axes) -> Mask:
    return Mask(lambda: spread(mask.value(), x, axes), mask.guard, mask.local)


def _routed(mask: Mask | None, route, guard: bool, local: bool) -> Mask:
    if mask is None:
        return Mask(lambda: route, guard, local)
    return Mask(lambda: np.logical_and(mask.value(), route), guard or mask.guard, local and mask.local)


def _is_kink(node: Node, operand: Node) -> bool:
    """Whether a choice is made by comparing the value that is chosen."""
    if node.op is not arithmetic.where:
        return True
    condition = node.inputs[0]
    while condition.op is arithmetic.logical_not:
        condition = condition.inputs[0]
    return operand in condition.inputs


def _through_transpose(builder: Builder, node: Node, g: Cotangent, k: int) -> Cotangent:
    xs = [wrap(builder, n) for n in node.inputs]
    transpose, mask = node.op.transposes[k], g.mask
    if mask is None or mask.local:
        return Cotangent(transpose(g.value, *xs, **node.attrs))

    def counts(place: int):
        # An operand counts where any result that counts is made from it: the same transpose, over 0s and 1s.
        if node.op.counts:
            return node.op.counts[place](mask.value(), *xs)
        ones = [np.ones_like(x) if carries(x.node) else x for x in xs]
        return node.op.transposes[place](mask.value().astype(xs[place].dtype), *ones, **node.attrs) > 0

    if node.op.kind == CALL and mask.guard:
        # The other operand meets cotangents that are 0 behind the guard: where it does not count, it may be inf.
        xs = [x if place == k else np.where(counts(place), x, 0) for place, x in enumerate(xs)]
    return Cotangent(transpose(g.value, *xs, **node.attrs), Mask(lambda: counts(k), mask.guard, False))
