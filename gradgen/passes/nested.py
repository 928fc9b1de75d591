"""Graph -> Graph: a reduction of a reduction that nobody else needs becomes one.

sum(sum(x, axes=(1,)), axes=(0,)) = sum(x, axes=(0, 1))
"""

from __future__ import annotations

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops.record import REDUCTION
from gradgen.passes.control import rewritten


def join_nested(graph: Graph) -> Graph:
    """The graph with nested reductions of one kind joined; those that find an index stay."""
    users = graph.users()

    def joined(builder: Builder, node: Node, done: dict[Node, Node]) -> Node | None:
        if node.op.kind != REDUCTION or node.op.index is not None:
            return None
        inner = node.inputs[0]
        if inner.op is not node.op or len(users[inner]) != 1 or inner in graph.outputs:
            return None
        made = done[inner]  # itself joined with what is below it
        return builder.add(node.op, made.inputs[:1], {"axes": _joined(made, node.attrs["axes"])}, node.source)

    return rewritten(graph, join_nested, joined)


def _joined(inner: Node, outer: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of both, counted in the operand of the inner one."""
    axes = inner.attrs["axes"]
    kept = [k for k in range(inner.inputs[0].type.ndim) if k not in axes]
    return tuple(sorted({*axes, *(kept[k] for k in outer)}))
