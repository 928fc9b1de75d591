"""Graph -> Graph: a sum with a matrix product becomes a product that is added to the rest of the sum.

    w - lr * (x.T @ d)               = matmul_add(x.T, d, w, -lr)
    w - lr * (x.T @ d + decay * w)   = matmul_add(x.T, d, w - lr * (decay * w), -lr)
    a @ b + c @ d                    = matmul_add(c, d, a @ b, 1)

BLAS adds as it multiplies: that saves the product's memory, and a pass over it. So it is done where the sum is stored
in any case: where it is a result, or an operand of a library call or of control flow; and where it can take the memory
of another product. The factors on the way to the product are multiplied, which is the same up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.differentiate.rules import node_of, wrap
from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops import arithmetic, linalg, views
from gradgen.ops.record import CALL, CONTROL
from gradgen.passes.control import rewritten
from gradgen.passes.patterns import scalar_value
from gradgen.trace.tracer import constant

DEPTH = 8  # sums and factors from a result down to a product

Factor = tuple[float, Node | None]  # a number, times a scalar that only the run tells


def add_products(graph: Graph) -> Graph:
    """The graph with these sums rewritten, inner graphs included."""
    users = graph.users()

    def added(builder: Builder, node: Node, done: dict[Node, Node]) -> Node | None:
        found = _Sum(node, users, graph.outputs)
        if not found.is_worth_it():
            return None
        builder.origin = node.source
        return found.built(builder, done)

    return rewritten(graph, add_products, added)


class _Sum:
    """A sum with its matrix products taken out: `products` with their factors, `opened` on the way to them."""

    def __init__(self, root: Node, users: dict[Node, list[Node]], outputs: tuple[Node, ...]):
        self.root, self.users, self.outputs = root, users, outputs
        self.products: dict[Node, Factor] = {}
        self.opened: set[Node] = set()
        if root.op in (arithmetic.add, arithmetic.subtract) and root.type.is_float and root.type.ndim >= 2:
            self._open(root, (1.0, None), DEPTH)

    def _open(self, node: Node, factor: Factor, depth: int) -> bool:
        """Find the products in factor * node. Whether there is one."""
        if _matrices(node) is not None:
            self.products[node] = factor
            return True
        found = False
        for n, more in _terms(node, factor) if depth else ():
            alone = len(self.users[n]) == 1 and node.inputs.count(n) == 1 and n not in self.outputs
            found |= alone and _is_safe(more, node) and self._open(n, more, depth - 1)
        if found:
            self.opened.add(node)
        return found

    def is_worth_it(self) -> bool:
        """Whether the sum is stored in any case, or nothing but products."""
        if self.root in self.outputs or any(u.op.kind in (CALL, CONTROL) for u in self.users[self.root]):
            return bool(self.products)
        return len(self.products) > 1 and self._is_empty(self.root)

    def _is_empty(self, node: Node) -> bool:
        """Whether nothing is left without the products."""
        return node in self.products or (
            node in self.opened and all(self._is_empty(n) for n, _ in _terms(node, (1.0, None)))
        )

    # -- the new nodes

    def built(self, builder: Builder, done: dict[Node, Node]) -> Node:
        base = self._rest(self.root, builder, done)
        waiting = list(self.products.items())
        if base is None:
            first = next((p for p in waiting if p[1] == (1.0, None)), waiting[0])
            waiting.remove(first)
            base = wrap(builder, done[first[0]])
            base = base if first[1] == (1.0, None) else _scale(builder, first, done) * base
        for product in waiting:
            a, b = (wrap(builder, x) for x in _operands(product[0], builder, done))
            base = linalg.matmul_add(a, b, base, _scale(builder, product, done))
        return node_of(base)

    def _rest(self, node: Node, builder: Builder, done: dict[Node, Node]) -> Any:
        """The node without the products in it; None where nothing is left."""
        if node in self.products:
            return None
        if node not in self.opened:
            return wrap(builder, done[node])
        x, y = ([self._rest(n, builder, done) for n in node.inputs] + [None])[:2]
        if x is not None and (y is not None or len(node.inputs) == 1):
            return node.op(x, y) if y is not None else node.op(x)
        if node.op is arithmetic.add:
            return x if x is not None else y
        if node.op is arithmetic.subtract and (x is not None or y is not None):
            return x if x is not None else -y
        return None


def _terms(node: Node, factor: Factor) -> list[tuple[Node, Factor]]:
    """factor * node as a sum of operands, each with its factor; [] where it is none."""
    number, scalar = factor
    if node.op is arithmetic.add:
        return [(n, factor) for n in node.inputs]
    if node.op is arithmetic.subtract:
        return [(node.inputs[0], factor), (node.inputs[1], (-number, scalar))]
    if node.op is arithmetic.negative:
        return [(node.inputs[0], (-number, scalar))]
    if node.op is arithmetic.divide:
        value = scalar_value(node.inputs[1])
        return [(node.inputs[0], (number / value, scalar))] if value else []
    if node.op is arithmetic.multiply:
        for n, other in (node.inputs, node.inputs[::-1]):
            value = scalar_value(other)
            if value is not None:
                return [(n, (number * value, scalar))]
            if scalar is None and other.op is views.broadcast_to and other.inputs[0].shape == ():
                return [(n, (number, other.inputs[0]))]
    return []


def _is_safe(factor: Factor, node: Node) -> bool:
    """Whether a factor is the product of what it was made from: a number that is one in this dtype, or a scalar."""
    number, scalar = factor
    if scalar is not None:
        return abs(number) == 1
    with np.errstate(all="ignore"):
        value = abs(node.dtype.type(number))
    return bool(np.isfinite(value) and value >= np.finfo(node.dtype).tiny)


def _matrices(node: Node) -> tuple[Node, bool] | None:
    """(a matrix product, whether the node is its transpose); None for other nodes. Vectors have loops of their own."""
    swapped = node.op is views.transpose and node.attrs["perm"] == (*range(node.type.ndim - 2), node.type.ndim - 1,
                                                                     node.type.ndim - 2)  # fmt: skip
    product = node.inputs[0] if swapped else node
    if product.op is not linalg.matmul or 1 in (*product.inputs[0].shape[-2:], product.shape[-1]):
        return None
    return product, swapped


def _operands(node: Node, builder: Builder, done: dict[Node, Node]) -> list[Node]:
    found = _matrices(node)
    assert found is not None
    product, swapped = found
    matrices = [done[n] for n in product.inputs]
    if not swapped:
        return matrices
    return [builder.add(views.transpose, (m,), {"perm": node.attrs["perm"]}, node.source) for m in matrices[::-1]]


def _scale(builder: Builder, product: tuple[Node, Factor], done: dict[Node, Node]) -> Any:
    """A product's factor as a traced scalar of its dtype."""
    node, (number, scalar) = product
    if scalar is None:
        return wrap(builder, constant(builder, np.asarray(number, node.dtype)))
    return wrap(builder, done[scalar]) if number == 1 else -wrap(builder, done[scalar])
