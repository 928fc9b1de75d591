"""Graph -> Graph: every output gets memory of its own.

Results never alias inputs or one another. An output that is an input, a constant, another output, or a reshape of one
of these, becomes an explicit copy.
"""

from __future__ import annotations

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ops import leaves
from gradgen.schedule.storage import is_free, origin


def separate(graph: Graph) -> Graph:
    """The graph with copies where outputs would share memory."""
    builder = Builder()
    done: dict[Node, Node] = {}
    for node in graph.nodes:
        builder.copy(node, done)
    taken: set[Node] = set()
    outputs = []
    for place, old in enumerate(graph.outputs):
        node = done[old]
        memory = origin(node)
        if node.shape != () and (is_free(memory) or memory in taken or memory.op.kind == "view"):
            node = memory = builder.add(leaves.copy, (node,), {"place": place}, node.source)
        taken.add(memory)
        outputs.append(node)
    return Graph(tuple(done[n] for n in graph.inputs), tuple(outputs), graph.name, graph.input_names)
