"""Sub-graphs: closed (what they need from outside becomes inputs) and written out again in a larger graph.

    in:  nodes of one builder: y = x*w + b*2, where x is an input of the body
    out: body(x, w, %1) = x*w + %1, and what it takes from outside: w, b*2

Work that does not depend on the inputs stays outside: it is done once. What costs nothing there (numbers, views), and
reads that may fail (an index that is data), come along.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradgen.ir.graph import Builder, Constant, Graph, Node, dependents, reachable
from gradgen.ops.leaves import fresh
from gradgen.ops.record import ELEMENTWISE, GATHER, LEAF, VIEW


def close(
    inputs: Sequence[Node], outputs: Sequence[Node], name: str, since: int | None = None
) -> tuple[Graph, list[Node]]:
    """(graph over `inputs` and what follows, what it takes from outside).

    `since`: nodes that are younger come along whatever they cost: a branch that is not taken does no work.
    """
    nodes = reachable(outputs, stop=set(inputs))
    inside = dependents(inputs, nodes)
    brought = {n for n in inside if n not in inputs} | _companions(nodes, inside, since)
    within = reachable(outputs, stop={n for n in nodes if n not in brought})
    outside = [n for n in within if n not in brought and n not in inputs]
    return subgraph((*inputs, *outside), outputs, name), outside


def subgraph(inputs: Sequence[Node], outputs: Sequence[Node], name: str, names: Sequence[str] | None = None) -> Graph:
    """A graph of its own over these values, which become its inputs. `names`: of the inputs."""
    builder = Builder()
    done = {n: fresh(builder, n.type, n.label, n.source) for n in inputs}
    for n in reachable(outputs, stop=set(inputs)):
        if n not in done:
            builder.copy(n, done)
    names = tuple(n.label or f"x{k}" for k, n in enumerate(inputs)) if names is None else tuple(names)
    return Graph(tuple(done[n] for n in inputs), tuple(done[n] for n in outputs), name, names)


def _companions(nodes: list[Node], inside: set[Node], since: int | None) -> set[Node]:
    """The nodes that are not made from the inputs and come along all the same."""
    found: set[Node] = set()
    free: set[Node] = set()  # made from numbers and positions alone
    for n in nodes:
        if n in inside or n.op.name == "input" or isinstance(n.attrs.get("value"), Constant):
            continue
        if n.op.kind == LEAF or (n.op.kind in (ELEMENTWISE, VIEW) and all(i in free for i in n.inputs)):
            free.add(n)
        young = since is not None and n.id > since
        if n in free or young or n.op.kind in (VIEW, GATHER):
            found.add(n)
    return found


def inline(builder: Builder, graph: Graph, values: Sequence[Node]) -> list[Node]:
    """The outputs of a graph, written out in `builder` with `values` for its inputs."""
    done: dict[Node, Node] = dict(zip(graph.inputs, values, strict=True))
    for n in graph.nodes:
        if n not in done:
            builder.copy(n, done)
    return [done[n] for n in graph.outputs]
