"""The graph: immutable, typed, hash-consed SSA, built only through `Builder.add`.

    Graph  = inputs: (Node, ...), outputs: (Node, ...), name
    Node   = op, inputs: (Node, ...), attrs: {name: value}, type, source
    value  = int | float | str | dtype | Size | tuple of values | Constant | Graph

An op with several results has a tuple of types; `item` picks one. Control flow holds its body as a Graph of its own,
whose inputs stand for all that the body needs (ops/control.py). Equal nodes are one object, so `is` compares values
and a common subexpression exists once. Ids grow in order of construction: inputs have smaller ids than their users,
and sorting by id is a topological order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradgen.ir.source import Source

if TYPE_CHECKING:
    from gradgen.ops.record import Op


class Node:
    """One value of a graph."""

    __slots__ = ("attrs", "id", "inputs", "label", "op", "source", "type")

    def __init__(self, op: Op, inputs: tuple[Node, ...], attrs: dict[str, Any], type, source, id: int):
        self.op, self.inputs, self.attrs, self.type, self.source, self.id = op, inputs, attrs, type, source, id
        self.label: str | None = None  # the user's name for it, a comment like `source`

    @property
    def shape(self):
        return self.type.shape

    @property
    def dtype(self):
        return self.type.dtype

    def __repr__(self) -> str:
        attrs = "".join(f" {k}={v}" for k, v in self.attrs.items() if not isinstance(v, Graph))
        return f"<%{self.id}: {self.type} = {self.op.name}({', '.join(f'%{n.id}' for n in self.inputs)}){attrs}>"


class Constant:
    """An array that stands in a graph: compared and hashed by content."""

    __slots__ = ("array", "digest")

    def __init__(self, array: np.ndarray):
        array = np.array(array, order="C", copy=True)
        array.flags.writeable = False
        self.array = array
        self.digest = hashlib.sha256(repr((array.dtype.str, array.shape)).encode() + array.tobytes()).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other) -> bool:
        return isinstance(other, Constant) and self.digest == other.digest

    def __repr__(self) -> str:
        return f"Constant({self.digest})"


def _attr_key(value):
    if isinstance(value, float):
        return ("float", value.hex())  # 0.0 and -0.0, 1 and 1.0 are different attributes; nan equals itself
    if isinstance(value, tuple):
        return tuple(_attr_key(v) for v in value)
    if isinstance(value, Graph):
        return ("graph", value.key)
    return (type(value).__name__, value)


class Builder:
    """The one place where nodes are made."""

    def __init__(self):
        self._nodes: dict[tuple, Node] = {}
        self._count = 0
        self.origin: Source | None = None  # while derivatives are built: the line of the primal they belong to

    def fresh(self) -> int:
        """A number that no node has: what tells two inputs of one type apart."""
        return self._count

    def add(self, op: Op, inputs: Iterable[Node] = (), attrs: dict | None = None, source: Source | None = None) -> Node:
        """The node of `op` over `inputs`: the one that exists, or a new one whose type the op infers."""
        inputs, attrs = tuple(inputs), attrs or {}
        key = (op.name, tuple(n.id for n in inputs), tuple((k, _attr_key(v)) for k, v in sorted(attrs.items())))
        node = self._nodes.get(key)
        if node is None:
            type_ = op.infer(tuple(n.type for n in inputs), attrs)
            self._count += 1
            node = self._nodes[key] = Node(op, inputs, attrs, type_, source, self._count)
        return node

    def copy(self, node: Node, done: dict[Node, Node], attrs: dict | None = None) -> Node:
        """The node over what `done` has for its operands, with its line and name, and perhaps other attributes; `done`
        has it from then on."""
        inputs = [done[n] for n in node.inputs]
        return self.name(self.add(node.op, inputs, node.attrs if attrs is None else attrs, node.source), node, done)

    def name(self, made: Node, old: Node, done: dict[Node, Node]) -> Node:
        """Enter `made` in `done` as what stands for `old` now, by its name unless it has one."""
        made.label = made.label or old.label
        done[old] = made
        return made


@dataclass(frozen=True)
class Graph:
    """inputs -> outputs. Nodes that are reachable but neither inputs nor made from them are constants."""

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    name: str = "f"
    input_names: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "input_names", distinct(self.input_names))

    @property
    def nodes(self) -> list[Node]:
        """All nodes that the outputs need, and the inputs, in topological order."""
        return reachable((*self.inputs, *self.outputs))

    def made_of(self, done: Mapping[Node, Node]) -> Graph:
        """The same graph over the nodes that `done` has for its own."""
        inputs, outputs = (tuple(done[n] for n in nodes) for nodes in (self.inputs, self.outputs))
        return Graph(inputs, outputs, self.name, self.input_names)

    @cached_property
    def key(self) -> str:
        """What the graph computes, as text: equal for graphs that compute the same in the same way."""
        from gradgen.ir.text import to_text

        return to_text(self, sources=False)

    def users(self) -> dict[Node, list[Node]]:
        found: dict[Node, list[Node]] = {n: [] for n in self.nodes}
        for node in found:
            for operand in dict.fromkeys(node.inputs):
                found[operand].append(node)
        return found

    def __str__(self) -> str:
        from gradgen.ir.text import to_text  # the printer reads graphs; a graph only offers it as str()

        return to_text(self)


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names as identifiers, no two alike: the leaf a of p and an argument p_a would both be called p_a."""
    found: dict[str, None] = {}
    for name in names:
        base = wish = re.sub(r"\W", "_", name)
        number = 2
        while wish in found:
            wish, number = f"{base}_{number}", number + 1
        found[wish] = None
    return tuple(found)


def reachable(roots: Iterable[Node], stop: Collection[Node] = ()) -> list[Node]:
    """The roots and all that they need, sorted by id: inputs before their users. It does not look behind `stop`."""
    seen: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.id not in seen:
            seen[node.id] = node
            stack.extend(() if node in stop else node.inputs)
    return [seen[i] for i in sorted(seen)]


def dependents(roots: Iterable[Node], within: Iterable[Node]) -> set[Node]:
    """The nodes of `within` (in topological order) that are made from `roots`, the roots included."""
    found = set(roots)
    for node in within:
        if any(n in found for n in node.inputs):
            found.add(node)
    return found
