"""Names from the user's code: the value of `h = np.tanh(x @ w)` is called h in what is generated."""

from __future__ import annotations

import re

from gradgen.ir.graph import Node, reachable

_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)")


def label(inputs: dict[str, Node], outputs: list[Node]) -> None:
    """Label inputs with their parameter's name, and the last value of each assignment with its target's."""
    for name, node in inputs.items():
        node.label = node.label or name
    nodes = reachable(outputs)
    lines: dict = {}
    for node in nodes:
        if node.source is not None:
            lines.setdefault(node.source, []).append(node)
    used_inside = {operand for node in nodes for operand in node.inputs if operand.source == node.source}
    for source, made in lines.items():
        found = _ASSIGNMENT.match(source.text)
        last = [n for n in made if n not in used_inside]
        if found and len(last) == 1:
            last[0].label = last[0].label or found[1]
