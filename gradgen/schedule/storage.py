"""Which values get memory of their own; all others are computed where they are used.

Stored: outputs, results and operands of library calls and of control flow, reductions, scattered, updated and joined
arrays, operands of reshapes that mix axes, and what is worth storing: values that several loops need and that cost more
to recompute than to load. A value that turns out to be used only in the loop body that makes it is never written
(schedule/loops.py).
"""

from __future__ import annotations

from collections.abc import Collection

from gradgen.ir.graph import Graph, Node
from gradgen.ops import views
from gradgen.ops.control import Parts, is_item, loop
from gradgen.ops.record import CALL, CONTROL, ELEMENTWISE, GATHER, JOIN, LEAF, REDUCTION, SCATTER, UPDATE, VIEW
from gradgen.ops.views import unit_axes_only

RELOAD = 6.0  # what storing and loading an element costs, in multiplications
REPEAT = 2.0  # what may be recomputed along a broadcast axis


def is_rename(node: Node) -> bool:
    """A reshape that mixes axes: the same memory by another shape."""
    return node.op is views.reshape and not unit_axes_only(node.inputs[0].shape, node.shape)


def origin(node: Node) -> Node:
    """The value whose memory a chain of reshapes renames. Scalars have none: a reshape from or to one is its own."""
    while node.op is views.reshape and () not in (node.shape, node.inputs[0].shape):
        node = node.inputs[0]
    return node


def call_operand(node: Node) -> tuple[Node, bool, bool]:
    """(stored node, transposed, shared): the views that a matrix product reads through without a copy."""
    shared = transposed = False
    if node.op is views.broadcast_to and node.type.ndim > 2 and node.inputs[0].shape == node.shape[-2:]:
        node, shared = node.inputs[0], True
    if node.op is views.transpose:
        perm, ndim = node.attrs["perm"], node.type.ndim
        if perm == (*range(ndim - 2), ndim - 1, ndim - 2):
            node, transposed = node.inputs[0], True
    return node, transposed, shared


def matrices(node: Node) -> tuple[Node, ...]:
    """The operands that a library call reads whole."""
    return node.inputs[: node.op.onto]


def begins_as(node: Node) -> Node | None:
    """The operand that an update, or a call that adds, begins as a copy of; None for all other nodes."""
    if node.op.kind == UPDATE:
        return node.inputs[0]
    return node.inputs[node.op.onto] if node.op.onto is not None else None


def factor(node: Node) -> Node | None:
    """The number by which a call multiplies what it adds."""
    return node.inputs[node.op.onto + 1] if node.op.onto is not None else None


def is_free(node: Node) -> bool:
    """Whether a value exists before the kernel runs: inputs and constant arrays."""
    return node.op.kind == LEAF and node.op.name in ("input", "constant") and node.shape != ()


def stored(graph: Graph, writable: Collection[Node] = ()) -> set[Node]:
    """The nodes that get a buffer, besides inputs and constants. Scalars live in locals.

    `writable`: inputs whose memory an update may take.
    """
    nodes = graph.nodes
    found: set[Node] = set()

    def keep(node: Node) -> None:
        node = origin(node)
        if not is_free(node) and node.shape != ():
            found.add(node)

    for node in nodes:
        if node.op.kind in (REDUCTION, SCATTER, UPDATE, JOIN, CALL) or is_item(node):
            keep(node)
        elif node.op.kind == CONTROL:
            for operand in _whole_operands(node):
                keep(operand)
        if node.op.kind == UPDATE:
            old = origin(node.inputs[0])
            if (old in writable or not is_free(old)) and _reads(node.inputs[1], old):
                keep(node.inputs[1])  # computed before the update writes over what it is made from
        if node.op.kind == CALL:
            for operand in matrices(node):
                keep(call_operand(operand)[0])
        if is_rename(node):
            keep(node.inputs[0])
    for output in graph.outputs:
        keep(output)
    _worth_storing(graph, nodes, found)
    return found


def _whole_operands(node: Node) -> tuple[Node, ...]:
    """The operands that control flow reads from memory; the first carries of a loop are computed into theirs."""
    if node.op is not loop:
        return node.inputs
    parts = Parts(node)
    return (*parts.xs, *parts.outside)


def _reads(node: Node, memory: Node) -> bool:
    """Whether an array that is computed where it is used would read `memory`."""
    stack, seen = [node] if node.shape != () else [], set()
    while stack:
        n = stack.pop()
        if origin(n) is memory:
            return True
        if n not in seen and n.op.kind in (ELEMENTWISE, VIEW, GATHER):
            seen.add(n)
            stack.extend(n.inputs)
    return False


def _worth_storing(graph: Graph, nodes: list[Node], found: set[Node]) -> None:
    users = graph.users()
    demand = _demand(nodes, users, found)
    cost: dict[Node, float] = {}
    for node in nodes:
        inline = node.op.weight if node.op.kind == ELEMENTWISE else 1.0 if node.op.kind == GATHER else 0.0
        own = inline + sum(cost[n] for n in dict.fromkeys(node.inputs))
        if node in found or node.op.kind in (LEAF, CONTROL) or node.shape == ():
            cost[node] = 0.0
            continue
        shared = len(demand[node]) > 1 and node.op.kind in (ELEMENTWISE, GATHER) and own > RELOAD
        repeated = own > REPEAT and any(_repeats(user) for user in users[node])
        if shared or repeated:
            found.add(origin(node))
            own = 0.0
        cost[node] = own


def _demand(nodes: list[Node], users: dict, found: set[Node]) -> dict[Node, set[Node]]:
    """Per node, the stored nodes whose loops compute it."""
    demand: dict[Node, set[Node]] = {}
    for node in reversed(nodes):
        demand[node] = set()
        for user in users[node]:
            alone = user in found or user.op.kind == CONTROL or user.shape == ()
            demand[node] |= {user} if alone else demand[user]
    return demand


def _repeats(user: Node) -> bool:
    """A broadcast along an axis outside of one that the operand has: its loop would compute the operand again."""
    if user.op is not views.broadcast_to:
        return False
    (x,) = user.inputs
    lead = len(user.shape) - len(x.shape)
    grown = [k for k in range(len(user.shape)) if k < lead or (x.shape[k - lead] == 1 and user.shape[k] != 1)]
    own = [k + lead for k, n in enumerate(x.shape) if n != 1]
    return bool(grown and own) and min(grown) < max(own)
