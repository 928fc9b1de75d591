"""Names from the user's code: the value of `h = np.tanh(x @ w)` is called h in what is generated."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable

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


def unpacked_names(function: Callable, place: int, count: int) -> list[str | None]:
    """What a function calls the leaves of its parameter at `place`: the targets of `a, b = parameter`, where there is
    such a line; the parameter's name, where it is one leaf. None where it can't be read."""
    unknown: list[str | None] = [None] * count
    try:
        parameter = list(inspect.signature(function).parameters)[place]
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (ValueError, TypeError, IndexError, OSError, SyntaxError):  # builtins, lambdas inside of calls
        return unknown
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == parameter:
            names = [n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)]
            if isinstance(node.targets[0], ast.Tuple) and len(names) == count:
                return list(names)
    return [parameter] if count == 1 else unknown
