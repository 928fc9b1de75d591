"""The nodes of a graph with those of its inner graphs, for tests of what a pass left where."""

from gradgen.ir.graph import Graph, Node
from gradgen.ops.control import loop


def everywhere(graph: Graph) -> list[Node]:
    found = list(graph.nodes)
    for node in graph.nodes:
        for value in node.attrs.values():
            if isinstance(value, Graph):
                found += everywhere(value)
    return found


def loops(graph: Graph) -> list[Node]:
    """Outer loops before those inside of them."""
    return [n for n in everywhere(graph) if n.op is loop]


def names(graph: Graph) -> list[str]:
    """Of the ops of a graph, inner graphs left out; sorted, without inputs, numbers, casts and views."""
    free = ("input", "constant", "item", "astype", "broadcast_to", "reshape", "transpose")
    return sorted(n.op.name for n in graph.nodes if n.op.name not in free)
