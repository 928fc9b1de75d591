"""Control flow: ops that hold graphs.

    loop(count?, *inits, *xs, *outside)     body(index, *carries, *rows, *outside) -> *carries, *ys
                                            condition(index, *carries, *rows, *outside) -> bool, for a while loop
        results: the last carries; ys, stacked; every carry's history, its value before each step, stacked;
                 the number of steps
    branch(pred, *operands)                 then(*operands), otherwise(*operands) -> results
    item(several)                           one result

A history costs nothing unless an `item` asks for it: it is how a derivative remembers a loop without changing it.
The length of a loop is a size; where only the run tells it (a traced bound, a condition) it is a symbol of the loop's
own, which its histories and stacked results have as their first axis.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ir.sizes import Dim, Size
from gradgen.ir.types import Type
from gradgen.ops.leaves import INT64
from gradgen.ops.record import CONTROL, Op, register


def _no_value(*args, **attrs):
    raise AssertionError("control flow is evaluated by ops/evaluation.py")


def _loop_types(types: tuple[Type, ...], attrs: dict) -> tuple[Type, ...]:
    body, carries, length = attrs["body"], attrs["carries"], attrs["length"]
    given = types[int(attrs["counted"]) :]
    rows = given[carries : carries + attrs["rows"]]
    wanted = [Type(INT64), *given[:carries], *(t.with_shape(t.shape[1:]) for t in rows), *given[carries + len(rows) :]]
    assert [n.type for n in body.inputs] == wanted, ([str(n.type) for n in body.inputs], list(map(str, wanted)))
    outs = tuple(n.type for n in body.outputs)
    assert outs[:carries] == given[:carries], f"a carry changes its type: {outs[:carries]}, {given[:carries]}"
    stacked = tuple(t.with_shape((length, *t.shape)) for t in (*outs[carries:], *outs[:carries]))
    return (*outs[:carries], *stacked, Type(INT64))


loop = register(Op("loop", CONTROL, _no_value, _loop_types, flops=0))


def _branch_types(types: tuple[Type, ...], attrs: dict) -> tuple[Type, ...]:
    for graph in (attrs["then"], attrs["otherwise"]):
        assert tuple(n.type for n in graph.inputs) == types[1:], "a branch takes other operands"
    outs = tuple(n.type for n in attrs["then"].outputs)
    assert outs == tuple(n.type for n in attrs["otherwise"].outputs), "branches of different types"
    return outs


branch = register(Op("branch", CONTROL, _no_value, _branch_types, flops=0))


def _item_type(types, place: int) -> Type:
    return types[0][place]


item = register(Op("item", CONTROL, _no_value, lambda types, attrs: _item_type(types, **attrs), flops=0, weight=0))


def is_item(node: Node) -> bool:
    return node.op is item


@dataclass(frozen=True)
class Parts:
    """The operands and results of a loop node by their roles."""

    node: Node

    @property
    def body(self) -> Graph:
        return self.node.attrs["body"]

    @property
    def condition(self) -> Graph | None:
        return self.node.attrs["condition"]

    @property
    def length(self) -> Size:
        return self.node.attrs["length"]

    @property
    def reverse(self) -> bool:
        return self.node.attrs["reverse"]

    @property
    def carries(self) -> int:
        return self.node.attrs["carries"]

    @property
    def rows(self) -> int:
        return self.node.attrs["rows"]

    @property
    def stacked(self) -> int:
        return len(self.body.outputs) - self.carries

    @property
    def count(self) -> Node | None:
        """The number of steps as a value, for a loop that is told it by data."""
        return self.node.inputs[0] if self.node.attrs["counted"] else None

    @property
    def _given(self) -> tuple[Node, ...]:
        return self.node.inputs[int(self.node.attrs["counted"]) :]

    @property
    def inits(self) -> tuple[Node, ...]:
        return self._given[: self.carries]

    @property
    def xs(self) -> tuple[Node, ...]:
        return self._given[self.carries : self.carries + self.rows]

    @property
    def outside(self) -> tuple[Node, ...]:
        return self._given[self.carries + self.rows :]

    def split(self, values) -> tuple:
        """(index, carries, rows, outside) of a sequence like the body's inputs."""
        first, last = 1 + self.carries, 1 + self.carries + self.rows
        return values[0], tuple(values[1:first]), tuple(values[first:last]), tuple(values[last:])

    # -- places of results

    def stack(self, k: int) -> int:
        return self.carries + k

    def history(self, k: int) -> int:
        return self.carries + self.stacked + k

    @property
    def steps(self) -> int:
        return 2 * self.carries + self.stacked

    @property
    def is_open(self) -> bool:
        """Whether only the run tells the length."""
        return self.condition is not None or self.count is not None


def loop_attrs(
    body: Graph, carries: int, rows: int, length: Size, *, condition: Graph | None = None, counted: bool = False,
    reverse: bool = False, limit: int | None = None, snapshots: int = 0, forget: bool = False,
) -> dict:  # fmt: skip
    """`limit`: of a while loop's steps. `snapshots`: how many carries its adjoint may keep at a time (0: all);
    `forget`: the adjoint computes every step again, whatever that costs."""
    return {"body": body, "condition": condition, "carries": carries, "rows": rows, "length": length,
            "counted": counted, "reverse": reverse, "limit": limit, "snapshots": snapshots, "forget": forget}  # fmt: skip


def run_symbols(size: Size) -> set[str]:
    """The symbols of a size that a loop's run defines."""
    return {s.name for s in size.symbols() if s.name.startswith("steps")} if isinstance(size, Dim) else set()


def pick(builder: Builder, node: Node, place: int) -> Node:
    """One result of a loop or a branch, called after what the body calls it."""
    found = builder.add(item, (node,), {"place": place}, node.source)
    if found.label is None:
        found.label = _name(node, place)
    return found


def _name(node: Node, place: int) -> str | None:
    if node.op is branch:
        return node.attrs["then"].outputs[place].label
    parts = Parts(node)
    if place == parts.steps:
        return "steps"
    if place < parts.carries:
        return parts.body.inputs[1 + place].label
    if place < parts.history(0):
        return parts.body.outputs[place].label
    label = parts.body.inputs[1 + place - parts.history(0)].label
    return f"{label}_past" if label else None
