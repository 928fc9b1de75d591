"""Rebuild what depends on some nodes with others in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradgen.ir.graph import Builder, Node, reachable


def substitute(builder: Builder, outputs: Sequence[Node], mapping: Mapping[Node, Node]) -> list[Node]:
    """`outputs` with every key of `mapping` replaced by its value, in one pass (values are not substituted again)."""
    nodes = reachable(outputs)
    done = dict(mapping)
    for node in nodes:
        if node not in done and any(n in done for n in node.inputs):
            done[node] = builder.add(node.op, [done.get(n, n) for n in node.inputs], node.attrs, node.source)
            done[node].label = done[node].label or node.label
    return [done.get(n, n) for n in outputs]
