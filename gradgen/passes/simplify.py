"""Graph -> Graph: constants folded, algebra applied, views composed, dead nodes left behind.

    in:  %3 = broadcast_to(2.0) ; %4 = power(x, %3) ; %5 = multiply(%4, broadcast_to(1.0))
    out: %3 = square(x)

Nodes are rebuilt from the inputs up, each simplified until no rule fits; a rule only looks at a node and what it is
made of, so one sweep is enough.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from gradgen.ir.graph import Builder, Constant, Graph, Node
from gradgen.ir.sizes import Dim, product
from gradgen.ops import arithmetic, leaves, views
from gradgen.ops.record import ELEMENTWISE, REDUCTION, VIEW
from gradgen.passes.algebra import ROWS
from gradgen.passes.control import within
from gradgen.passes.patterns import build, match, scalar_value
from gradgen.trace.tracer import constant

_BY_OP = defaultdict(list)
for _row in ROWS:
    _BY_OP[_row[0].op].append(_row)


def simplify(graph: Graph) -> Graph:
    """The graph of the same function, by the rules of passes/algebra.py and of this module."""
    builder = Builder()
    done: dict[Node, Node] = {}
    for node in graph.nodes:
        inputs = [done[n] for n in node.inputs]
        attrs = within(node.attrs, simplify)
        builder.name(_simplest(builder, builder.add(node.op, inputs, attrs, node.source)), node, done)
    return graph.made_of(done)


def _simplest(builder: Builder, node: Node) -> Node:
    for _ in range(100):
        better = _step(builder, node)
        if better is None or better is node:
            return node
        node = better
    raise AssertionError(f"rewrite rules run in circles at {node}")


def _step(builder: Builder, node: Node) -> Node | None:
    """One rule applied, or None."""
    rules = {ELEMENTWISE: (_fold, _cast, _truth, _algebra, _lower), REDUCTION: (_reduce,), VIEW: (_view,)}
    for rule in rules.get(node.op.kind, ()):
        better = rule(builder, node)
        if better is not None:
            assert better.type == node.type, (rule, node, better)
            return better
    return None


def _scalar(builder: Builder, value, node: Node) -> Node:
    """A number at the type of a node."""
    with np.errstate(all="ignore"):
        number = constant(builder, np.asarray(value).astype(node.dtype))
    return _spread(builder, number, node.shape)


def _spread(builder: Builder, node: Node, shape) -> Node:
    return builder.add(views.broadcast_to, (node,), {"shape": tuple(shape)}, node.source) if shape else node


def _fold(builder: Builder, node: Node) -> Node | None:
    """An op over numbers is a number."""
    values = [scalar_value(n) for n in node.inputs]
    if any(v is None for v in values) or node.op is leaves.stop_gradient:
        return None
    with np.errstate(all="ignore"):
        typed = [n.dtype.type(v) for n, v in zip(node.inputs, values, strict=True)]
        return _scalar(builder, node.op.eval(*typed, **node.attrs), node)


def _cast(builder: Builder, node: Node) -> Node | None:
    if node.op is leaves.astype and node.inputs[0].dtype == node.dtype:
        return node.inputs[0]
    (x,) = node.inputs if node.op is leaves.astype else (None,)
    if x is not None and x.op is arithmetic.where and all(scalar_value(n) is not None for n in x.inputs[1:]):
        # a choice between numbers is made in the dtype that is wanted
        numbers = [_scalar(builder, scalar_value(n), node) for n in x.inputs[1:]]
        return builder.add(arithmetic.where, (x.inputs[0], *numbers), {}, node.source)
    return None


def _truth(builder: Builder, node: Node) -> Node | None:
    """A bool made a number and compared with 0 is the bool."""
    if node.op is not arithmetic.greater or scalar_value(node.inputs[1]) != 0:
        return None
    x = node.inputs[0]
    return x.inputs[0] if x.op is leaves.astype and x.inputs[0].dtype == bool else None


def _algebra(builder: Builder, node: Node) -> Node | None:
    for pattern, replacement, condition in _BY_OP[node.op.name]:
        bound: dict = {}
        if match(pattern, node, bound) and (condition is None or condition(bound, node.type)):
            return _rebuild(builder, build(replacement, node, bound, builder), node)
    return None


def _rebuild(builder: Builder, made: Node, node: Node) -> Node:
    """Simplify the operands that a rule made; a match through a broadcast may have lost the shape."""
    if made.inputs and made is not node:
        inputs = [_simplest(builder, n) if n.id > node.id else n for n in made.inputs]
        made = builder.add(made.op, inputs, made.attrs, made.source)
    return made


def _lower(builder: Builder, node: Node) -> Node | None:
    """op(broadcast(x), broadcast(y)) = broadcast(op(x, y))"""
    operands = []
    for n in node.inputs:
        inner = n.inputs[0] if n.op is views.broadcast_to else n if scalar_value(n) is not None else None
        if inner is None or n.shape == ():
            return None
        operands.append(inner)
    shapes = {n.shape for n in operands if scalar_value(n) is None}
    if len(shapes) != 1:
        return None
    (shape,) = shapes
    small = [n if n.shape == shape else _scalar_at(builder, n, shape) for n in operands]
    inner = _simplest(builder, builder.add(node.op, small, node.attrs, node.source))
    return _spread(builder, inner, node.shape)


def _scalar_at(builder: Builder, n: Node, shape) -> Node:
    return _spread(builder, constant(builder, np.asarray(scalar_value(n), n.dtype)), shape)


def _reduce(builder: Builder, node: Node) -> Node | None:
    """sum(broadcast(x)) = x * count, for axes that x does not have."""
    (x,) = node.inputs
    if node.op.name != "sum" or x.op is not views.broadcast_to or not node.type.is_float:
        return None
    inner, axes = x.inputs[0], node.attrs["axes"]
    lead = len(x.shape) - len(inner.shape)
    if any(a >= lead and inner.shape[a - lead] != 1 for a in axes):
        return None
    count = product(x.shape[a] for a in axes)
    if count == 0:
        return None  # the sum of nothing is 0, and inf * 0 is not
    shape = tuple(s for k, s in enumerate(inner.shape) if k + lead not in axes)
    small = inner if shape == inner.shape else builder.add(views.reshape, (inner,), {"shape": shape}, node.source)
    number = builder.add(leaves.size, (), {"size": count}, node.source) if isinstance(count, Dim) else None
    if number is None:
        number = constant(builder, np.asarray(count, node.dtype))
    else:
        number = builder.add(leaves.astype, (number,), {"dtype": node.dtype}, node.source)
    small = _simplest(builder, _spread_to(builder, _simplest(builder, small), node.shape))
    return builder.add(arithmetic.multiply, (small, _spread(builder, number, node.shape)), {}, node.source)


def _spread_to(builder: Builder, node: Node, shape) -> Node:
    return node if node.shape == tuple(shape) else _spread(builder, node, shape)


def _view(builder: Builder, node: Node) -> Node | None:
    """Views that change nothing, views of views, views of numbers and of constants."""
    (x,) = node.inputs
    if node.type == x.type and (node.op in (views.reshape, views.broadcast_to) or _is_identity(node)):
        return x
    if scalar_value(x) is not None and (x.shape != () or node.op is views.reshape):
        return _scalar(builder, scalar_value(x), node)
    if x.op is node.op and node.op in (views.reshape, views.broadcast_to):
        return builder.add(node.op, x.inputs, node.attrs, node.source)
    if x.op is node.op is views.transpose:
        perm = tuple(x.attrs["perm"][p] for p in node.attrs["perm"])
        return builder.add(views.transpose, x.inputs, {"perm": perm}, node.source)
    if node.op is views.broadcast_to and x.op is views.reshape and _adds_leading_axes(x):
        return builder.add(views.broadcast_to, x.inputs, node.attrs, node.source)  # leading unit axes are implied
    if isinstance(x.attrs.get("value"), Constant) and node.op is not views.broadcast_to:
        return constant(builder, node.op.eval(x.attrs["value"].array, **node.attrs))
    return None


def _adds_leading_axes(x: Node) -> bool:
    inner = x.inputs[0].shape
    return len(inner) <= len(x.shape) and x.shape[len(x.shape) - len(inner) :] == inner


def _is_identity(node: Node) -> bool:
    attrs = node.attrs
    if node.op is views.transpose:
        return attrs["perm"] == tuple(range(len(attrs["perm"])))
    return node.op is views.slice_ and all(s == 0 for s in attrs["starts"]) and all(s == 1 for s in attrs["steps"])
