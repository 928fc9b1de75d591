"""Patterns for rewrite rules: expressions over variables, matched against nodes and built as nodes.

`x * 1` as a pattern matches a product with the constant 1 (broadcast or not) and binds x. The same expression on the
right of a rule builds. Commutative ops match both ways round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradgen.ir.graph import Builder, Constant, Node
from gradgen.ops import REGISTRY
from gradgen.trace.promotion import broadcast
from gradgen.trace.tracer import RuleTracer, constant

COMMUTATIVE = {"add", "multiply", "logical_and", "logical_or"}


@dataclass(frozen=True, eq=False)
class Pattern:
    """An op over patterns, a variable (op None), or `number`: any constant, bound by name."""

    op: str | None
    args: tuple = ()
    name: str = ""

    def __add__(self, other):
        return Pattern("add", (self, other))

    def __radd__(self, other):
        return Pattern("add", (other, self))

    def __sub__(self, other):
        return Pattern("subtract", (self, other))

    def __rsub__(self, other):
        return Pattern("subtract", (other, self))

    def __mul__(self, other):
        return Pattern("multiply", (self, other))

    def __rmul__(self, other):
        return Pattern("multiply", (other, self))

    def __truediv__(self, other):
        return Pattern("divide", (self, other))

    def __rtruediv__(self, other):
        return Pattern("divide", (other, self))

    def __pow__(self, other):
        return Pattern("power", (self, other))

    def __neg__(self):
        return Pattern("negative", (self,))


def variables(names: str) -> list[Pattern]:
    return [Pattern(None, (), name) for name in names.split()]


def numbers(names: str) -> list[Pattern]:
    return [Pattern("constant", (), name) for name in names.split()]


def call(op: str):
    return lambda *args: Pattern(op, args)


def scalar_value(node: Node):
    """The number that a node holds everywhere, or None."""
    while node.op.name == "broadcast_to":
        node = node.inputs[0]
    if node.op.name != "constant" or isinstance(node.attrs["value"], Constant):
        return None
    return node.attrs["value"]


def match(pattern, node: Node, bound: dict) -> bool:
    """Whether the node has this form; fills `bound`. A failed match may leave entries behind: pass a copy."""
    if not isinstance(pattern, Pattern):
        value = scalar_value(node)
        return value is not None and not isinstance(value, bool) and value == pattern
    if pattern.op is None or pattern.op == "constant":
        if pattern.op == "constant" and scalar_value(node) is None:
            return False
        return bound.setdefault(pattern.name, node) is node
    if node.op.name != pattern.op or len(node.inputs) != len(pattern.args):
        return False
    orders = [node.inputs, node.inputs[::-1]] if pattern.op in COMMUTATIVE else [node.inputs]
    for order in orders:
        attempt = dict(bound)
        if all(match(p, n, attempt) for p, n in zip(pattern.args, order, strict=True)):
            bound.update(attempt)
            return True
    return False


def build(pattern, like: Node, bound: dict, builder: Builder) -> Node:
    """The node of a pattern's right side; constants take the dtype and shape of `like`."""
    if not isinstance(pattern, Pattern):
        number = RuleTracer(builder, constant(builder, np.asarray(pattern, like.dtype)))
        return broadcast(number, like.type.shape).node
    if pattern.op is None or pattern.op == "constant":
        return bound[pattern.name]
    args = [build(p, like, bound, builder) for p in pattern.args]
    return builder.add(REGISTRY[pattern.op], args, {}, like.source)
