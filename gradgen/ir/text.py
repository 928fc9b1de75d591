"""Graph <-> text, exact inverses.

    f(x: f64[3], y: f64[3]) {
      %3: f64[3] = multiply(x, y)  # /home/ada/model.py:12
      %4: f64[] = sum(%3) axes=(0,)
      return %4
    }

The graphs that control flow holds stand indented below its line, each under the name of its attribute.
`parse(to_text(graph), ops)` gives a graph with the same text. Ids are renumbered in order, so the text of a graph
depends on what it computes and not on how it was built; it is what the cache hashes.
"""

from __future__ import annotations

import base64
import re

import numpy as np

from gradgen.errors import GraphError
from gradgen.ir.graph import Builder, Constant, Graph, Node
from gradgen.ir.sizes import Dim
from gradgen.ir.source import Source
from gradgen.ir.types import parse_size, parse_type

INPUT = "input"


def to_text(graph: Graph, sources: bool = True) -> str:
    """The graph as text; without `sources`, what it computes and nothing else."""
    names = _names(graph)
    params = ", ".join(f"{names[n]}: {n.type}" for n in graph.inputs)
    lines = [f"{graph.name}({params}) {{"]
    for node in graph.nodes:
        if node.op.name == INPUT:
            continue
        attrs = "".join(f" {k}={_attr_text(v)}" for k, v in sorted(node.attrs.items()) if not isinstance(v, Graph))
        call = f"{node.op.name}({', '.join(names[i] for i in node.inputs)})"
        comment = f"  # {node.source}" if sources and node.source else ""
        lines.append(f"  {names[node]}: {_type_text(node.type)} = {call}{attrs}{comment}")
        for name, value in sorted(node.attrs.items()):
            if isinstance(value, Graph):
                inner = Graph(value.inputs, value.outputs, name, value.input_names)
                lines.extend("    " + line for line in to_text(inner, sources).split("\n"))
    lines.append(f"  return {', '.join(names[n] for n in graph.outputs)}")
    return "\n".join([*lines, "}"])


def _type_text(type_) -> str:
    return f"({';'.join(map(str, type_))};)" if isinstance(type_, tuple) else str(type_)


def _names(graph: Graph) -> dict[Node, str]:
    names: dict[Node, str] = {}
    for k, node in enumerate(graph.inputs):
        names[node] = graph.input_names[k] if k < len(graph.input_names) else f"x{k}"
    for count, node in enumerate((n for n in graph.nodes if n not in names), len(graph.inputs) + 1):
        names[node] = f"%{count}"
    return names


def _attr_text(value) -> str:
    if isinstance(value, Constant):
        array = value.array
        data = base64.b64encode(array.tobytes()).decode()
        return f"array<{array.dtype.name};{','.join(map(str, array.shape))};{data}>"
    if isinstance(value, tuple):
        return "(" + ",".join(_attr_text(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, np.dtype):
        return f"dtype<{value.name}>"
    if isinstance(value, Dim):
        return "<" + str(value).replace(" ", "") + ">"
    return repr(value)


_HEAD = re.compile(r"^(\S+)\((.*)\) \{$")
_LINE = re.compile(r"^  (\S+): (\S+) = (\w+)\(([^)]*)\)((?: \w+=\S+)*?)(?:  # (.+):(\d+))?$")


def parse(text: str, ops: dict, symbols: dict | None = None) -> Graph:
    """The graph of a text. `ops`: name -> op. Raises GraphError with the line that does not parse."""
    lines, builder = text.strip().split("\n"), Builder()
    symbols = {} if symbols is None else symbols
    env: dict[str, Node] = {}
    head = _HEAD.match(lines[0])
    if head is None:
        raise GraphError(f"graph text: no header: {lines[0]!r}")
    inputs = []
    for k, (name, type_text) in enumerate(re.findall(r"([\w.%]+): (\w+\[[^\]]*\])", head[2])):
        env[name] = builder.add(ops[INPUT], (), {"index": k, "type": parse_type(type_text, symbols)})
        inputs.append(env[name])
    for line, inner in _with_inner(lines[1:-2]):
        match = _LINE.match(line)
        if match is None:
            raise GraphError(f"graph text: not a node: {line!r}")
        name, type_text, op, operands, attrs, file, number = match.groups()
        parsed = {k: _attr_value(v, symbols) for k, v in re.findall(r" (\w+)=(\S+)", attrs)}
        parsed |= {g.name: g for g in (parse(block, ops, symbols) for block in inner)}
        source = Source(file, int(number)) if file else None
        node = builder.add(ops[op], [env[o] for o in operands.split(", ") if o], parsed, source)
        if node.type != _parse_types(type_text, symbols):
            raise GraphError(f"graph text: {op} infers {node.type}: {line!r}")
        env[name] = node
    outputs = [env[o.strip()] for o in lines[-2].removeprefix("  return ").split(",")]
    return Graph(tuple(inputs), tuple(outputs), head[1], tuple(n for n in env if not n.startswith("%")))


def _with_inner(lines: list[str]):
    """Each line of a graph with the texts of the graphs that stand indented below it."""
    at = 0
    while at < len(lines):
        line, at, blocks = lines[at], at + 1, []
        while at < len(lines) and lines[at].startswith("    "):
            end = next(k for k in range(at, len(lines)) if lines[k] == "    }")
            blocks.append("\n".join(part[4:] for part in lines[at : end + 1]))
            at = end + 1
        yield line, blocks


def _parse_types(text: str, symbols: dict):
    if text.startswith("("):
        return tuple(parse_type(part, symbols) for part in text[1:-1].split(";") if part)
    return parse_type(text, symbols)


def _attr_value(text: str, symbols: dict):
    if text.startswith("array<"):
        dtype, shape, data = text[6:-1].split(";")
        sizes = tuple(int(s) for s in shape.split(",") if s)
        return Constant(np.frombuffer(base64.b64decode(data), np.dtype(dtype)).reshape(sizes))
    if text.startswith("dtype<"):
        return np.dtype(text[6:-1])
    if text.startswith("<"):
        return parse_size(text[1:-1], symbols)
    if text.startswith("("):
        return tuple(_attr_value(part, symbols) for part in _split(text[1:-1]))
    named = {
        "None": None,
        "True": True,
        "False": False,
        "nan": float("nan"),
        "inf": float("inf"),
        "-inf": -float("inf"),
    }
    if text in named:
        return named[text]
    if text.startswith(("'", '"')):
        return text[1:-1]
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "(<") - (c in ")>")
        if c == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [p for p in [*parts, text[start:]] if p]
