"""Reading an op's record: its operands as traced values, its rule, and the error where it has none."""

from __future__ import annotations

from typing import Any

from gradgen.errors import DifferentiationError
from gradgen.ir.graph import Builder, Node
from gradgen.ops.record import ELEMENTWISE, REDUCTION
from gradgen.trace.tracer import RuleTracer


def wrap(builder: Builder, node: Node) -> Any:
    """The node in the language that rules are written in: NumPy, as far as type checkers can tell."""
    return RuleTracer(builder, node)


def node_of(x: Any) -> Node:
    """What `wrap` wrapped."""
    return x.node


def has_local_gradients(node: Node) -> bool:
    return node.op.kind in (ELEMENTWISE, REDUCTION) and node.op.partials is not None


def local_gradients(builder: Builder, node: Node) -> tuple[tuple, tuple]:
    """(partials, masks), one per operand: see ops/record.py."""
    out, xs = wrap(builder, node), [wrap(builder, n) for n in node.inputs]
    # the attributes of a cast say its dtype, which its derivative (1) does not ask for
    attrs = node.attrs if node.op.kind == REDUCTION else {}
    partials = node.op.partials(out, *xs, **attrs)
    masks = node.op.masks(out, *xs, **attrs) if node.op.masks else (None,) * len(xs)
    return partials, masks


def carries(node: Node) -> bool:
    """Whether derivatives flow through values of this type: floats only."""
    return node.type.is_float


def no_rule(node: Node) -> DifferentiationError:
    types = ", ".join(str(n.type) for n in node.inputs)
    return DifferentiationError(f"{node.op.name}({types}) has no derivative rule", where=node.source,
                                hint="gg.stop_gradient(x) treats a value as constant")  # fmt: skip


def scale(value, partial):
    """value * partial, without multiplying by 1 or -1."""
    if isinstance(partial, (int, float)):
        return value if partial == 1 else -value if partial == -1 else value * partial
    return value * partial
