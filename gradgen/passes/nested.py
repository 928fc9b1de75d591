"""Graph -> Graph: a reduction of a reduction that nobody else needs becomes one.

sum(sum(x, axes=(1,)), axes=(0,)) = sum(x, axes=(0, 1))
"""

from __future__ import annotations

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops.record import REDUCTION
from gradgen.passes.control import within


def join_nested(graph: Graph) -> Graph:
    """The graph with nested reductions of one kind joined; those that find an index stay."""
    builder, users = Builder(), graph.users()
    done: dict[Node, Node] = {}
    for node in graph.nodes:
        inputs, attrs = [done[n] for n in node.inputs], within(node.attrs, join_nested)
        if node.op.kind == REDUCTION and node.op.index is None:
            inner = node.inputs[0]
            if inner.op is node.op and len(users[inner]) == 1 and inner not in graph.outputs:
                made = done[inner]  # itself joined with what is below it
                inputs, attrs = [made.inputs[0]], {"axes": _joined(made, attrs["axes"])}
        builder.name(builder.add(node.op, inputs, attrs, node.source), node, done)
    return graph.made_of(done)


def _joined(inner: Node, outer: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of both, counted in the operand of the inner one."""
    axes = inner.attrs["axes"]
    kept = [k for k in range(inner.inputs[0].type.ndim) if k not in axes]
    return tuple(sorted({*axes, *(kept[k] for k in outer)}))
