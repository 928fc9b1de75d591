"""Graph -> Graph: a sum with something written into zeros becomes a write into the other summand.

    y + embed(v) = put_add(y, v)          y + scatter_add(v, index) = index_add(y, v, index)

Cotangents of slices and of reads at an index arrive so: what would fill and add a whole array touches a part of one.
"""

from __future__ import annotations

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops import arithmetic, indexing, updates, views
from gradgen.ops.record import SCATTER
from gradgen.passes.control import within


def accumulate(graph: Graph) -> Graph:
    """The graph with these sums rewritten where nothing else uses the written array."""
    builder, users = Builder(), graph.users()
    done: dict[Node, Node] = {}
    for node in graph.nodes:
        found = _written(node, users, graph.outputs) if node.op is arithmetic.add else None
        if found is not None:
            base, part = found
            op = updates.put_add if part.op is views.embed else updates.index_add
            attrs = {k: v for k, v in part.attrs.items() if k != "shape"}
            inputs = [base, *part.inputs]
        else:
            op, attrs, inputs = node.op, within(node.attrs, accumulate), list(node.inputs)
        done[node] = builder.add(op, [done[n] for n in inputs], attrs, node.source)
        done[node].label = done[node].label or node.label
    outputs = tuple(done[n] for n in graph.outputs)
    return Graph(tuple(done[n] for n in graph.inputs), outputs, graph.name, graph.input_names)


def _written(node: Node, users: dict, outputs) -> tuple[Node, Node] | None:
    """(base, the array written into zeros) of a sum."""
    for base, part in (node.inputs, node.inputs[::-1]):
        alone = len(users[part]) == 1 and part not in outputs and part is not base
        if alone and part.op.kind == SCATTER and part.op in (views.embed, indexing.scatter_add) and node.shape != ():
            return base, part
    return None
