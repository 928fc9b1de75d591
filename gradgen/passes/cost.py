"""What a graph costs: arithmetic counted from its nodes, bytes from its types."""

from __future__ import annotations

from dataclasses import dataclass

from gradgen.ir.graph import Graph, Node
from gradgen.ir.sizes import Size, hint
from gradgen.ops.control import branch, loop
from gradgen.ops.record import CALL, ELEMENTWISE, REDUCTION, SCATTER


@dataclass(frozen=True)
class Cost:
    """flops of the whole kernel and of its two halves; bytes read and written; bytes stored for the backward pass;
    bytes of workspace. Symbolic sizes count with the sizes of the call that was traced."""

    flops: int
    forward_flops: int
    backward_flops: int
    bytes_moved: int
    bytes_stored: int
    peak_workspace: int


def flops(graph: Graph) -> int:
    """Arithmetic operations: one per element of an elementwise op or a reduction, 2mnk for a matrix product; those of a
    loop's body once per step (once in all, where only the run tells how many), of the dearer side of a branch."""
    return sum(_node_flops(n) for n in graph.nodes)


def _node_flops(node: Node) -> int:
    if node.op.kind == ELEMENTWISE:
        return node.op.flops * _number(node.type.size)
    if node.op.kind == REDUCTION:
        return max(_number(node.inputs[0].type.size) - _number(node.type.size), 0)
    if node.op.kind == CALL:
        return node.op.flops * _number(node.type.size) * _number(node.inputs[0].shape[-1])
    if node.op.kind == SCATTER:
        return node.op.flops * _number(node.inputs[0].type.size) if node.op.combine != "{x}" else 0
    if node.op is loop:
        body = node.attrs["body"]
        steps = _number(node.attrs["length"])
        return steps * sum(flops(g) for g in (body, node.attrs["condition"]) if g is not None)
    if node.op is branch:
        return max(flops(node.attrs["then"]), flops(node.attrs["otherwise"]))
    return 0


def _number(size: Size) -> int:
    found = hint(size)
    return 1 if found is None else int(found)


def nbytes(nodes) -> int:
    return sum(_number(n.type.nbytes) for n in nodes)
