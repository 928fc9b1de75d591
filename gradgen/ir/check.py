"""Every invariant of a graph, as one function. Tests run it after every pass."""

from __future__ import annotations

from gradgen.errors import GraphError
from gradgen.ir.graph import Graph
from gradgen.ir.text import INPUT


def check(graph: Graph) -> Graph:
    """The graph itself, or GraphError naming the node that breaks an invariant."""
    seen: dict[tuple, int] = {}
    nodes = graph.nodes
    known = {id(n) for n in nodes}
    for node in nodes:
        _require(all(n.id < node.id for n in node.inputs), graph, node, "an input is younger than its user")
        _require(all(id(n) in known for n in node.inputs), graph, node, "two objects with one id")
        inferred = node.op.infer(tuple(n.type for n in node.inputs), node.attrs)
        _require(inferred == node.type, graph, node, f"the op infers {inferred}")
        _require(node.op.name != INPUT or node in graph.inputs, graph, node, "an input that the graph does not list")
        for value in node.attrs.values():
            if isinstance(value, Graph):
                check(value)
        attrs = sorted((k, v.key if isinstance(v, Graph) else v) for k, v in node.attrs.items())
        key = (node.op.name, tuple(n.id for n in node.inputs), repr(attrs))
        _require(key not in seen, graph, node, f"the same value as %{seen.get(key)}")
        seen[key] = node.id
    _require(len(set(graph.inputs)) == len(graph.inputs), graph, None, "an input listed twice")
    return graph


def _require(condition: bool, graph: Graph, node, problem: str) -> None:
    if not condition:
        raise GraphError(f"{graph.name}: {node}: {problem}\n{graph}", where=getattr(node, "source", None))
