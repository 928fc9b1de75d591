"""One graph over inputs and cotangents -> a forward and a backward graph, and what one hands the other.

What the backward pass needs of the forward pass is either handed over (residuals) or computed again from inputs and
residuals, whichever is cheaper: results of library calls, reductions and elementary functions are handed over, a sum
or a comparison is not. Of loops their histories are handed over, but for those whose length only the run tells: these
loops run again.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradgen.ir.graph import Graph, Node, dependents
from gradgen.ops.control import Parts, is_item, loop
from gradgen.ops.record import ELEMENTWISE, GATHER, LEAF, VIEW
from gradgen.ops.subgraphs import subgraph

KEEP = 3.0  # an op of this weight or more is not repeated


@dataclass(frozen=True)
class Split:
    """forward(inputs) -> outputs, residuals;  backward(inputs, residuals, cotangents) -> gradients."""

    forward: Graph
    backward: Graph
    residuals: int


def split(graph: Graph, inputs: int, outputs: int) -> Split:
    """`graph`: its first `inputs` inputs and `outputs` outputs are the primal's, the rest cotangents and gradients."""
    given, cotangents = graph.inputs[:inputs], graph.inputs[inputs:]
    primal, gradients = graph.outputs[:outputs], graph.outputs[outputs:]
    nodes = graph.nodes
    late = dependents(cotangents, nodes)
    needed = [n for g in nodes if g in late for n in g.inputs if n not in late]
    needed += [g for g in gradients if g not in late]
    kept = tuple(_residuals(needed, set(given)))
    names = graph.input_names[:inputs]
    forward = Graph(given, (*primal, *kept), f"{graph.name}_forward", names)
    labels = tuple(n.label or n.op.name for n in kept)
    backward = _cut(graph, given, kept, cotangents, gradients, (*names, *labels))
    return Split(forward, backward, len(kept))


def _residuals(needed: list[Node], given: set[Node]) -> dict[Node, None]:
    """What it takes to have the needed nodes in the backward pass: each is looked at once, by whatever path."""
    found: dict[Node, None] = {}
    seen, stack = set(given), list(reversed(needed))
    while stack:
        node = stack.pop()
        if node in seen or node.op.kind == LEAF:
            continue
        seen.add(node)
        if is_item(node) and node.inputs[0].op is loop and Parts(node.inputs[0]).is_open:
            stack.extend(reversed(node.inputs[0].inputs))  # stacks whose length the run tells are no results
        elif node.op.kind in (ELEMENTWISE, VIEW, GATHER) and node.op.weight < KEEP:
            stack.extend(reversed(node.inputs))
        else:
            found[node] = None
    return found


def _cut(graph: Graph, given, kept, cotangents, gradients, names) -> Graph:
    """The backward graph: residuals become inputs."""
    count = len(cotangents)
    g_names = ("g",) if count == 1 else tuple(f"g{k}" for k in range(count))
    return subgraph((*given, *kept, *cotangents), gradients, f"{graph.name}_backward", (*names, *g_names))
